//! Facts about a study's inputs, which `spec` asks for before it resolves ids: hashes, vocabularies, the teacher's shape.

use std::path::Path;

use crate::data;
use crate::files;
use crate::model::{Config, weight_files};
use crate::spec::path::InputPath;
use crate::spec::run::{Dataset, Teacher, Tokenizer};
use crate::spec::{DatasetFact, Fact, Inputs, TeacherFact, TokenizerFact};

/// Reads facts from the local disk; what lies on the hub stays unknown.
#[derive(Debug, Clone, Copy)]
pub struct LocalInputs;

/// Why a hub source has no facts yet.
fn on_the_hub(what: &str, repo: &str) -> String {
    format!("{what} {repo} lies on the hub, which this version does not fetch from")
}

impl Inputs for LocalInputs {
    fn dataset(&self, dataset: &Dataset) -> Fact<DatasetFact> {
        if let Dataset::Hub { repo, .. } = dataset {
            return Fact::Unknown(on_the_hub("the dataset", repo));
        }
        match data::dataset_fingerprint(dataset) {
            Ok(fingerprint) => Fact::Known(DatasetFact { fingerprint }),
            Err(error) => Fact::Bad(format!("{error:#}")),
        }
    }

    fn tokenizer(&self, _: &Dataset, tokenizer: &Tokenizer) -> Fact<TokenizerFact> {
        match tokenizer {
            Tokenizer::Train { vocab_size } => {
                Fact::Known(TokenizerFact { fingerprint: format!("byte-level BPE of {vocab_size}"), vocabulary: Some(*vocab_size) })
            }
            Tokenizer::Dir { path } => match data::Tokenizer::open(&path.resolve()) {
                Ok(read) => Fact::Known(TokenizerFact { fingerprint: read.sha256(), vocabulary: Some(read.vocabulary()) }),
                Err(error) => Fact::Bad(format!("{error:#}")),
            },
            Tokenizer::Hub { repo, .. } => Fact::Unknown(on_the_hub("the tokenizer of", repo)),
        }
    }

    fn teacher(&self, teacher: &Teacher) -> Fact<TeacherFact> {
        match teacher {
            Teacher::Train { .. } => Fact::Unknown("it is trained by this study".to_owned()),
            Teacher::Dir { path } => match model_folder(&path.resolve()) {
                Ok(fact) => Fact::Known(fact),
                Err(error) => Fact::Bad(format!("{error:#}")),
            },
            Teacher::Hub { repo, .. } => Fact::Unknown(on_the_hub("the teacher", repo)),
        }
    }

    fn student(&self, folder: &InputPath) -> Fact<TeacherFact> {
        match model_folder(&folder.resolve()) {
            Ok(fact) => Fact::Known(fact),
            Err(error) => Fact::Bad(format!("{error:#}")),
        }
    }
}

/// The shape of a GPT-2 folder, and the hash of what it holds.
fn model_folder(folder: &Path) -> anyhow::Result<TeacherFact> {
    use anyhow::Context;
    let path = folder.join("config.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}: is it a GPT-2 folder?", path.display()))?;
    let config = Config::from_json(&text).with_context(|| format!("in {}", folder.display()))?;
    let weights: Vec<String> = weight_files(folder)?.iter().map(|file| files::sha256_of_file(file)).collect::<anyhow::Result<_>>()?;
    let weights = weights.join("\n");
    Ok(TeacherFact {
        fingerprint: files::sha256(format!("{text}\n{weights}").as_bytes()),
        layers: config.layers,
        width: config.width,
        heads: config.heads,
        positions: config.positions,
        vocabulary: Some(config.vocabulary),
        inner: config.inner,
        tied: config.tied,
    })
}
