//! Where a model's files lie in its folder, and what a folder is that is no model.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::Config;

const CONFIG: &str = "config.json";
pub(super) const WEIGHTS: &str = "model.safetensors";
pub(super) const INDEX: &str = "model.safetensors.index.json";
/// Of an adapter, which peft saves without the model that it belongs to.
const ADAPTER: &str = "adapter_config.json";
/// Files of weights that are not read.
const OTHERS: [&str; 6] = [
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "tf_model.h5",
    "flax_model.msgpack",
    "model.ckpt.index",
    "rust_model.ot",
];
/// Bytes that a text file of a model may have.
const TEXT_LIMIT: u64 = 64 << 20;

/// The files that hold a folder's weights, in order: model.safetensors, or the shards that the
/// index names.
///
/// # Errors
/// A folder without safetensors, with what to do; an index that is broken, or names files outside
/// the folder.
pub fn weight_files(folder: &Path) -> Result<Vec<PathBuf>> {
    if folder.join(WEIGHTS).exists() {
        return Ok(vec![folder.join(WEIGHTS)]);
    }
    if folder.join(INDEX).exists() {
        let mut names: Vec<String> = weight_map(folder)?.into_values().collect();
        names.sort_unstable();
        names.dedup();
        return Ok(names.into_iter().map(|name| folder.join(name)).collect());
    }
    if let Some(other) = OTHERS.into_iter().find(|name| folder.join(name).exists()) {
        let why = if other.starts_with("pytorch") {
            ", which is a pickle: reading one can run any code that is in it"
        } else {
            ""
        };
        bail!(
            "{} has no {WEIGHTS}, only {other}{why}; write safetensors once with transformers, \
             GPT2LMHeadModel.from_pretrained(\"FOLDER\").save_pretrained(\"OTHER\"), and name \
             that folder",
            folder.display()
        );
    }
    if let Some(what) = what_it_is(folder) {
        bail!("{what}");
    }
    bail!(
        "{} has no {WEIGHTS} and no {INDEX}: is it a GPT-2 folder? One that transformers' \
         save_pretrained wrote has its weights beside config.json",
        folder.display()
    )
}

/// What the index says: the file of every array.
pub(super) fn weight_map(folder: &Path) -> Result<BTreeMap<String, String>> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let path = folder.join(INDEX);
    let index: Index = serde_json::from_str(&read_text(&path)?)
        .with_context(|| format!("{} is no index of safetensors files", path.display()))?;
    for file in index.weight_map.values() {
        let mut parts = Path::new(file).components();
        let plain = matches!(
            (parts.next(), parts.next()),
            (Some(Component::Normal(_)), None)
        ) && !file.contains(['/', '\\']);
        ensure!(
            plain && file.ends_with(".safetensors"),
            "{} names the file {file:?}; only names of safetensors files beside it are followed",
            path.display()
        );
    }
    ensure!(
        !index.weight_map.is_empty(),
        "{} names no arrays",
        path.display()
    );
    Ok(index.weight_map)
}

/// A text file of a model, if it is not too long.
fn read_text(path: &Path) -> Result<String> {
    let mut text = String::new();
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    file.take(TEXT_LIMIT + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {} as UTF-8", path.display()))?;
    ensure!(
        text.len() as u64 <= TEXT_LIMIT,
        "{} is longer than {TEXT_LIMIT} bytes",
        path.display()
    );
    Ok(text)
}

/// The text of a folder's config.json.
///
/// # Errors
/// A file that is missing, with what the folder is instead; one that cannot be read.
pub fn read_config(folder: &Path) -> Result<String> {
    let path = folder.join(CONFIG);
    if path.exists() {
        return read_text(&path);
    }
    if let Some(what) = what_it_is(folder) {
        bail!("{what}");
    }
    let shown = folder.display();
    ensure!(
        folder.exists(),
        "{shown} does not exist; name a folder with config.json and model.safetensors"
    );
    bail!("{shown} has no {CONFIG}: is it a GPT-2 folder?")
}

impl Config {
    /// Reads `config.json` of a folder.
    ///
    /// # Errors
    /// A missing file, and as [`Config::from_json`].
    pub fn read(folder: &Path) -> Result<Self> {
        Self::from_json(&read_config(folder)?).with_context(|| format!("in {}", folder.display()))
    }
}

/// What a folder that is no model is instead, with what to name or do, where that can be told.
fn what_it_is(folder: &Path) -> Option<String> {
    let shown = folder.display();
    if folder.join(ADAPTER).exists() {
        return Some(format!(
            "{shown} holds an adapter (LoRA or the like; {ADAPTER}) and not the model that it \
             changes; merge the two once with peft, \
             AutoPeftModelForCausalLM.from_pretrained(\"FOLDER\").merge_and_unload()\
             .save_pretrained(\"OTHER\"), save the tokenizer there too, and name that folder"
        ));
    }
    let models = models_below(folder);
    let (_, last) = models.last()?;
    let last = last.display();
    Some(match models.len() {
        1 => format!("{shown} holds no model, but a folder below it does; name {last}"),
        many => format!(
            "{shown} holds no model, but {many} folders below it do; name one of them, such as \
             {last}"
        ),
    })
}

/// Folders with a config.json in this one, or in its `snapshots` (as the hub's cache has them):
/// those of a trainer by their step, so that the last is the latest.
fn models_below(folder: &Path) -> Vec<(u64, PathBuf)> {
    let mut found = Vec::new();
    for above in [folder.to_owned(), folder.join("snapshots")] {
        let Ok(entries) = std::fs::read_dir(above) else {
            continue;
        };
        let paths = entries.flatten().map(|entry| entry.path());
        found.extend(
            paths
                .filter(|path| path.join(CONFIG).is_file())
                .map(|path| {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    let step = name.rsplit('-').next().and_then(|step| step.parse().ok());
                    (step.unwrap_or(0), path)
                }),
        );
    }
    found.sort();
    found
}

/// What lies beside a model and is not read, in words.
pub(super) fn beside(folder: &Path) -> Option<String> {
    folder.join(ADAPTER).exists().then(|| {
        format!(
            "{ADAPTER} lies beside the weights of {}: the model is read as its weights are, \
             without an adapter",
            folder.display()
        )
    })
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
