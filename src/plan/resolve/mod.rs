//! From one merged cell to the run it is: what only the values together show is checked, and what
//! depends on the teacher's depth is resolved.
//!
//! [`resolve`] is called twice for every cell: by `read_run` with the facts that the spec itself
//! has, and by `planning` with those of the inputs.

mod attention;
mod dataset;
mod device;
mod losses;
mod paths;
mod shapes;
mod student;
mod tasks;

use super::matching::Strategy;
use super::planned::TeacherFact;
use super::run::{
    BalanceSpec, Decay, KnownPrecisions, Matching, PrecisionSpec, RunSpec, TeacherSpec, Term,
    TokenPairing, TokenizerSpec, TrainSpec, tenth_of,
};
use super::schedule::Span;
use super::spec_layers::On;
use super::words::quoted_list;
use super::written::WrittenRun;

use attention::check_attention;
use dataset::check_dataset;
use device::resolve_device;
use losses::resolve_losses;
use paths::check_paths;
use shapes::check_shapes;
use student::resolve_student;
use tasks::check_tasks;

/// A mistake of one cell, still without its place.
#[derive(Debug)]
pub struct Problem {
    /// Dotted key that is marked.
    pub key: String,
    pub on: On,
    pub message: String,
    pub hint: String,
}

/// A key that has no effect in one cell.
#[derive(Debug)]
pub struct UnusedKey {
    pub key: String,
    /// What is written instead of a use for it, as `balance.mode = "none"`.
    pub reason: String,
}

/// Facts as far as they are known.
#[derive(Debug, Default, Clone)]
pub struct KnownFacts {
    pub teacher: Option<TeacherFact>,
    pub vocabulary: Option<usize>,
    /// Tokens that any text may have, where the vocabulary has more.
    pub own_vocabulary: Option<usize>,
    pub init: Option<TeacherFact>,
    /// Bytes of validation and test.
    pub held_out_bytes: Option<[u64; 2]>,
    /// Bytes of what tasks ask.
    pub task_bytes: u64,
    /// What the device of the study multiplies beside f32.
    pub precisions: Option<KnownPrecisions>,
}

/// One run, and what is wrong with it.
#[derive(Debug)]
pub struct Resolved {
    pub spec: RunSpec,
    /// The map is still the strategy's name: the teacher's depth is not known.
    pub unmatched: Option<Strategy>,
    pub problems: Vec<Problem>,
    pub unused: Vec<UnusedKey>,
}

/// The facts that the spec itself has: of a teacher that is trained, and of a tokenizer that is.
pub fn known_from_spec(run: &WrittenRun) -> KnownFacts {
    let teacher = match &run.teacher {
        TeacherSpec::Train {
            layers,
            width,
            heads,
            train,
            ..
        } => Some(TeacherFact {
            fingerprint: String::new(),
            layers: *layers,
            width: *width,
            heads: *heads,
            positions: train.context,
            vocabulary: None,
            inner: width.saturating_mul(4),
            tied: true,
        }),
        TeacherSpec::Dir { .. } | TeacherSpec::Hub { .. } => None,
    };
    let vocabulary = match &run.tokenizer {
        TokenizerSpec::Train { vocab_size } => Some(*vocab_size),
        TokenizerSpec::Dir { .. } | TokenizerSpec::Hub { .. } => None,
    };
    KnownFacts {
        teacher,
        vocabulary,
        own_vocabulary: vocabulary,
        init: None,
        held_out_bytes: None,
        task_bytes: 0,
        precisions: None,
    }
}

/// What is found while a cell is resolved.
#[derive(Default)]
struct CellReport {
    problems: Vec<Problem>,
    unused: Vec<UnusedKey>,
}

impl CellReport {
    fn problem(&mut self, key: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem {
            key: key.to_owned(),
            on: On::Value,
            message: message.into(),
            hint: hint.into(),
        });
    }

    fn unused(&mut self, key: String, reason: String) {
        self.unused.push(UnusedKey { key, reason });
    }
}

/// Resolves a cell with what is known.
pub fn resolve(run: &WrittenRun, known: &KnownFacts) -> Resolved {
    let mut report = CellReport::default();
    check_dataset(&run.dataset, &mut report);
    check_paths(run, &mut report);
    check_tasks(&run.evaluate, &mut report);
    check_shapes(run, known, &mut report);
    let loss = resolve_losses(run, &mut report);
    let (matching, unmatched) = resolve_matching(run, known, &mut report);
    check_attention(run, known, &matching, &mut report);
    let mut train = run.train.clone();
    resolve_floor("train", &mut train, &mut report);
    resolve_looks(&mut train);
    let mut teacher = run.teacher.clone();
    if let Some(train) = teacher.train_mut() {
        resolve_floor("teacher.train", train, &mut report);
        resolve_looks(train);
    }
    resolve_precision("train", &mut train.precision, known, &mut report);
    resolve_precision("teacher", teacher.precision_mut(), known, &mut report);
    if let Some(train) = teacher.train_mut() {
        resolve_precision("teacher.train", &mut train.precision, known, &mut report);
    }
    resolve_device(&train, &mut teacher, &loss, &run.matching, &mut report);
    let student = resolve_student(run, known, &mut report);
    let balance = resolve_balance(run, &mut report);
    let spec = RunSpec {
        seed: run.seed,
        dataset: run.dataset.clone(),
        tokenizer: run.tokenizer.clone(),
        teacher,
        student,
        matching,
        loss,
        balance,
        train,
        evaluate: run.evaluate.completed(),
    };
    Resolved {
        spec,
        unmatched,
        problems: report.problems,
        unused: report.unused,
    }
}

/// The layer map, or the strategy where it needs a teacher whose depth is not known yet. A run
/// without hidden terms has no map.
fn resolve_matching(
    run: &WrittenRun,
    known: &KnownFacts,
    report: &mut CellReport,
) -> (Matching, Option<Strategy>) {
    let no_pairs = Matching::Pairs {
        pairs: Vec::new(),
        tokens: TokenPairing::Paired,
    };
    if !run.loss.values().any(Term::is_hidden) {
        return (no_pairs, None);
    }
    check_products(run, report);
    check_critics(run, report);
    let Some(teacher) = &known.teacher else {
        return (no_pairs, Some(run.matching.clone()));
    };
    let resolved = run
        .matching
        .resolve(run.student.layers, teacher.layers, run.seed);
    match resolved {
        Ok(matching) => (matching, None),
        Err((message, hint)) => {
            let key = if message.starts_with("match.pairs") {
                "match.pairs"
            } else {
                "match.strategy"
            };
            report.problem(key, message, hint);
            (no_pairs, None)
        }
    }
}

/// The map by attention takes products of states, so both have to be of one width.
fn check_products(run: &WrittenRun, report: &mut CellReport) {
    if !matches!(run.matching, Strategy::Attention { .. }) {
        return;
    }
    let unprojected = run
        .loss
        .iter()
        .filter(|(_, term)| term.is_hidden() && !term.is_projected());
    for (name, _) in unprojected {
        report.problem(
            &format!("loss.{name}.kind"),
            "match.strategy = \"attention\" weighs the teacher's layers by products with the \
             student's states, which this loss does not bring to the teacher's width"
                .to_owned(),
            "take a loss that projects, such as \"hidden.mse\", or another strategy",
        );
    }
}

/// A transport between layers asks for the loss of every pair of them, and a critic is of one.
fn check_critics(run: &WrittenRun, report: &mut CellReport) {
    if !matches!(run.matching, Strategy::Emd { .. }) {
        return;
    }
    let with_critics = run.loss.iter().filter(|(_, term)| term.critic().is_some());
    for (name, _) in with_critics {
        report.problem(
            &format!("loss.{name}.kind"),
            "match.strategy = \"emd\" takes the loss of every pair of layers, and a critic is \
             trained for one"
                .to_owned(),
            "take a loss without a critic, such as \"hidden.energy\", or another strategy",
        );
    }
}

/// The balance, whose reference has to be an enabled term on the predictions. A run without hidden
/// terms has nothing to balance.
fn resolve_balance(run: &WrittenRun, report: &mut CellReport) -> BalanceSpec {
    if !run.loss.values().any(Term::is_hidden) {
        return BalanceSpec::None;
    }
    match &run.balance {
        BalanceSpec::None => {}
        BalanceSpec::Gradient { reference, .. } => {
            let others: Vec<&str> = run
                .loss
                .iter()
                .filter(|(_, term)| !term.is_hidden())
                .map(|(name, _)| name.as_str())
                .collect();
            if !others.contains(&reference.as_str()) {
                let message = format!(
                    "balance.reference = \"{reference}\" is not an enabled loss on the predictions"
                );
                let hint = match others.as_slice() {
                    [] => "add one, such as [loss.kl] with kind = \"logits.kl\", or write \
                           balance.mode = \"none\""
                        .to_owned(),
                    names => format!("write reference = {}", quoted_list(names)),
                };
                report.problem("balance.reference", message, hint);
            }
        }
    }
    run.balance.clone()
}

/// A learning rate that stays at its peak has the peak as its floor, whatever is written.
fn resolve_floor(table: &str, train: &mut TrainSpec, report: &mut CellReport) {
    let peak = Span::Percent(100.0);
    if train.lr.decay == Decay::Constant && std::mem::replace(&mut train.lr.floor, peak) != peak {
        report.unused(
            format!("{table}.lr.floor"),
            format!("{table}.lr.decay = \"constant\""),
        );
    }
}

/// How often the validation split is looked at, where nothing is written.
fn resolve_looks(train: &mut TrainSpec) {
    train.evaluate_every.get_or_insert(tenth_of(train.steps));
}

/// What a precision comes to on this machine.
fn resolve_precision(
    table: &str,
    precision: &mut PrecisionSpec,
    known: &KnownFacts,
    report: &mut CellReport,
) {
    let Some(known) = known.precisions else {
        return;
    };
    *precision = precision.on(known);
    if *precision == PrecisionSpec::Tf32 && !known.tf32 {
        report.problem(
            &format!("{table}.precision"),
            format!("{table}.precision = \"tf32\" needs an NVIDIA GPU, and this is the processor"),
            "write precision = \"f32\", or \"tf32-or-f32\" for whatever the device has, or \
             train.device = \"cuda:0\"",
        );
    }
    if *precision == PrecisionSpec::Bf16 && !known.bf16 {
        report.problem(
            &format!("{table}.precision"),
            format!(
                "{table}.precision = \"bf16\" needs a processor with AVX512-BF16, which this one \
                 is not"
            ),
            "write precision = \"f32\", or \"bf16-or-f32\" for whatever the machine has",
        );
    }
}
