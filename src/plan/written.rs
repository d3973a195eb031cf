//! The written form of a spec, once its layers are merged: what `schema` is made from. It differs
//! from `run` where the teacher's depth is needed first, and by the tables of the study around the
//! run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::expect::Expectations;
use super::matching::Strategy;
use super::path::InputPath;
use super::run::{
    BalanceSpec, DatasetSpec, EvaluateSpec, StudentSpec, TeacherSpec, Term, TokenizerSpec,
    TrainSpec,
};

/// The keys of a run, whose values may differ from cell to cell.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenRun {
    /// Seed of the run: data order, initial weights, critics, maps.
    #[schemars(range(max = 9_223_372_036_854_775_807_u64))]
    pub seed: u64,
    /// Where text comes from, and how its three splits are cut.
    pub dataset: DatasetSpec,
    /// How text becomes tokens.
    pub tokenizer: TokenizerSpec,
    /// The GPT-2 that students learn from; it is never updated.
    pub teacher: TeacherSpec,
    /// The GPT-2 that is trained.
    pub student: StudentSpec,
    /// Which teacher state each student state is compared with.
    #[serde(rename = "match")]
    pub matching: Strategy,
    /// Terms of the objective by name. A spec with a table of losses starts from none; the default
    /// file's stand only where no file names any.
    pub loss: BTreeMap<String, Term>,
    /// How hidden terms are made comparable.
    pub balance: BalanceSpec,
    /// How long and how a student is trained.
    pub train: TrainSpec,
    /// How finished models are measured; changing it trains nothing.
    pub evaluate: EvaluateSpec,
}

/// The tables of the study as a whole, which no axis reaches.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenStudy {
    /// A spec whose values this one starts from; relative to this file.
    #[serde(default)]
    pub extends: Option<InputPath>,
    /// What the study is called.
    #[serde(default)]
    pub pipeline: Pipeline,
    /// What the report compares.
    pub report: WrittenReport,
    /// What must come out; a run that misses it exits with 1.
    #[serde(default)]
    pub expect: Expectations,
}

/// What the study is called.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// Name of the results folder; absent, the file's name without ".toml".
    #[serde(default)]
    #[schemars(regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$"))]
    pub name: Option<String>,
    /// The question, in a sentence.
    #[serde(default)]
    pub description: String,
    /// A label that the report carries, such as "a first look that decides nothing".
    #[serde(default)]
    pub note: Option<String>,
}

/// What the report compares.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenReport {
    /// A built-in template by its name, or a file of one's own.
    pub template: InputPath,
    /// Axis values of the cells that the others are compared with; absent, the first arm.
    #[serde(default)]
    pub baseline: Option<BTreeMap<String, Json>>,
    /// Differences below it, in nats per token, are of no interest.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub margin: f64,
    /// Error rate of the verdicts.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub alpha: f64,
    /// The contrast that was chosen beforehand, as axis values: it is tested alone. A list of
    /// values chooses several, which are tested apart from all others.
    #[serde(default)]
    pub primary: Option<BTreeMap<String, Json>>,
    /// The axis that the study asks about, which the report answers first; absent, the baseline's.
    #[serde(default)]
    pub question: Option<String>,
    /// Axes that the answer should not depend on, such as a learning rate: it is given at the value
    /// that `primary` names, or else at the axis's first, and the report says whether it would be
    /// the same at the others.
    #[serde(default)]
    pub sensitivity: Vec<String>,
}
