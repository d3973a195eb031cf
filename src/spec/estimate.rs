//! What a run will need, counted from its shapes before anything runs.
//!
//! Letters: L layers, C width, V vocabulary, P positions, T context, N = batch·T tokens of a micro-batch.

use super::plan::{Estimate, TeacherFact};
use super::run::{Critic, Lipschitz, Matching, RunSpec, Teacher, Term, Train};

/// Vocabulary that is assumed where none is known: GPT-2's own.
const VOCABULARY: usize = 50_257;
/// Tokens whose logits are held at a time.
const CHUNK: f64 = 512.0;
const FLOAT: f64 = 4.0;

/// A GPT-2's shape in numbers that cannot overflow.
#[derive(Clone, Copy)]
struct Shape {
    layers: f64,
    width: f64,
    vocabulary: f64,
    positions: f64,
}

impl Shape {
    /// (V + P)·C + L·(12C² + 13C) + 2C.
    fn parameters(self) -> f64 {
        let Self { layers, width, vocabulary, positions } = self;
        (vocabulary + positions) * width + layers * (12.0 * width * width + 13.0 * width) + 2.0 * width
    }

    /// Operations of a forward pass per token: 24C² and 2C·(T + 1) a block, 2CV the head, a multiply-add counted as two.
    fn forward(self, context: f64) -> f64 {
        self.layers * (24.0 * self.width * self.width + 2.0 * self.width * (context + 1.0)) + 2.0 * self.width * self.vocabulary
    }

    /// Floats that a block keeps per token for its backward pass: both norms' inputs and outputs, queries, keys, values, the heads' output, the MLP before and after GELU.
    fn kept(self) -> f64 {
        self.layers * 16.0 * self.width
    }
}

/// Operations of a critic's forward pass per token.
fn critic_forward(critic: &Critic, width: f64) -> f64 {
    let own = critic.width as f64;
    2.0 * (width * own + (critic.depth as f64 - 1.0) * own * own + own)
}

/// Estimates a run; with `teacher` unknown, of the student alone.
pub fn estimate(spec: &RunSpec, teacher: Option<&TeacherFact>, vocabulary: Option<usize>) -> Estimate {
    // The student has its teacher's rows where those are more than the tokens.
    let vocabulary = vocabulary.max(teacher.and_then(|teacher| teacher.vocabulary)).unwrap_or(VOCABULARY) as f64;
    let train = &spec.train;
    let context = train.context as f64;
    let positions = teacher.map_or(context, |teacher| teacher.positions as f64);
    let student = Shape { layers: spec.student.layers as f64, width: spec.student.width as f64, vocabulary, positions };
    let of_teacher = teacher.map(|teacher| Shape { layers: teacher.layers as f64, width: teacher.width as f64, vocabulary, positions });
    let tokens = train.batch as f64 * context;
    let micro_batches = train.steps as f64 * train.accumulate as f64;
    let needs_teacher = spec.loss.values().any(|term| !matches!(term, Term::Lm { .. }));

    let mut flops = 3.0 * student.forward(context) * tokens * micro_batches;
    let mut memory = 16.0 * student.parameters() + FLOAT * (tokens * student.kept() + 4.0 * CHUNK * vocabulary);
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
            memory += pairs * FLOAT * (4.0 * student.width * teacher_width + 2.0 * tokens * teacher_width);
        }
        if let Term::HiddenWasserstein { critic, .. } = term {
            let forward = critic_forward(critic, teacher_width);
            // Both clouds forward and backward; the penalty's gradient and its own backward are about as much again.
            let update = if critic.lipschitz == Lipschitz::GradientPenalty { 12.0 } else { 6.0 } * forward * tokens;
            flops += pairs * (update * critic.steps as f64 * train.steps as f64 + 3.0 * forward * tokens * micro_batches);
            memory += pairs * FLOAT * 2.0 * forward + FLOAT * tokens * critic.width as f64 * critic.depth as f64 * 6.0;
        }
    }
    let training = match (&spec.teacher, of_teacher) {
        (Teacher::Train { train, .. }, Some(shape)) => language_model_flops(shape, train),
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

fn language_model_flops(shape: Shape, train: &Train) -> f64 {
    let context = train.context as f64;
    3.0 * shape.forward(context) * train.batch as f64 * context * train.accumulate as f64 * train.steps as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpt2_has_124_million_parameters_and_the_flops_of_its_matrices() {
        let shape = Shape { layers: 12.0, width: 768.0, vocabulary: 50_257.0, positions: 1024.0 };
        assert_eq!(shape.parameters(), 124_439_808.0);
        let matrices = 2.0 * (12.0 * 12.0 * 768.0 * 768.0 + 50_257.0 * 768.0);
        let attention = 12.0 * 2.0 * 768.0 * 257.0;
        assert_eq!(shape.forward(256.0), matrices + attention);
    }
}
