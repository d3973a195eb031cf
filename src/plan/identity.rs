//! What makes two runs the same: the hash of everything that changes the result, and of nothing
//! else.
//!
//! Files enter by their hash and repositories by their commit, never by their path; names of
//! studies, arms and strategies, and intervals that change no weight, do not enter.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::dataset_identity::dataset;
use super::matching::Strategy;
use super::run::{
    BalanceSpec, Decay, EvaluateSpec, HubItems, Init, InitBlocks, ItemSource, Keep, LearningRate,
    Matching, PrecisionSpec, RunSpec, TaskSpec, TeacherSpec, Term, TokenizerSpec, TrainSpec,
};
use super::schedule::Span;
use crate::digest;

/// Raised whenever the same spec gives other numbers than before: other kernels, other draws,
/// another grammar.
pub const NUMERICS_VERSION: u32 = 2;
/// Raised whenever the same `[evaluate]` measures something else than before.
pub const EVALUATION_VERSION: u32 = 2;
/// The fingerprints of a run's inputs; empty for those that are made from the spec alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprints {
    pub dataset: String,
    pub tokenizer: String,
    pub teacher: String,
    pub student: String,
    /// Of the items of `[evaluate.tasks]`, by name.
    pub tasks: BTreeMap<String, String>,
}

/// Everything that changes a run's result, in this order.
#[derive(Debug, Serialize)]
struct Identity<'a> {
    numerics: u32,
    device: &'static str,
    precision: PrecisionSpec,
    /// Of the teacher's forward pass.
    #[serde(skip_serializing_if = "PrecisionSpec::is_f32")]
    teacher_precision: PrecisionSpec,
    seed: u64,
    dataset: Json,
    tokenizer: Json,
    teacher: Json,
    student: StudentIdentity<'a>,
    /// Where a hidden term is enabled.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    matching: Option<MatchIdentity<'a>>,
    loss: BTreeMap<String, Term>,
    balance: &'a BalanceSpec,
    train: TrainIdentity,
}

#[derive(Debug, Serialize)]
struct StudentIdentity<'a> {
    layers: usize,
    width: usize,
    heads: usize,
    init: Init,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocks: Option<&'a InitBlocks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum MatchIdentity<'a> {
    Map(&'a Matching),
    /// The teacher's depth is not known yet, so the id is provisional.
    Unresolved(&'a Strategy),
}

#[derive(Debug, Serialize)]
struct TrainIdentity {
    steps: u64,
    batch: usize,
    context: usize,
    accumulate: usize,
    shuffle: bool,
    lr: LearningRate,
    betas: [f64; 2],
    eps: f64,
    weight_decay: f64,
    clip: f64,
    #[serde(skip_serializing_if = "PrecisionSpec::is_f32")]
    precision: PrecisionSpec,
    keep: Keep,
    /// Where it decides which weights are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluate_every: Option<u64>,
}

impl TrainIdentity {
    fn new(train: &TrainSpec) -> Self {
        // Named one by one, so that a new key cannot be forgotten here.
        let TrainSpec {
            steps,
            // Paid out in steps.
            budget: _,
            batch,
            context,
            accumulate,
            shuffle,
            lr,
            betas,
            eps,
            weight_decay,
            clip,
            precision,
            // Beside this table, as what the whole run is computed on.
            device: _,
            keep,
            checkpoint_every: _,
            evaluate_every,
            gradients_every: _,
            tensorboard: _,
        } = train;
        let mut lr = lr.clone();
        if lr.decay == Decay::Constant {
            lr.floor = Span::Percent(0.0);
        }
        Self {
            steps: *steps,
            batch: *batch,
            context: *context,
            accumulate: *accumulate,
            shuffle: *shuffle,
            lr,
            betas: *betas,
            eps: *eps,
            weight_decay: *weight_decay,
            clip: *clip,
            precision: *precision,
            keep: *keep,
            evaluate_every: evaluate_every.filter(|_| *keep == Keep::Best),
        }
    }
}

/// What trains tokenizers, where it is not version 0.22.2 of the tokenizers crate, which stands for
/// itself in every id: another may cut some texts into other words. A test holds it against
/// Cargo.lock.
pub const TOKENIZER_TRAINER: Option<&str> = None;

fn tokenizer(tokenizer: &TokenizerSpec, fingerprint: &str) -> Json {
    match tokenizer {
        TokenizerSpec::Train { vocab_size } => {
            let mut identity = json!({ "source": "train", "vocab_size": vocab_size });
            if let Some(trainer) = TOKENIZER_TRAINER {
                identity["trainer"] = trainer.into();
            }
            identity
        }
        TokenizerSpec::Dir { path: _ } => json!({ "source": "dir", "files": fingerprint }),
        TokenizerSpec::Hub { repo, revision: _ } => {
            json!({ "source": "hub", "repo": repo, "commit": fingerprint })
        }
    }
}

fn teacher(spec: &RunSpec, inputs: &Fingerprints) -> Json {
    match &spec.teacher {
        TeacherSpec::Train {
            layers,
            width,
            heads,
            seed,
            train,
            precision: _,
        } => json!({
            "source": "train", "layers": layers, "width": width, "heads": heads, "seed": seed,
            "train": TrainIdentity::new(train),
        }),
        TeacherSpec::Dir {
            path: _,
            precision: _,
        } => json!({ "source": "dir", "files": inputs.teacher }),
        TeacherSpec::Hub {
            repo,
            revision: _,
            precision: _,
        } => json!({ "source": "hub", "repo": repo, "commit": inputs.teacher }),
    }
}

/// The terms; a critic that is never warmed up has no warm-up.
fn losses(spec: &RunSpec) -> BTreeMap<String, Term> {
    let mut loss = spec.loss.clone();
    if spec.balance == BalanceSpec::None {
        let critics = loss.values_mut().filter_map(Term::critic_mut);
        critics.for_each(|critic| critic.warmup = 0);
    }
    loss
}

/// What the run's id is the hash of; `unmatched` where the map could not be resolved.
pub fn identity(spec: &RunSpec, inputs: &Fingerprints, unmatched: Option<&Strategy>) -> Json {
    let hidden = spec.loss.values().any(Term::is_hidden);
    let map = match unmatched {
        Some(strategy) => MatchIdentity::Unresolved(strategy),
        None => MatchIdentity::Map(&spec.matching),
    };
    let student = &spec.student;
    json!(Identity {
        numerics: NUMERICS_VERSION,
        device: spec.train.device.kind(),
        precision: spec.train.precision,
        teacher_precision: spec.teacher.precision(),
        seed: spec.seed,
        dataset: dataset(&spec.dataset, &inputs.dataset),
        tokenizer: tokenizer(&spec.tokenizer, &inputs.tokenizer),
        teacher: teacher(spec, inputs),
        student: StudentIdentity {
            layers: student.layers,
            width: student.width,
            heads: student.heads,
            init: student.init,
            blocks: student.init_blocks.as_ref(),
            weights: student.init_dir.as_ref().map(|_| inputs.student.as_str()),
        },
        matching: hidden.then_some(map),
        loss: losses(spec),
        balance: &spec.balance,
        train: TrainIdentity::new(&spec.train),
    })
}

/// The first 12 hexadecimal digits of the SHA-256 of the JSON on one line.
pub fn key(identity: &Json) -> String {
    digest::sha256(identity.to_string().as_bytes())[..12].to_owned()
}

/// Key of the teacher: of one that is trained, its data and its table; of another, its fingerprint.
pub fn teacher_key(spec: &RunSpec, inputs: &Fingerprints) -> String {
    let own = teacher(spec, inputs);
    match &spec.teacher {
        TeacherSpec::Train { train, .. } => key(&json!({
            "numerics": NUMERICS_VERSION, "device": train.device.kind(),
            "precision": train.precision,
            "dataset": dataset(&spec.dataset, &inputs.dataset),
            "tokenizer": tokenizer(&spec.tokenizer, &inputs.tokenizer), "teacher": own,
        })),
        TeacherSpec::Dir { .. } | TeacherSpec::Hub { .. } => key(&json!({ "teacher": own })),
    }
}

/// Key of an evaluation, below its run.
pub fn evaluation_key(evaluate: &EvaluateSpec, inputs: &Fingerprints) -> String {
    key(&json!({ "evaluation": EVALUATION_VERSION, "evaluate": measured(evaluate, inputs) }))
}

/// `[evaluate]`, the items of its tasks by what they are: files by what they hold, a dataset of the
/// hub by its commit.
fn measured(evaluate: &EvaluateSpec, inputs: &Fingerprints) -> Json {
    let mut measured = json!(evaluate);
    for (name, fingerprint) in &inputs.tasks {
        let source = evaluate.tasks.get(name).and_then(TaskSpec::source);
        let task = &mut measured["tasks"][name.as_str()];
        match source {
            Some(ItemSource::Hub(HubItems {
                repo,
                revision: _,
                configs,
                split,
            })) => {
                *task = json!({
                    "kind": task["kind"], "repo": repo, "configs": configs, "split": split,
                    "commit": fingerprint,
                });
            }
            Some(ItemSource::Grammar(_) | ItemSource::Files(_)) | None => {
                if let Some(keys) = task.as_object_mut() {
                    keys.remove("files");
                    keys.insert("content".to_owned(), fingerprint.clone().into());
                }
            }
        }
    }
    measured
}

/// Key of the teacher's evaluation, below its teacher: one teacher may be measured on several
/// texts.
pub fn teacher_evaluation_key(spec: &RunSpec, inputs: &Fingerprints) -> String {
    let mut identity = json!({
        "evaluation": EVALUATION_VERSION, "evaluate": measured(&spec.evaluate, inputs),
        "dataset": dataset(&spec.dataset, &inputs.dataset),
        "tokenizer": tokenizer(&spec.tokenizer, &inputs.tokenizer),
    });
    // A teacher that came trained is the same on every device, and its last digits are not.
    if !spec.train.device.is_cpu() {
        identity["device"] = spec.train.device.kind().into();
    }
    key(&identity)
}

/// Runs of one key see the same batches with the same teacher in the same order. `balance` is as
/// written, also where a run without hidden terms does not use it, so that it can go with the
/// others.
pub fn group_key(spec: &RunSpec, inputs: &Fingerprints, balance: &BalanceSpec) -> String {
    let batches = match balance {
        BalanceSpec::None => 0,
        BalanceSpec::Gradient { batches, .. } => *batches,
    };
    let train = &spec.train;
    // The teacher's pass is shared, the student's is not.
    let teacher = match spec.teacher.precision() {
        PrecisionSpec::F32 => teacher_key(spec, inputs),
        other => format!("{} {other:?}", teacher_key(spec, inputs)),
    };
    key(&json!({
        "teacher": teacher, "dataset": dataset(&spec.dataset, &inputs.dataset),
        "tokenizer": tokenizer(&spec.tokenizer, &inputs.tokenizer), "seed": spec.seed,
        "batch": train.batch, "context": train.context, "accumulate": train.accumulate,
        "shuffle": train.shuffle, "balance": batches,
    }))
}
