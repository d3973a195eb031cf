//! What a spec says of a tokenizer, read once: its name by content, and the tokenizer itself.

use anyhow::Result;

use super::bpe;
use super::codec::Tokenizer;
use super::files::TokenizerFile;
use super::kept::KeptFiles;
use crate::data::recipe::Recipe;
use crate::data::source::Dataset;
use crate::digest;
use crate::hub::{Hub, Repo};
use crate::plan::run::TokenizerSpec;

/// A tokenizer that is there, or is to be trained.
#[derive(Debug)]
pub enum TokenizerInput {
    Train { vocab_size: usize },
    File(TokenizerFile),
}

impl TokenizerInput {
    /// Reads the files that the spec names, and fetches them where they lie on the hub.
    ///
    /// # Errors
    /// A file that is missing or cannot be read or fetched.
    pub fn find(spec: &TokenizerSpec, hub: &Hub) -> Result<Self> {
        Ok(match spec {
            TokenizerSpec::Train { vocab_size } => Self::Train {
                vocab_size: *vocab_size,
            },
            TokenizerSpec::Dir { path } => Self::File(TokenizerFile::read(&path.resolve())?),
            TokenizerSpec::Hub { repo, revision } => {
                let snapshot = hub.tokenizer(&Repo::model(repo, revision))?;
                Self::File(TokenizerFile::read(&snapshot.folder)?)
            }
        })
    }

    /// sha256 of the one text that says all of a tokenizer; of one to be trained its recipe, which
    /// together with the dataset's fingerprint determines it.
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Train { vocab_size } => {
                let mut recipe = Recipe::new("tokenizer");
                recipe
                    .add("source", "train")
                    .add("trainer", bpe::VERSION)
                    .add("vocab_size", vocab_size);
                if bpe::CRATE != bpe::UNNAMED_CRATE {
                    recipe.add("tokenizers", bpe::CRATE);
                }
                recipe.finish()
            }
            Self::File(file) => digest::sha256(file.json.as_bytes()),
        }
    }

    /// The tokenizer, trained on the dataset if need be.
    ///
    /// # Errors
    /// What [`bpe::train`] and [`Tokenizer::from_json`] refuse.
    pub fn into_tokenizer(self, dataset: &Dataset, progress: &dyn Fn(&str)) -> Result<Tokenizer> {
        match self {
            Self::Train { vocab_size } => {
                progress(&format!("training a tokenizer of {vocab_size} tokens"));
                bpe::train(dataset, vocab_size)
            }
            Self::File(file) => Tokenizer::from_file(&file),
        }
    }

    /// The files of a tokenizer that is there, for the models that are made with it.
    pub fn kept(&self) -> KeptFiles {
        match self {
            Self::Train { .. } => KeptFiles::default(),
            Self::File(file) => file.kept.clone(),
        }
    }
}
