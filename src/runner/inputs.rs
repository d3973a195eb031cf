//! Facts about a study's inputs, which `spec` asks for before it resolves ids: hashes, vocabularies, the teacher's shape.

use std::path::Path;

use crate::data;
use crate::files;
use crate::model::Config;
use crate::spec::run::{Dataset, Teacher, Tokenizer};
use crate::spec::{DatasetFact, Fact, Inputs, TeacherFact, TokenizerFact};

/// Reads facts from the local disk; what lies on the hub stays unknown.
#[derive(Debug, Clone, Copy)]
pub struct LocalInputs;

/// Why a hub source has no facts yet.
const HUB: &str = "it lies on the hub, which this version does not fetch from";

impl Inputs for LocalInputs {
    fn dataset(&self, dataset: &Dataset) -> Fact<DatasetFact> {
        if matches!(dataset, Dataset::Hub { .. }) {
            return Fact::Unknown(HUB.to_owned());
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
            Tokenizer::Dir { path } => match data::Tokenizer::read(&path.resolve()) {
                Ok(read) => Fact::Known(TokenizerFact { fingerprint: read.fingerprint(), vocabulary: Some(read.vocabulary()) }),
                Err(error) => Fact::Bad(format!("{error:#}")),
            },
            Tokenizer::Hub { .. } => Fact::Unknown(HUB.to_owned()),
        }
    }

    fn teacher(&self, teacher: &Teacher) -> Fact<TeacherFact> {
        match teacher {
            Teacher::Train { .. } => Fact::Unknown("it is trained by this study".to_owned()),
            Teacher::Dir { path } => match teacher_folder(&path.resolve()) {
                Ok(fact) => Fact::Known(fact),
                Err(error) => Fact::Bad(format!("{error:#}")),
            },
            Teacher::Hub { .. } => Fact::Unknown(HUB.to_owned()),
        }
    }
}

/// The shape of a GPT-2 folder, and the hash of what it holds.
fn teacher_folder(folder: &Path) -> anyhow::Result<TeacherFact> {
    use anyhow::Context;
    let path = folder.join("config.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}: is it a GPT-2 folder?", path.display()))?;
    let config = Config::from_json(&text).with_context(|| format!("in {}", folder.display()))?;
    let weights = files::sha256_of_file(&folder.join("model.safetensors"))?;
    Ok(TeacherFact {
        fingerprint: files::sha256(format!("{text}\n{weights}").as_bytes()),
        layers: config.layers,
        width: config.width,
        heads: config.heads,
        positions: config.positions,
        vocabulary: Some(config.vocabulary),
    })
}
