//! Names by content: what a dataset or a tokenizer is, whatever the paths it came from.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::sources::{self, Part};
use super::{bpe, cache, grammar, shards, shares, text, tokenizer_files};
use crate::hub::{Hub, Repo};
use crate::plan::path::InputPath;
use crate::plan::run::{DatasetSpec, Detokenize, Rows, TokenizerSpec};

/// sha256 over everything that determines the documents and their cut: of files the contents in
/// order, with column, rows, detokenization and `train_tokens`; of the embedded source its recipe
/// and the version of the grammar; of a hub dataset its commit, which names the content of every
/// file. Paths do not enter. A packed file counts as it lies on the disk: the hash needs no
/// unpacking and changes whenever the text does.
///
/// # Errors
/// Files that are missing or cannot be read; a hub dataset whose commit or files cannot be found.
pub fn dataset_fingerprint(dataset: &DatasetSpec, hub: &Hub) -> Result<String> {
    let mut recipe = Recipe::new("dataset");
    match dataset {
        DatasetSpec::Synthetic {
            seed,
            train_words,
            validation_words,
            test_words,
            train_tokens,
        } => {
            recipe
                .add("source", "synthetic")
                .add("grammar", grammar::VERSION)
                .add("seed", seed);
            recipe
                .add("train", train_words)
                .add("validation", validation_words)
                .add("test", test_words);
            recipe.add_tokens(*train_tokens);
        }
        DatasetSpec::Text {
            train,
            validation,
            test,
            detokenize,
            train_tokens,
        } => {
            recipe.add("source", "text");
            recipe
                .add_files(train, validation, test)?
                .add_detokenize(*detokenize)
                .add_tokens(*train_tokens);
        }
        DatasetSpec::Parquet {
            train,
            validation,
            test,
            column,
            rows,
            detokenize,
            train_tokens,
        } => {
            recipe
                .add("source", "parquet")
                .add("column", column)
                .add_rows(*rows);
            recipe
                .add_files(train, validation, test)?
                .add_detokenize(*detokenize)
                .add_tokens(*train_tokens);
        }
        DatasetSpec::Hub {
            repo,
            config,
            revision: _,
            train,
            validation,
            test,
            column,
            rows,
            detokenize,
            train_tokens,
        } => {
            recipe
                .add("source", "hub")
                .add("repo", repo)
                .add("commit", shards::find(dataset, hub)?.commit);
            recipe.add("config", config.as_deref().unwrap_or_default());
            recipe
                .add("train", train)
                .add("validation", validation)
                .add("test", test)
                .add("shares", shares::VERSION);
            recipe
                .add("column", column)
                .add_rows(*rows)
                .add_detokenize(*detokenize)
                .add_tokens(*train_tokens);
        }
    }
    Ok(recipe.finish())
}

/// sha256 of the tokenizer.json that a folder has or amounts to; of a tokenizer to be trained its
/// recipe, which together with the dataset's fingerprint determines it.
///
/// # Errors
/// A file that is missing or cannot be read or fetched.
pub fn tokenizer_fingerprint(tokenizer: &TokenizerSpec, hub: &Hub) -> Result<String> {
    match tokenizer {
        TokenizerSpec::Train { vocab_size } => {
            let mut recipe = Recipe::new("tokenizer");
            recipe
                .add("source", "train")
                .add("trainer", bpe::VERSION)
                .add("vocab_size", vocab_size);
            Ok(recipe.finish())
        }
        TokenizerSpec::Dir { path } => folder_fingerprint(&path.resolve()),
        TokenizerSpec::Hub { repo, revision } => {
            folder_fingerprint(&hub.tokenizer(&Repo::model(repo, revision))?.folder)
        }
    }
}

fn folder_fingerprint(folder: &std::path::Path) -> Result<String> {
    Ok(hex(&Sha256::digest(
        tokenizer_files::read(folder)?.0.as_bytes(),
    )))
}

/// The key of the token streams that the two make.
pub(super) fn streams_key(dataset: &str, tokenizer: &str) -> String {
    let mut recipe = Recipe::new("streams");
    recipe
        .add("format", cache::FORMAT)
        .add("dataset", dataset)
        .add("tokenizer", tokenizer);
    recipe.finish()[..32].to_string()
}

/// Named values hashed in order, each with its length, so that no two lists of values run into the
/// same bytes.
struct Recipe(Sha256);

impl Recipe {
    fn new(what: &str) -> Self {
        let mut recipe = Self(Sha256::new());
        recipe.add("of", what);
        recipe
    }

    fn add(&mut self, name: &str, value: impl ToString) -> &mut Self {
        for text in [name, &value.to_string()] {
            self.0.update((text.len() as u64).to_le_bytes());
            self.0.update(text.as_bytes());
        }
        self
    }

    fn add_rows(&mut self, rows: Rows) -> &mut Self {
        match rows {
            Rows::Lines => self.add("rows", "lines"),
            Rows::Documents => self.add("rows", "documents"),
        }
    }

    fn add_detokenize(&mut self, detokenize: Detokenize) -> &mut Self {
        match detokenize {
            Detokenize::None => self.add("detokenize", "none"),
            Detokenize::Wikitext => self.add("detokenize", "wikitext"),
        }
    }

    fn add_tokens(&mut self, train_tokens: Option<u64>) -> &mut Self {
        match train_tokens {
            Some(tokens) => self.add("train_tokens", tokens),
            None => self,
        }
    }

    fn add_files(
        &mut self,
        train: &[InputPath],
        validation: &[InputPath],
        test: &[InputPath],
    ) -> Result<&mut Self> {
        for part in Part::ALL {
            for file in text::expand(sources::choose(part, train, validation, test), part)? {
                self.add(part.name(), file_sha256(&file)?);
            }
        }
        Ok(self)
    }

    fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// sha256 of a file's content.
pub fn file_sha256(path: &Path) -> Result<String> {
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file
            .read(&mut buffer)
            .with_context(|| format!("cannot read {}", path.display()))?;
        if count == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&buffer[..count]);
    }
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "fingerprint_tests.rs"]
mod tests;
