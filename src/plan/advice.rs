//! Settings that are allowed and seldom meant: a word each, told with the plan.

use super::planned::TeacherFact;
use super::run::{CloudLoss, HiddenDistance, RunSpec, TeacherSpec, Term, TrainSpec};
use super::schedule::Schedule;

/// The highest learning rate that nobody needs to be asked about: AdamW moves every weight by up to
/// this much in a step.
const HIGH_RATE: f64 = 0.1;

/// Tokens of a micro-batch, for each coordinate of a state, below which CKA says little.
const TOKENS_A_COORDINATE: usize = 2;

/// What deserves a word in runs, each word once, with how many runs it is about.
#[derive(Debug, Default)]
pub struct Advice {
    found: Vec<(String, usize)>,
    runs: usize,
}

impl Advice {
    /// Looks at one run more; `teacher` is its teacher's shape, where that is known.
    pub fn look_at(&mut self, spec: &RunSpec, teacher: Option<&TeacherFact>) {
        self.runs += 1;
        for word in words_on(spec, teacher) {
            match self.found.iter_mut().find(|(known, _)| *known == word) {
                Some((_, count)) => *count += 1,
                None => self.found.push((word, 1)),
            }
        }
    }

    /// The words.
    pub fn notices(self) -> impl Iterator<Item = String> {
        let all = self.runs;
        self.found.into_iter().map(move |(word, count)| {
            if count == all {
                word
            } else {
                format!("{word} (in {count} of {all} runs)")
            }
        })
    }
}

fn words_on(spec: &RunSpec, teacher: Option<&TeacherFact>) -> Vec<String> {
    let mut words = words_on_training("train", &spec.train);
    words.extend(words_on_losses(spec));
    if let TeacherSpec::Train { train, .. } = &spec.teacher {
        words.extend(words_on_training("teacher.train", train));
    }
    if let Some(TeacherFact { layers, width, .. }) = teacher {
        let student = &spec.student;
        for (key, own, teacher) in [
            ("layers", student.layers, *layers),
            ("width", student.width, *width),
        ] {
            if own > teacher {
                words.push(format!(
                    "student.{key} = {own} is more than the teacher's {teacher}: the student is \
                     usually the smaller one"
                ));
            }
        }
        words.extend(words_on_cka(spec, student.width.max(*width)));
    }
    words
}

/// Weights and temperatures of which no step sees the end, and losses that all count nothing.
fn words_on_losses(spec: &RunSpec) -> Vec<String> {
    let steps = spec.train.steps;
    let mut words = Vec::new();
    for (name, term) in &spec.loss {
        let weight = ("weight", Some(term.weight()));
        for (key, schedule) in [weight, ("temperature", term.temperature())] {
            if let Some((at, end)) = schedule.and_then(|schedule| unreached_end(schedule, steps)) {
                words.push(format!(
                    "loss.{name}.{key} comes to {end} at step {at} and train.steps = {steps}: no \
                     step has it; a share such as \"50%\" goes along with the steps"
                ));
            }
        }
    }
    let is_nothing = |term: &Term| is_always_zero(term.weight(), steps);
    if !spec.loss.is_empty() && spec.loss.values().all(is_nothing) {
        words.push(
            "the weight of every loss is 0 at every step: the student learns nothing".to_owned(),
        );
    }
    words
}

/// The step at which a schedule comes to its end, and the value there, where the training is over
/// before. What slopes to the very end of it is as good as there; what jumps is not.
fn unreached_end(schedule: &Schedule, steps: u64) -> Option<(f64, f64)> {
    let (at, end, is_jump) = match schedule {
        Schedule::Constant(_) => return None,
        Schedule::Linear { to, over, .. }
        | Schedule::Cosine { to, over, .. }
        | Schedule::Exponential { to, over, .. } => (over.end(steps), *to, false),
        Schedule::Step { to, over, .. } => (over.end(steps), *to, true),
        Schedule::Piecewise { points } => {
            let (span, value) = points.last()?;
            (span.end(steps), *value, false)
        }
    };
    let all = steps as f64;
    let is_beyond = at > all || is_jump && at >= all;
    (is_beyond && schedule.at(steps - 1, steps) != end).then_some((at, end))
}

/// Whether a weight is 0 at every step: all shapes but that of points go one way between the first
/// and the last.
fn is_always_zero(weight: &Schedule, steps: u64) -> bool {
    let is_zero = |step: u64| weight.at(step, steps) == 0.0;
    let has_no_point = match weight {
        Schedule::Piecewise { points } => points
            .iter()
            .all(|(span, value)| *value == 0.0 || span.end(steps) >= steps as f64),
        Schedule::Constant(_)
        | Schedule::Linear { .. }
        | Schedule::Cosine { .. }
        | Schedule::Exponential { .. }
        | Schedule::Step { .. } => true,
    };
    has_no_point && is_zero(0) && is_zero(steps - 1)
}

/// CKA sees likeness in any two clouds of few vectors.
fn words_on_cka(spec: &RunSpec, width: usize) -> Vec<String> {
    let tokens = spec.train.batch * spec.train.context;
    if tokens >= TOKENS_A_COORDINATE * width {
        return Vec::new();
    }
    let is_cka = |term: &Term| {
        let loss = term.hidden();
        loss.is_some_and(|loss| loss.distance == HiddenDistance::Cloud(CloudLoss::Cka))
    };
    let terms = spec.loss.iter().filter(|(_, term)| is_cka(term));
    terms
        .map(|(name, _)| {
            format!(
                "loss.{name} compares {tokens} tokens of {width} coordinates: CKA of so few is \
                 high whatever the states are; a larger train.batch or train.context tells more"
            )
        })
        .collect()
}

fn words_on_training(table: &str, train: &TrainSpec) -> Vec<String> {
    let mut words = Vec::new();
    if train.context == 1 {
        words.push(format!(
            "{table}.context = 1: every window is a single token, so the model learns nothing of \
             what comes before it"
        ));
    }
    if train.lr.peak > HIGH_RATE {
        words.push(format!(
            "{table}.lr.peak = {}: AdamW moves every weight by up to that much in a step; usual \
             rates are 1e-5 to 1e-2",
            train.lr.peak
        ));
    }
    let warmup = train.lr.warmup.steps(train.steps).round();
    if warmup > train.steps as f64 {
        words.push(format!(
            "{table}.lr.warmup = {warmup} steps and {table}.steps = {}: the rate never comes to \
             its peak of {}; a share such as \"5%\" goes along with the steps",
            train.steps, train.lr.peak
        ));
    }
    words
}
