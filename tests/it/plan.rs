//! What the tests of the spec layer share: a folder of specs and inputs, planned in this process
//! with inputs whose facts are what the files hold.

use std::path::Path;

use kdpipe::plan::path::InputPath;
use kdpipe::plan::run::{DatasetSpec, ItemSource, TaskSpec, TeacherSpec, TokenizerSpec};
use kdpipe::plan::{
    DatasetFact, Diagnostics, Fact, Inputs, Loaded, Overrides, Plan, TaskFact, TeacherFact,
    TokenizerFact, load,
};

/// A study with a hidden loss, a critic and a balance, so that every knob has something to turn.
pub const RICH: &str = r#"
seed = 0
[teacher]
source = "train"
layers = 6
width = 96
heads = 6
[student]
layers = 3
width = 96
heads = 6
[loss.lm]
kind = "lm"
weight = 0.5
[loss.kl]
kind = "logits.kl"
weight = 0.5
[loss.hidden]
kind = "hidden.wasserstein"
weight = 0.5
[balance]
mode = "gradient"
reference = "kl"
"#;

/// Specs and inputs in a folder of their own.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// A folder with `study.toml`.
    pub fn new(spec: &str) -> Self {
        let folder = Self(tempfile::tempdir().expect("a temporary folder"));
        folder.write("study.toml", spec);
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file in the folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    pub fn load(
        &self,
        file: &str,
        set: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Loaded, Diagnostics> {
        let options = Overrides {
            set: set.iter().map(|argument| (*argument).to_owned()).collect(),
            environment: environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            working_folder: self.path().to_path_buf(),
        };
        load(&self.path().join(file), &options)
    }

    pub fn try_plan(
        &self,
        file: &str,
        set: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Plan, Diagnostics> {
        self.load(file, set, environment)?.resolve(&Contents)
    }

    /// The plan of `study.toml` with `--set`.
    pub fn plan(&self, set: &[&str]) -> Plan {
        self.try_plan("study.toml", set, &[])
            .unwrap_or_else(|wrong| panic!("{set:?}\n{wrong}"))
    }

    /// Why `study.toml` is refused.
    pub fn refused(&self, set: &[&str]) -> String {
        self.try_plan("study.toml", set, &[])
            .expect_err("a refusal")
            .to_string()
    }
}

/// Facts of inputs: a fingerprint is the content of the files, whatever they are called; the commit
/// on the hub is the revision.
pub struct Contents;

fn content(path: &InputPath, name: &str) -> String {
    std::fs::read_to_string(path.resolve().join(name))
        .unwrap_or_else(|error| panic!("{path:?} {name}: {error}"))
}

fn contents(paths: &[InputPath]) -> String {
    paths
        .iter()
        .map(|path| std::fs::read_to_string(path.resolve()).expect("a text"))
        .collect()
}

impl Inputs for Contents {
    fn dataset(&self, dataset: &DatasetSpec) -> Fact<DatasetFact> {
        let fingerprint = match dataset {
            DatasetSpec::Text { .. } | DatasetSpec::Parquet { .. } | DatasetSpec::Jsonl { .. } => {
                let files = dataset.files().expect("a dataset of files");
                [files.train, files.validation.files(), files.test.files()]
                    .map(contents)
                    .join("|")
            }
            DatasetSpec::Hub { revision, .. } => revision.clone(),
            DatasetSpec::Synthetic { .. } => panic!("synthetic text has no facts to ask for"),
        };
        Fact::Known(DatasetFact {
            fingerprint,
            held_out_bytes: None,
        })
    }

    fn tokenizer(&self, _: &DatasetSpec, tokenizer: &TokenizerSpec) -> Fact<TokenizerFact> {
        let fingerprint = match tokenizer {
            TokenizerSpec::Dir { path } => content(path, "tokenizer.json"),
            TokenizerSpec::Hub { revision, .. } => revision.clone(),
            TokenizerSpec::Train { .. } => {
                panic!("a tokenizer that is trained has no facts to ask for")
            }
        };
        Fact::Known(TokenizerFact {
            fingerprint,
            vocabulary: Some(2048),
            own: Some(2048),
        })
    }

    fn teacher(&self, teacher: &TeacherSpec) -> Fact<TeacherFact> {
        let fingerprint = match teacher {
            TeacherSpec::Dir { path, .. } => content(path, "model.safetensors"),
            TeacherSpec::Hub { revision, .. } => revision.clone(),
            TeacherSpec::Train { .. } => {
                panic!("a teacher that is trained has no facts to ask for")
            }
        };
        Fact::Known(TeacherFact {
            fingerprint,
            layers: 6,
            width: 96,
            heads: 6,
            positions: 128,
            vocabulary: None,
            inner: 384,
            tied: true,
        })
    }

    fn task(&self, _: &str, task: &TaskSpec) -> Fact<TaskFact> {
        let fingerprint = match task.source().expect("a task with items") {
            ItemSource::Grammar(_) => "grammar".to_owned(),
            ItemSource::Files(files) => contents(files),
            ItemSource::Hub(items) => items.revision.to_owned(),
        };
        Fact::Known(TaskFact {
            fingerprint,
            bytes: 0,
        })
    }

    fn bf16(&self) -> bool {
        true
    }

    fn student(&self, folder: &InputPath) -> Fact<TeacherFact> {
        let fingerprint = content(folder, "model.safetensors");
        Fact::Known(TeacherFact {
            fingerprint,
            layers: 3,
            width: 96,
            heads: 6,
            positions: 128,
            vocabulary: None,
            inner: 384,
            tied: true,
        })
    }
}

/// Draws for tests that try many specs: the same ones in every run.
pub struct Draws(pub u64);

impl Draws {
    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// A number from 0 to 1.
    pub fn share(&mut self) -> f64 {
        self.below(1 << 53) as f64 / (1u64 << 53) as f64
    }
}
