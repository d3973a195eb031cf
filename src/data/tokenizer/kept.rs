//! The files of a tokenizer as they lie there, for the folder of a model that is made with it.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::read_text::text;
use super::special::TokenizerClass;

/// Files that say something of a tokenizer, beside the vocabulary itself.
const BESIDE: [&str; 4] = [
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
];
/// The folder of further chat templates, and how their names end.
const TEMPLATES: (&str, &str) = ("additional_chat_templates", ".jinja");
/// More of them are no tokenizer's.
const MOST_TEMPLATES: usize = 64;

/// What a folder with the same tokenizer holds, by name; `/` parts folders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptFiles {
    files: Vec<(String, String)>,
    /// The `tokenizer_class` of a folder that has no tokenizer_config.json; none where the
    /// tokenizer was trained here.
    class: Option<&'static str>,
}

impl KeptFiles {
    /// Reads what lies beside the vocabulary; `whole` is the content of tokenizer.json.
    pub(super) fn read(folder: &Path, whole: Option<&str>, class: TokenizerClass) -> Result<Self> {
        let mut files = Vec::new();
        if let Some(whole) = whole {
            files.push(("tokenizer.json".to_owned(), whole.to_owned()));
        }
        for name in BESIDE {
            let path = folder.join(name);
            if path.is_file() {
                files.push((name.to_owned(), text(&path)?));
            }
        }
        let (templates, ending) = TEMPLATES;
        let path = folder.join(templates);
        if path.is_dir() {
            let mut names = Vec::new();
            let entries = std::fs::read_dir(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            for entry in entries {
                let name = entry?.file_name().to_string_lossy().into_owned();
                if name.ends_with(ending) {
                    names.push(name);
                }
            }
            ensure!(
                names.len() <= MOST_TEMPLATES,
                "{} holds {} chat templates, more than a tokenizer has",
                path.display(),
                names.len()
            );
            names.sort();
            for name in names {
                let content = text(&path.join(&name))?;
                files.push((format!("{templates}/{name}"), content));
            }
        }
        Ok(Self {
            files,
            class: Some(match class {
                TokenizerClass::Gpt2 => "GPT2TokenizerFast",
                TokenizerClass::Whole => "PreTrainedTokenizerFast",
            }),
        })
    }

    /// The files and their contents.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(name, content)| (name.as_str(), content.as_str()))
    }

    /// Whether a file is among them.
    pub fn has(&self, name: &str) -> bool {
        self.files.iter().any(|(known, _)| known == name)
    }

    /// The class that a tokenizer_config.json has to name; none where the tokenizer is not a
    /// folder's.
    pub fn class(&self) -> Option<&'static str> {
        self.class
    }
}
