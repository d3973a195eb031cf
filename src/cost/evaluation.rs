//! The evaluation of a model: what it computes and holds, as a first idea of its time.
//!
//! Passes of models are counted from their shapes. What works on numbers that came back (exact
//! transport, t-SNE, text token by token) is no product of matrices: it is counted as the
//! operations that products would do in its time, measured once on a laptop's cores.

use super::{FLOAT_BYTES, Gpt2Shape};

/// Rows of a forward pass that scores.
const ROWS: f64 = 4096.0;
/// Tokens of a prompt.
const PROMPT: f64 = 24.0;
/// Products' operations in the time of a form of one pair of clouds, for each n³.
const TRANSPORT: f64 = 20.0;
/// Forms of a pair: raw and normalised.
const FORMS: f64 = 2.0;
/// Products' operations in the time of the t-SNE, for each point.
const EMBEDDING: f64 = 6e7;
/// How much longer a token takes that is written by itself.
const DECODING: f64 = 8.0;
/// Rounds of the measurement of speed, and tokens that each writes.
const ROUNDS: f64 = 4.0;
const WRITTEN: f64 = 32.0;
/// Matrices of n² numbers of eight bytes that a form of a pair holds.
const MATRICES: f64 = 3.0;

/// What it takes to measure one pair of clouds of so many tokens.
pub fn pair_flops(tokens: usize) -> f64 {
    FORMS * TRANSPORT * (tokens as f64).powi(3)
}

/// One evaluation in numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvaluationWork {
    pub model: Gpt2Shape,
    /// That of the model, where it is a student.
    pub teacher: Option<Gpt2Shape>,
    /// Tokens of the two splits.
    pub test_tokens: f64,
    pub validation_tokens: f64,
    pub context: usize,
    pub stride: usize,
    pub probe_tokens: usize,
    pub embed_tokens: usize,
    pub prompts: usize,
    pub sample_tokens: usize,
    pub treatment_tokens: usize,
    /// Pairs of states that the treatment is measured on.
    pub measured_pairs: usize,
    /// Tokens of the texts that tasks ask.
    pub task_tokens: f64,
}

/// What the parts of an evaluation take, in operations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvaluationFlops {
    /// For each token of the test split.
    pub test_token: f64,
    pub validation_token: f64,
    /// Both splits.
    pub perplexity: f64,
    pub states: f64,
    pub embedding: f64,
    pub samples: f64,
    /// The passes, and each pair.
    pub treatment_states: f64,
    pub measured_pair: f64,
    pub treatment: f64,
    pub speed: f64,
    pub tasks: f64,
}

impl EvaluationFlops {
    /// All of it.
    pub fn total(&self) -> f64 {
        let text = self.perplexity + self.samples + self.tasks;
        text + self.states + self.embedding + self.treatment + self.speed
    }
}

impl EvaluationWork {
    fn forward(&self, context: usize) -> (f64, f64) {
        let of = |shape: &Gpt2Shape| shape.forward_flops(context);
        (of(&self.model), self.teacher.as_ref().map_or(0.0, of))
    }

    /// What its parts take.
    pub fn flops(&self) -> EvaluationFlops {
        let (own, teacher) = self.forward(self.context);
        // Windows that overlap read a token several times.
        let reads = self.context as f64 / self.stride.max(1) as f64;
        let (test_token, validation_token) = (reads * (own + teacher), reads * own);
        let models = if self.teacher.is_some() { 2.0 } else { 1.0 };
        let tokens = self.treatment_tokens as f64;
        let treatment_states = tokens * (own + 2.0 * teacher.max(own / 2.0));
        let measured_pair = pair_flops(self.treatment_tokens);
        let written = self.prompts as f64 * (PROMPT + DECODING * self.sample_tokens as f64);
        EvaluationFlops {
            test_token,
            validation_token,
            perplexity: self.test_tokens * test_token + self.validation_tokens * validation_token,
            states: self.probe_tokens as f64 * (own + teacher),
            embedding: EMBEDDING * models * self.embed_tokens as f64,
            samples: written * (own + teacher),
            treatment_states,
            measured_pair,
            treatment: if tokens > 0.0 {
                treatment_states + self.measured_pairs as f64 * measured_pair
            } else {
                0.0
            },
            speed: ROUNDS * (self.context as f64 + DECODING * WRITTEN) * own,
            tasks: self.task_tokens * own,
        }
    }

    /// Bytes that it holds at most, where `threads` measure pairs side by side: weights, a pass,
    /// states and distances.
    pub fn memory(&self, threads: usize) -> f64 {
        let teacher = self.teacher.as_ref();
        let weights = self.model.weight_bytes() + teacher.map_or(0.0, Gpt2Shape::weight_bytes);
        let width = teacher.map_or(self.model.width, |teacher| {
            teacher.width.max(self.model.width)
        });
        let inner = teacher.map_or(self.model.inner, |teacher| {
            teacher.inner.max(self.model.inner)
        });
        let pass = FLOAT_BYTES * ROWS * (6.0 * width as f64 + inner as f64);
        let tokens = self.treatment_tokens as f64;
        let states = FLOAT_BYTES * tokens * width as f64 * 3.0 * (self.measured_pairs as f64);
        let side_by_side = threads.min(self.measured_pairs.max(1)) as f64;
        let distances = 8.0 * MATRICES * tokens * tokens * side_by_side;
        weights + pass.max(states + distances)
    }
}

#[cfg(test)]
#[path = "evaluation_tests.rs"]
mod tests;
