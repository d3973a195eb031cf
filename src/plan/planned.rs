//! The plan: every cell of the grid, the runs they resolve to, and what is predicted of each.
//! `load` makes it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::expect::Expectations;
use super::identity::Fingerprints;
use super::input_fault::InputFault;
use super::path::InputPath;
use super::run::{DatasetSpec, DeviceSpec, RunSpec, TaskSpec, TeacherSpec, TokenizerSpec};

/// What reaches a spec from outside its files.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// The `--set key=value` arguments in order.
    pub set: Vec<String>,
    /// The environment: after `KDPIPE_`, names that hold `__` set keys; the others are kdpipe's own
    /// or a mistake. Names without the prefix are nobody's business.
    pub environment: Vec<(String, String)>,
    /// Paths of `--set` and the environment are relative to it.
    pub working_folder: PathBuf,
}

/// Something about an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<T> {
    Known(T),
    /// Not known yet, and why ("not downloaded").
    Unknown(String),
    /// The input cannot be used: a message with its remedy.
    Bad(String),
    /// The input cannot be used for these reasons.
    Faulty(Vec<InputFault>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetFact {
    /// Hash of the files by split, or a commit.
    pub fingerprint: String,
    /// Bytes of validation and test as they lie on the disk, where they are known.
    pub held_out_bytes: Option<[u64; 2]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenizerFact {
    pub fingerprint: String,
    pub vocabulary: Option<usize>,
    /// Of these, the tokens that any text may have. Added tokens follow them: a model without rows
    /// for those serves every text that spells none.
    pub own: Option<usize>,
}

/// Facts of the items of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFact {
    /// What identifies them.
    pub fingerprint: String,
    /// Bytes of the texts that a model is asked, each as often as it is read.
    pub bytes: u64,
}

/// Facts of a folder with a GPT-2, or of one of the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeacherFact {
    pub fingerprint: String,
    pub layers: usize,
    pub width: usize,
    pub heads: usize,
    pub positions: usize,
    pub vocabulary: Option<usize>,
    /// Width of the hidden layer of a block's MLP.
    pub inner: usize,
    /// Whether the head is the token embedding.
    pub tied: bool,
}

/// Where facts of inputs come from; each distinct input is asked for once a plan. What follows from
/// the spec alone (synthetic text, a tokenizer or a teacher that is trained) is never asked for.
pub trait Inputs {
    /// Of text, parquet and hub datasets.
    fn dataset(&self, dataset: &DatasetSpec) -> Fact<DatasetFact>;
    /// Of dir and hub tokenizers.
    fn tokenizer(&self, dataset: &DatasetSpec, tokenizer: &TokenizerSpec) -> Fact<TokenizerFact>;
    /// Of dir and hub teachers.
    fn teacher(&self, teacher: &TeacherSpec) -> Fact<TeacherFact>;
    /// Of the folder that `student.init_dir` names.
    fn student(&self, folder: &InputPath) -> Fact<TeacherFact>;
    /// Of a task's items, by its name.
    fn task(&self, _: &str, _: &TaskSpec) -> Fact<TaskFact> {
        Fact::Known(TaskFact::default())
    }
    /// Whether this machine's processor multiplies bfloat16.
    fn bf16(&self) -> bool {
        false
    }
    /// Why this machine does not have a device, where it was looked for.
    fn no_device(&self, _: DeviceSpec) -> Option<String> {
        None
    }
}

/// The axis that repeats everything else.
pub const SEED: &str = "seed";
/// The axis of teachers that differ in their seed alone: each counts as one of a student's seeds.
pub const TEACHER_SEED: &str = "teacher.seed";
/// The axis of arms.
pub const ARM: &str = "arm";

/// An axis of the grid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// `arm`, `seed` or a dotted key.
    pub key: String,
    /// As text, in the order given.
    pub values: Vec<String>,
}

/// A cell of the grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedCell {
    /// Axis values as text, by axis.
    pub at: BTreeMap<String, String>,
    /// Index of its run in `Plan::runs`.
    pub run: usize,
}

/// One run, which one or more cells share. Where `[evaluate]` is on an axis, runs of one id differ
/// in how they are measured; only the first of them has to train.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRun {
    /// 12 hexadecimal digits; provisional where `unknown` is not empty.
    pub id: String,
    /// What the id is the hash of.
    pub identity: serde_json::Value,
    pub spec: RunSpec,
    pub evaluation_key: String,
    /// What its inputs were when the plan was made.
    pub fingerprints: Fingerprints,
    pub teacher_key: String,
    pub teacher_evaluation_key: String,
    /// Runs of one key may share a teacher's forward pass.
    pub group_key: String,
    /// The first cell in words: `arm=kl seed=0`.
    pub label: String,
    /// Facts that are missing, in words; such a run cannot start.
    pub unknown: Vec<String>,
    pub estimate: Estimate,
}

/// What a run will need, counted from its shapes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    pub student_parameters: u64,
    /// 0 where the teacher's shape is unknown.
    pub teacher_parameters: u64,
    /// Weights, moments, gradients, activations and caches of one run alone, the teacher's
    /// included.
    pub memory_bytes: u64,
    /// Those of `memory_bytes` that runs which advance together hold once: the teacher's.
    pub shared_memory_bytes: u64,
    /// All floating-point operations of training: student, teacher and critics.
    pub flops: f64,
    /// Those of `flops` that are the teacher's forward pass, done once for the runs of a group that
    /// advance together.
    pub teacher_pass_flops: f64,
    /// Of training the teacher, where it is trained; shared by every run of one `teacher_key`.
    pub teacher_training_flops: f64,
    /// Of evaluating the student, and those of it that measure whether the treatment arrived.
    pub evaluation_flops: f64,
    pub treatment_flops: f64,
    /// What an evaluation holds.
    pub evaluation_memory_bytes: u64,
    /// Of the finished run.
    pub kept_bytes: u64,
    /// The finished run, and its checkpoints while it is unfinished.
    pub disk_bytes: u64,
}

/// What an arm changes against the baseline arm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arm {
    pub name: String,
    pub changes: Vec<Change>,
}

/// One key that an arm changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub key: String,
    /// The baseline's value as TOML; absent where the baseline has no such key.
    pub baseline: Option<String>,
    /// The arm's value as TOML; absent where the arm has no such key.
    pub value: Option<String>,
}

/// The values of a study's runs as TOML by their dotted keys, but for those of its axes. What a
/// disabled loss is set to is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StudySettings {
    /// Those that every cell shares.
    pub shared: BTreeMap<String, String>,
    /// Of the others those that the cells of an arm share, by arm.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arms: BTreeMap<String, BTreeMap<String, String>>,
}

impl StudySettings {
    /// All that holds for the cells of an arm, or of a study without arms.
    pub fn of_arm(&self, arm: Option<&str>) -> BTreeMap<&str, &str> {
        let own = arm.and_then(|arm| self.arms.get(arm)).into_iter().flatten();
        let all = self.shared.iter().chain(own);
        all.map(|(key, value)| (key.as_str(), value.as_str()))
            .collect()
    }
}

/// What `[select]` tries, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trials {
    /// The keys that are tried, with their values, and the seeds.
    pub axes: Vec<Axis>,
    /// In the order of the arms and the values.
    pub tried: Vec<TriedValues>,
}

impl Trials {
    /// Values that were tried in words, `loss.hidden.weight = 0.3, train.lr.peak = 1e-3`: those of
    /// which the arm tried several, or all where there are none such.
    pub fn in_words(&self, tried: &TriedValues) -> String {
        let differs = |key: &&String| {
            let mut own = self.tried.iter().filter(|one| one.arm == tried.arm);
            own.any(|one| one.values.get(*key) != tried.values.get(*key))
        };
        let told = tried.values.keys().filter(differs).count();
        let values = tried.values.iter();
        let values = values.filter(|(key, _)| told == 0 || differs(key));
        let words: Vec<String> = values
            .map(|(key, text)| format!("{key} = {text}"))
            .collect();
        words.join(", ")
    }
}

/// Values that `[select]` tries in an arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriedValues {
    /// Absent in a study without arms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<String>,
    /// By their keys.
    pub values: BTreeMap<String, String>,
    /// Ids, one for each seed.
    pub runs: Vec<String>,
    /// Loss on the validation split at the end of the training in nats per token, the mean over
    /// the seeds; absent where a run is missing or diverged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_nll: Option<f64>,
    /// Whether the arm's runs of the grid have them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_chosen: bool,
}

impl TriedValues {
    /// The arm, "" in a study without arms.
    pub fn arm_name(&self) -> &str {
        self.arm.as_deref().unwrap_or_default()
    }
}

/// A value of an axis, or several: each is one of what they choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AxisChoice {
    One(String),
    Several(Vec<String>),
}

impl AxisChoice {
    /// One value stands without a list.
    pub fn of(mut values: Vec<String>) -> Self {
        match values.len() {
            1 => Self::One(values.remove(0)),
            _ => Self::Several(values),
        }
    }

    pub fn values(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Several(values) => values,
        }
    }

    pub fn has(&self, value: &str) -> bool {
        self.values().iter().any(|own| own == value)
    }
}

/// `[report]` as resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportSettings {
    /// A built-in template's name, or a path.
    pub template: InputPath,
    /// Axis values of the baseline.
    pub baseline: BTreeMap<String, String>,
    /// δ in nats per token.
    pub margin: f64,
    pub alpha: f64,
    /// The contrasts that were chosen beforehand and are tested apart, as axis values.
    pub primary: Option<BTreeMap<String, AxisChoice>>,
    /// The axis that the study asks about, where the spec names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The axes that the answer should not depend on, with the value of each that it is given at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sensitivity: BTreeMap<String, String>,
}

impl ReportSettings {
    /// Whether the answer is about cells with these values, whatever they have of the axis `moved`:
    /// of every axis that it should not depend on they have the value that it is given at.
    pub fn is_home(&self, at: &BTreeMap<String, String>, moved: Option<&str>) -> bool {
        let homes = self.sensitivity.iter();
        let mut homes = homes.filter(|(axis, _)| moved != Some(axis.as_str()));
        homes.all(|(axis, home)| at.get(axis).is_none_or(|value| value == home))
    }
}

/// The resolved study.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub name: String,
    pub description: String,
    pub note: Option<String>,
    /// In the order of the spec.
    pub axes: Vec<Axis>,
    /// In the order of the grid, excluded ones left out.
    pub cells: Vec<PlannedCell>,
    /// In the order of their first cells.
    pub runs: Vec<PlannedRun>,
    /// What `[select]` tries, as far as it was tried; none where there is nothing to choose, and in
    /// the plan of what is tried.
    pub trials: Option<Trials>,
    pub arms: Vec<Arm>,
    /// What the spec sets, to be stored with the study.
    pub settings: StudySettings,
    pub report: ReportSettings,
    pub expect: Expectations,
    /// What the user should know and need not act on.
    pub notices: Vec<String>,
}
