//! What a run will need, counted from its shapes before anything runs.
//!
//! Letters: L layers, C width, I inner width of the MLP, V vocabulary, P positions, T context, N =
//! batch·T tokens of a micro-batch.

use super::planned::Estimate;
use super::resolve::Known;
use super::run::{CriticSpec, Init, Matching, RunSpec, TeacherSpec, Term, TrainSpec};

/// Vocabulary that is assumed where none is known: GPT-2's own.
const VOCABULARY: usize = 50_257;
/// Tokens whose logits are held at a time.
const CHUNK: f64 = 512.0;
const FLOAT: f64 = 4.0;

/// A GPT-2's shape in numbers that cannot overflow.
#[derive(Clone, Copy)]
struct Gpt2Shape {
    layers: f64,
    width: f64,
    inner: f64,
    vocabulary: f64,
    positions: f64,
    /// Whether the head is the token embedding.
    tied: bool,
}

impl Gpt2Shape {
    /// (V + P)·C + L·(4C² + 2CI + 9C + I) + 2C, and V·C for a head of its own.
    fn parameters(self) -> f64 {
        let Self {
            layers,
            width,
            inner,
            vocabulary,
            positions,
            tied,
        } = self;
        let head = if tied { 0.0 } else { vocabulary * width };
        (vocabulary + positions) * width
            + layers * (4.0 * width * width + 2.0 * width * inner + 9.0 * width + inner)
            + 2.0 * width
            + head
    }

    /// Operations of a forward pass per token: 8C² + 4CI and 2C·(T + 1) a block, 2CV the head, a
    /// multiply-add counted as two.
    fn forward(self, context: f64) -> f64 {
        let Self {
            layers,
            width,
            inner,
            vocabulary,
            ..
        } = self;
        layers * (8.0 * width * width + 4.0 * width * inner + 2.0 * width * (context + 1.0))
            + 2.0 * width * vocabulary
    }

    /// Floats that a block keeps per token for its backward pass: both norms' inputs and outputs,
    /// queries, keys, values, the heads' output, the MLP before and after its activation.
    fn kept(self) -> f64 {
        self.layers * (8.0 * self.width + 2.0 * self.inner)
    }
}

/// Operations of a critic's forward pass per token.
fn critic_forward(critic: &CriticSpec, width: f64) -> f64 {
    let own = critic.width as f64;
    2.0 * (width * own + (critic.depth as f64 - 1.0) * own * own + own)
}

/// Estimates a run; with the teacher unknown, of the student alone.
pub fn estimate(spec: &RunSpec, known: &Known) -> Estimate {
    let teacher = known.teacher.as_ref();
    // The student has its teacher's rows where those are more than the tokens.
    let vocabulary = known
        .vocabulary
        .max(teacher.and_then(|teacher| teacher.vocabulary))
        .unwrap_or(VOCABULARY) as f64;
    let train = &spec.train;
    let context = train.context as f64;
    let positions = teacher.map_or(context, |teacher| teacher.positions as f64);
    let shape = |layers: usize, width: usize, inner: usize, tied: bool| Gpt2Shape {
        layers: layers as f64,
        width: width as f64,
        inner: inner as f64,
        vocabulary,
        positions,
        tied,
    };
    let of_teacher =
        teacher.map(|teacher| shape(teacher.layers, teacher.width, teacher.inner, teacher.tied));
    let (layers, width) = (spec.student.layers, spec.student.width);
    let taken_over = match spec.student.init {
        Init::Random => None,
        Init::Teacher => teacher,
        Init::Dir => known.init.as_ref(),
    };
    let (inner, tied) = taken_over.map_or((width.saturating_mul(4), true), |from| {
        (from.inner, from.tied)
    });
    let student = shape(layers, width, inner, tied);
    let tokens = train.batch as f64 * context;
    let micro_batches = train.steps as f64 * train.accumulate as f64;
    let needs_teacher = spec.loss.values().any(Term::needs_teacher);

    let mut flops = 3.0 * student.forward(context) * tokens * micro_batches;
    let mut memory =
        16.0 * student.parameters() + FLOAT * (tokens * student.kept() + 4.0 * CHUNK * vocabulary);
    let mut teacher_pass = 0.0;
    if let Some(shape) = of_teacher.filter(|_| needs_teacher) {
        teacher_pass = shape.forward(context) * tokens * micro_batches;
        flops += teacher_pass;
        memory += FLOAT * (shape.parameters() + tokens * shape.width * (10.0 + shape.layers));
    }
    let pairs = match &spec.matching {
        Matching::Pairs { pairs } => pairs.len() as f64,
        Matching::Random { .. } => student.layers,
    };
    let teacher_width = of_teacher.map_or(student.width, |shape| shape.width);
    for term in spec.loss.values().filter(|term| term.is_hidden()) {
        if teacher_width != student.width {
            flops += pairs * 6.0 * student.width * teacher_width * tokens * micro_batches;
            memory += pairs
                * FLOAT
                * (4.0 * student.width * teacher_width + 2.0 * tokens * teacher_width);
        }
        if let Some(critic) = term.critic() {
            let forward = critic_forward(critic, teacher_width);
            // Both clouds forward and backward; the penalty's gradient and its own backward are
            // about as much again.
            let update = if critic.lipschitz.has_gradient_penalty() {
                12.0
            } else {
                6.0
            } * forward
                * tokens;
            flops += pairs
                * (update * critic.steps as f64 * train.steps as f64
                    + 3.0 * forward * tokens * micro_batches);
            memory += pairs * FLOAT * 2.0 * forward
                + FLOAT * tokens * critic.width as f64 * critic.depth as f64 * 6.0;
        }
    }
    let training = match (&spec.teacher, of_teacher) {
        (TeacherSpec::Train { train, .. }, Some(shape)) => language_model_flops(shape, train),
        _ => 0.0,
    };
    let journal = 400.0 * train.steps as f64;
    Estimate {
        student_parameters: student.parameters() as u64,
        teacher_parameters: of_teacher.map_or(0, |shape| shape.parameters() as u64),
        memory_bytes: memory as u64,
        flops,
        teacher_pass_flops: teacher_pass,
        teacher_training_flops: training,
        kept_bytes: (student.parameters() * FLOAT + journal) as u64,
        disk_bytes: (student.parameters() * FLOAT * (1.0 + 2.0 * 3.0) + journal) as u64,
    }
}

fn language_model_flops(shape: Gpt2Shape, train: &TrainSpec) -> f64 {
    let context = train.context as f64;
    3.0 * shape.forward(context)
        * train.batch as f64
        * context
        * train.accumulate as f64
        * train.steps as f64
}

#[cfg(test)]
#[path = "estimate_tests.rs"]
mod tests;
