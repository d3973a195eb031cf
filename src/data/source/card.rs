//! What a dataset's card says about its files: the `configs` of the YAML block that its README.md
//! begins with, or of a file `.huggingface.yaml` beside it.

use anyhow::{Context, Result, bail, ensure};

use super::card_yaml::Yaml;

/// The files that a card may lie in; the second overrides the first, key by key.
pub const CARD_FILES: [&str; 2] = ["README.md", ".huggingface.yaml"];

/// What is said in `configs`, in order; none where the card says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Card {
    pub configs: Vec<CardConfig>,
    /// The configuration that `dataset_info` is about, where it is about one alone.
    pub described: Option<String>,
}

/// A configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardConfig {
    pub name: String,
    /// The folder that everything is below; empty for the repo itself.
    pub folder: String,
    /// The patterns of each split; nothing where the names of the files decide.
    pub splits: Option<Vec<(String, Vec<String>)>>,
    pub is_default: bool,
    /// A setting that changes what is read and is not followed.
    pub unread: Option<String>,
}

/// Settings of the hub's readers that change the rows, with the values that change nothing.
const CHANGES_ROWS: [(&str, &[&str]); 6] = [
    ("field", &[]),
    ("sample_by", &["line"]),
    ("keep_linebreaks", &["false", "False"]),
    ("encoding", &["utf-8", "utf8", "UTF-8"]),
    ("encoding_errors", &["strict"]),
    ("filters", &[]),
];

impl Card {
    /// Reads the two files that it may lie in.
    ///
    /// # Errors
    /// What is no YAML, or no `configs` as the hub knows them.
    pub fn read(readme: Option<&str>, alone: Option<&str>) -> Result<Self> {
        let block = readme.and_then(front_matter).unwrap_or_default();
        let mut read = Vec::new();
        for (text, file) in [(alone.unwrap_or_default(), 1), (block, 0)] {
            read.push(Yaml::read(text).with_context(|| format!("in {}", CARD_FILES[file]))?);
        }
        let get = |key: &str| read.iter().find_map(|yaml| yaml.get(key));
        let described = match get("dataset_info") {
            Some(Yaml::List(all)) if all.len() == 1 => all.first(),
            Some(one @ Yaml::Map(_)) => Some(one),
            _ => None,
        };
        let described = described.and_then(|info| info.get("config_name")?.text());
        let configs = match get("configs") {
            None => Vec::new(),
            Some(Yaml::List(configs)) => configs.iter().map(config).collect::<Result<_>>()?,
            Some(_) => bail!("its configs are no list"),
        };
        Ok(Self {
            configs,
            described: described.map(str::to_owned),
        })
    }

    /// The configuration that is meant where none is named, as the hub's own library chooses it.
    ///
    /// # Errors
    /// Two that both are the default.
    pub fn default_config(&self) -> Result<Option<&CardConfig>> {
        let alone = self.configs.len() == 1;
        let mut defaults = self
            .configs
            .iter()
            .filter(|config| alone || config.name == "default" || config.is_default);
        let first = defaults.next();
        if let (Some(first), Some(second)) = (first, defaults.next()) {
            bail!(
                "its card has two configurations that are the default, {} and {}",
                first.name,
                second.name
            );
        }
        Ok(first.or_else(|| {
            let described = self.described.as_ref()?;
            self.configs.iter().find(|config| config.name == *described)
        }))
    }
}

/// The YAML between the two lines `---` that a text begins with.
fn front_matter(text: &str) -> Option<&str> {
    let is_end = |c| c == '\r' || c == '\n';
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let block = text.strip_prefix("---")?;
    let begun = block.trim_start_matches(is_end);
    if begun.len() == block.len() {
        return None;
    }
    let mut from = block.len() - begun.len() - 1;
    loop {
        let at = from + block[from..].find("---")?;
        let (before, after) = (&block[..at], &block[at + 3..]);
        let ends = after.is_empty() || after.starts_with('\n') || after.starts_with("\r\n");
        if before.ends_with(is_end) && ends {
            return Some(before);
        }
        from = at + 3;
    }
}

fn config(yaml: &Yaml) -> Result<CardConfig> {
    let name = yaml
        .get("config_name")
        .and_then(Yaml::text)
        .context("one of its configs has no config_name")?;
    let splits = match yaml.get("data_files") {
        None => None,
        Some(files) => Some(splits(files).with_context(|| format!("in its configuration {name}"))?),
    };
    let unread = CHANGES_ROWS.iter().find_map(|(key, harmless)| {
        let value = yaml.get(key)?;
        let is_harmless = value.text().is_some_and(|text| harmless.contains(&text));
        (!is_harmless).then(|| match value.text() {
            Some(text) => format!("{key}: {text}"),
            None => (*key).to_owned(),
        })
    });
    Ok(CardConfig {
        name: name.to_owned(),
        folder: yaml
            .get("data_dir")
            .and_then(Yaml::text)
            .unwrap_or_default()
            .to_owned(),
        splits,
        is_default: yaml
            .get("default")
            .and_then(Yaml::text)
            .is_some_and(|text| ["true", "yes", "on"].contains(&text.to_lowercase().as_str())),
        unread,
    })
}

/// A pattern, a list of patterns, or a list of splits with theirs.
fn splits(files: &Yaml) -> Result<Vec<(String, Vec<String>)>> {
    const FORM: &str = "data_files is a path, a list of paths, or a list of `split` and `path`";
    let patterns = |yaml: &Yaml| -> Result<Vec<String>> {
        let of_list = |all: &[Yaml]| {
            let texts: Option<Vec<_>> = all.iter().map(Yaml::text).collect();
            texts.map(|texts| texts.into_iter().map(str::to_owned).collect())
        };
        match yaml {
            Yaml::List(all) => of_list(all),
            one => of_list(std::slice::from_ref(one)),
        }
        .context(FORM)
    };
    let Yaml::List(items) = files else {
        return Ok(vec![("train".to_owned(), patterns(files)?)]);
    };
    if !items.iter().any(|item| matches!(item, Yaml::Map(_))) {
        return Ok(vec![("train".to_owned(), patterns(files)?)]);
    }
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for item in items {
        let split = item.get("split").and_then(Yaml::text).context(FORM)?;
        let path = item.get("path").context(FORM)?;
        ensure!(
            !found.iter().any(|(known, _)| known == split),
            "its data_files have the split {split} twice"
        );
        found.push((split.to_owned(), patterns(path)?));
    }
    Ok(found)
}

#[cfg(test)]
#[path = "card_tests.rs"]
mod tests;
