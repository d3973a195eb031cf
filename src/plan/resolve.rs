//! From one merged cell to the run it is: what only the values together show is checked, and what
//! depends on the teacher's depth is resolved.

use std::collections::BTreeMap;

use super::layers::On;
use super::matching::{Strategy, init_blocks};
use super::planned::TeacherFact;
use super::run::{
    BalanceSpec, CriticSpec, DatasetSpec, Decay, Init, InitBlocks, Lipschitz, Matching,
    PrecisionSpec, Rows, RunSpec, StudentSpec, TeacherSpec, Term, TokenizerSpec, TrainSpec,
};
use super::schedule::{Schedule, Span, percentage};
use super::words::list_of;
use super::written::WrittenRun;

/// λ of the gradient penalty where none is written (arXiv 1704.00028).
const PENALTY: f64 = 10.0;
/// Bound of a clipped critic's parameters where none is written (arXiv 1701.07875).
const CLIP: f64 = 0.01;

/// A mistake of one cell, still without its place.
#[derive(Debug)]
pub struct Problem {
    /// Dotted key that is marked.
    pub key: String,
    pub on: On,
    pub message: String,
    pub hint: String,
}

/// Facts as far as they are known.
#[derive(Debug, Default, Clone)]
pub struct Known {
    pub teacher: Option<TeacherFact>,
    pub vocabulary: Option<usize>,
    pub init: Option<TeacherFact>,
    /// Whether this machine multiplies bfloat16.
    pub bf16: Option<bool>,
}

/// One run, and what is wrong with it.
#[derive(Debug)]
pub struct Resolved {
    pub spec: RunSpec,
    /// The map is still the strategy's name: the teacher's depth is not known.
    pub unmatched: Option<Strategy>,
    pub problems: Vec<Problem>,
    /// Keys without effect here, with the reason.
    pub idle: Vec<(String, String)>,
}

/// The facts that the spec itself has: of a teacher that is trained, and of a tokenizer that is.
pub fn known_from_spec(run: &WrittenRun) -> Known {
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
    Known {
        teacher,
        vocabulary,
        init: None,
        bf16: None,
    }
}

struct CellProblems(Vec<Problem>);

impl CellProblems {
    fn add(&mut self, key: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.0.push(Problem {
            key: key.to_owned(),
            on: On::Value,
            message: message.into(),
            hint: hint.into(),
        });
    }
}

/// Resolves a cell with what is known.
pub fn resolve(run: &WrittenRun, known: &Known) -> Resolved {
    let mut problems = CellProblems(Vec::new());
    let mut idle = Vec::new();
    let hidden = run.loss.values().any(Term::is_hidden);
    check_dataset(&run.dataset, &mut problems);
    check_shapes(run, known, &mut problems);
    let loss = resolve_losses(run, &mut problems, &mut idle);
    let (matching, unmatched) = match (&known.teacher, hidden) {
        (_, false) => (Matching::Pairs { pairs: Vec::new() }, None),
        (None, true) => (
            Matching::Pairs { pairs: Vec::new() },
            Some(run.matching.clone()),
        ),
        (Some(teacher), true) => {
            match run
                .matching
                .resolve(run.student.layers, teacher.layers, run.seed)
            {
                Ok(matching) => (matching, None),
                Err((message, hint)) => {
                    let key = if message.starts_with("match.pairs") {
                        "match.pairs"
                    } else {
                        "match.strategy"
                    };
                    problems.add(key, message, hint);
                    (Matching::Pairs { pairs: Vec::new() }, None)
                }
            }
        }
    };
    let mut train = run.train.clone();
    level_floor("train", &mut train, &mut idle);
    let mut teacher = run.teacher.clone();
    if let TeacherSpec::Train { train, .. } = &mut teacher {
        level_floor("teacher.train", train, &mut idle);
    }
    resolve_precision("train", &mut train.precision, known, &mut problems);
    resolve_precision("teacher", teacher.precision_mut(), known, &mut problems);
    if let TeacherSpec::Train { train, .. } = &mut teacher {
        resolve_precision("teacher.train", &mut train.precision, known, &mut problems);
    }
    let student = resolve_student(run, known, &mut problems, &mut idle);
    let balance = if hidden {
        run.balance.clone()
    } else {
        BalanceSpec::None
    };
    if let BalanceSpec::Gradient { reference, .. } = &balance {
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
                names => format!("write reference = {}", list_of(names)),
            };
            problems.add("balance.reference", message, hint);
        }
    }
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
        evaluate: run.evaluate.clone(),
    };
    Resolved {
        spec,
        unmatched,
        problems: problems.0,
        idle,
    }
}

/// A learning rate that stays at its peak has the peak as its floor, whatever is written.
fn level_floor(table: &str, train: &mut TrainSpec, idle: &mut Vec<(String, String)>) {
    let level = Span::Percent(100.0);
    if train.lr.decay == Decay::Constant && std::mem::replace(&mut train.lr.floor, level) != level {
        idle.push((
            format!("{table}.lr.floor"),
            format!("{table}.lr.decay = \"constant\""),
        ));
    }
}

/// What a precision comes to on this machine.
fn resolve_precision(
    table: &str,
    precision: &mut PrecisionSpec,
    known: &Known,
    problems: &mut CellProblems,
) {
    let Some(has_bf16) = known.bf16 else { return };
    *precision = precision.on(has_bf16);
    if *precision == PrecisionSpec::Bf16 && !has_bf16 {
        problems.add(
            &format!("{table}.precision"),
            format!(
                "{table}.precision = \"bf16\" needs a processor with AVX512-BF16, which this one \
                 is not"
            ),
            "write precision = \"f32\", or \"bf16-or-f32\" for whatever the machine has",
        );
    }
}

fn check_dataset(dataset: &DatasetSpec, problems: &mut CellProblems) {
    let DatasetSpec::Hub {
        train,
        validation,
        test,
        rows,
        ..
    } = dataset
    else {
        return;
    };
    if train.ends_with('%') {
        problems.add(
            "dataset.train",
            format!("dataset.train = \"{train}\" is a share, not a split of the hub"),
            "write the split, such as \"train\"",
        );
    }
    let mut total = 0.0;
    for (key, split) in [("validation", validation), ("test", test)] {
        if split.ends_with('%') {
            match percentage(split) {
                Some(share) if share > 0.0 && *rows == Rows::Lines => problems.add(
                    &format!("dataset.{key}"),
                    format!(
                        "dataset.{key} = \"{split}\" is a share of the documents, and with \
                         dataset.rows = \"lines\" all rows are one"
                    ),
                    "write rows = \"documents\", or name a split of the hub",
                ),
                Some(share) if share > 0.0 => total += share,
                _ => {
                    let message = format!(
                        "dataset.{key} = \"{split}\" is not a percentage between 0% and 100%"
                    );
                    problems.add(
                        &format!("dataset.{key}"),
                        message,
                        "write a share such as \"0.5%\"",
                    );
                }
            }
        }
    }
    if total >= 100.0 {
        problems.add(
            "dataset.validation",
            "dataset.validation and dataset.test take all of the training documents",
            "write smaller shares",
        );
    }
}

fn check_shapes(run: &WrittenRun, known: &Known, problems: &mut CellProblems) {
    let student = &run.student;
    let mut shapes = vec![("student", student.width, student.heads)];
    if let TeacherSpec::Train { width, heads, .. } = &run.teacher {
        shapes.push(("teacher", *width, *heads));
    }
    for (who, width, heads) in shapes {
        if !width.is_multiple_of(heads) {
            let message = format!("{who}.heads = {heads} does not divide {who}.width = {width}");
            let below = (1..=heads)
                .rev()
                .find(|heads| width.is_multiple_of(*heads))
                .unwrap_or(1);
            problems.add(
                &format!("{who}.heads"),
                message,
                format!(
                    "write heads = {below}, or width = {}",
                    width.next_multiple_of(heads)
                ),
            );
        }
    }
    let evaluate = &run.evaluate;
    if evaluate.stride > evaluate.context {
        let message = format!(
            "evaluate.stride = {} is more than evaluate.context = {}: tokens between would not be \
             scored",
            evaluate.stride, evaluate.context
        );
        problems.add(
            "evaluate.stride",
            message,
            format!("write stride = {} or less", evaluate.context),
        );
    }
    if evaluate.embed_tokens > evaluate.probe_tokens {
        let message = format!(
            "evaluate.embed_tokens = {} is more than evaluate.probe_tokens = {}",
            evaluate.embed_tokens, evaluate.probe_tokens
        );
        problems.add(
            "evaluate.embed_tokens",
            message,
            format!("write embed_tokens = {} or less", evaluate.probe_tokens),
        );
    }
    let Some(teacher) = &known.teacher else {
        return;
    };
    let of_table = if matches!(run.teacher, TeacherSpec::Train { .. }) {
        " (teacher.train.context)"
    } else {
        ""
    };
    for (key, context) in [
        ("train.context", run.train.context),
        ("evaluate.context", evaluate.context),
    ] {
        if context > teacher.positions {
            let message = format!(
                "{key} = {context} is longer than the teacher's {} positions{of_table}",
                teacher.positions
            );
            problems.add(
                key,
                message,
                format!("write context = {} or less", teacher.positions),
            );
        }
    }
    if let (Some(tokens), Some(of_teacher)) = (known.vocabulary, teacher.vocabulary)
        && !is_padded(tokens, of_teacher)
    {
        let message =
            format!("the tokenizer has {tokens} tokens, and the teacher's vocabulary {of_teacher}");
        problems.add(
            "tokenizer.source",
            message,
            "take the tokenizer that the teacher was trained with",
        );
    }
}

/// Whether a model of `rows` rows belongs to a tokenizer of `tokens` tokens: as many, or that
/// number rounded up to a multiple of 8 … 128, as models are padded for speed (GPT-2's 50257 to
/// 50304).
///
/// Padding is harmless: no text has its ids, the student gets the same rows, and every softmax runs
/// over all of them for teacher and student alike. Any other difference, even of a larger model,
/// most likely means another tokenizer, under which every id stands for something else: that would
/// be silent nonsense.
fn is_padded(tokens: usize, rows: usize) -> bool {
    tokens == rows
        || [8, 16, 32, 64, 128]
            .iter()
            .any(|&block| tokens.next_multiple_of(block) == rows)
}

fn resolve_losses(
    run: &WrittenRun,
    problems: &mut CellProblems,
    idle: &mut Vec<(String, String)>,
) -> BTreeMap<String, Term> {
    if run.loss.is_empty() {
        problems.0.push(Problem {
            key: "loss".to_owned(),
            on: On::Key,
            message: "no loss is enabled".to_owned(),
            hint: "add one, such as [loss.lm] with kind = \"lm\"".to_owned(),
        });
    }
    let mut loss = run.loss.clone();
    for (name, term) in &mut loss {
        let steps = run.train.steps;
        check_schedule(
            &format!("loss.{name}.weight"),
            term.weight(),
            Allowed::NotNegative,
            steps,
            problems,
        );
        if let Some(temperature) = term.temperature() {
            check_schedule(
                &format!("loss.{name}.temperature"),
                temperature,
                Allowed::Positive,
                steps,
                problems,
            );
        }
        if let Some(critic) = term.critic_mut() {
            resolve_critic(name, critic, &run.balance, idle);
        }
    }
    loss
}

/// Completes a critic with what its constraint takes, and takes out what has no effect.
fn resolve_critic(
    name: &str,
    critic: &mut CriticSpec,
    balance: &BalanceSpec,
    idle: &mut Vec<(String, String)>,
) {
    let reason = format!("lipschitz = \"{}\"", critic.lipschitz.name());
    let (penalty, clip) = match critic.lipschitz {
        Lipschitz::GradientPenalty => (Some(PENALTY), None),
        Lipschitz::Spectral => (None, None),
        Lipschitz::Clip => (None, Some(CLIP)),
    };
    let values = [
        ("penalty", &mut critic.penalty, penalty),
        ("clip", &mut critic.clip, clip),
    ];
    for (key, value, default) in values {
        match default {
            Some(default) => {
                value.get_or_insert(default);
            }
            None if value.take().is_some() => {
                idle.push((format!("loss.{name}.critic.{key}"), reason.clone()));
            }
            None => {}
        }
    }
    // Resolved, it is what is done: no update before training.
    if *balance == BalanceSpec::None && std::mem::take(&mut critic.warmup) != 0 {
        idle.push((
            format!("loss.{name}.critic.warmup"),
            "balance.mode = \"none\"".to_owned(),
        ));
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Allowed {
    NotNegative,
    Positive,
}

fn check_schedule(
    key: &str,
    schedule: &Schedule,
    allowed: Allowed,
    steps: u64,
    problems: &mut CellProblems,
) {
    let values: Vec<(&str, f64)> = match schedule {
        Schedule::Constant(value) => vec![("", *value)],
        Schedule::Linear { from, to, .. }
        | Schedule::Cosine { from, to, .. }
        | Schedule::Exponential { from, to, .. }
        | Schedule::Step { from, to, .. } => vec![(".from", *from), (".to", *to)],
        Schedule::Piecewise { points } => points
            .iter()
            .map(|(_, value)| (".points", *value))
            .collect(),
    };
    let exponential = matches!(schedule, Schedule::Exponential { .. });
    for (end, value) in values {
        if exponential && value == 0.0 {
            let message = format!(
                "{key}{end} = 0 in an exponential schedule, which never reaches or leaves 0"
            );
            problems.add(
                &format!("{key}{end}"),
                message,
                "write a small number such as 0.001, or shape = \"linear\"",
            );
        } else if value < 0.0 || (allowed == Allowed::Positive && value == 0.0) {
            let bound = if allowed == Allowed::Positive {
                "more than 0"
            } else {
                "0 or more"
            };
            let end = if matches!(schedule, Schedule::Constant(_)) {
                ""
            } else {
                end
            };
            problems.add(
                &format!("{key}{end}"),
                format!("{key}{end} = {value} is out of range"),
                format!("write a number that is {bound}"),
            );
        }
    }
    if let Schedule::Piecewise { points } = schedule
        && let Some(pair) = points
            .windows(2)
            .find(|pair| pair[1].0.steps(steps) < pair[0].0.steps(steps))
    {
        let at = |point: usize| pair[point].0.steps(steps);
        let message = format!("{key}.points go back from step {} to step {}", at(0), at(1));
        problems.add(
            &format!("{key}.points"),
            message,
            "write the points in the order of their steps",
        );
    }
}

fn resolve_student(
    run: &WrittenRun,
    known: &Known,
    problems: &mut CellProblems,
    idle: &mut Vec<(String, String)>,
) -> StudentSpec {
    let mut student = run.student.clone();
    let init = match student.init {
        Init::Random => "random",
        Init::Teacher => "teacher",
        Init::Dir => "dir",
    };
    let reason = format!("student.init = \"{init}\"");
    if student.init != Init::Teacher && student.init_blocks.take().is_some() {
        idle.push(("student.init_blocks".to_owned(), reason.clone()));
    }
    if student.init != Init::Dir && student.init_dir.take().is_some() {
        idle.push(("student.init_dir".to_owned(), reason));
    }
    match student.init {
        Init::Random => {}
        Init::Teacher => {
            if let Some(teacher) = &known.teacher {
                for (key, own, of_teacher) in [
                    ("width", student.width, teacher.width),
                    ("heads", student.heads, teacher.heads),
                ] {
                    if own != of_teacher {
                        let message = format!(
                            "student.init = \"teacher\" with student.{key} = {own} and a teacher \
                             of {key} {of_teacher}"
                        );
                        problems.add(
                            "student.init",
                            message,
                            format!("write init = \"random\", or {key} = {of_teacher}"),
                        );
                    }
                }
                match init_blocks(student.init_blocks.as_ref(), student.layers, teacher.layers) {
                    Ok(blocks) => student.init_blocks = Some(InitBlocks::List(blocks)),
                    Err((message, hint)) => problems.add("student.init_blocks", message, hint),
                }
            }
        }
        Init::Dir => match (&student.init_dir, &known.init) {
            (None, _) => problems.add(
                "student.init",
                "student.init = \"dir\" without student.init_dir",
                "write init_dir = \"FOLDER\"",
            ),
            (Some(_), None) => {}
            (Some(_), Some(found)) => {
                let shape = [
                    ("layers", student.layers, found.layers),
                    ("width", student.width, found.width),
                    ("heads", student.heads, found.heads),
                ];
                for (key, own, there) in shape {
                    if own != there {
                        let message = format!(
                            "student.{key} = {own}, and the model in student.init_dir has {there}"
                        );
                        problems.add(
                            &format!("student.{key}"),
                            message,
                            format!("write {key} = {there}"),
                        );
                    }
                }
                // The student has its teacher's rows, padding included.
                let padded = |tokens| {
                    known
                        .teacher
                        .as_ref()?
                        .vocabulary
                        .filter(|&rows| rows > tokens && is_padded(tokens, rows))
                };
                if let (Some(tokens), Some(there)) = (known.vocabulary, found.vocabulary)
                    && padded(tokens).unwrap_or(tokens) != there
                {
                    let of_teacher = padded(tokens).map_or_else(String::new, |rows| {
                        format!(", the teacher a vocabulary of {rows}")
                    });
                    let message = format!(
                        "the tokenizer has {tokens} tokens{of_teacher}, and the model in \
                         student.init_dir a vocabulary of {there}"
                    );
                    problems.add(
                        "student.init_dir",
                        message,
                        "take a model that was trained with this tokenizer",
                    );
                }
                if let Some(teacher) = &known.teacher
                    && teacher.positions != found.positions
                {
                    let message = format!(
                        "the teacher has {} positions, and the model in student.init_dir {}",
                        teacher.positions, found.positions
                    );
                    problems.add(
                        "student.init_dir",
                        message,
                        "a student has its teacher's positions",
                    );
                }
            }
        },
    }
    student
}
