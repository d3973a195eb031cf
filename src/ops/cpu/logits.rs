//! Logit terms and scores on the CPU, in chunks of tokens: logits by matrix product, then one walk
//! over each row, then gradients by matrix product.
//!
//! A chunk's logits are overwritten by their gradient, and the gradients of hidden states and head
//! are summed chunk by chunk in the forward pass; the backward pass only scales them. Chunks have a
//! size that does not depend on the number of threads. What happens in a row is in [`super::logit_rows`].

use dfdx::prelude::*;
use rayon::prelude::*;

use super::logit_rows::{Scratch, Terms, largest};
use super::matmul::product;
use super::product::Product;
use super::tape::{self, precomputed};
use crate::ops::logit_terms::{LogitTerm, SharedLogits, TeacherHead, TokenScore, assert_shapes};
use crate::ops::{Head, Mat, Scalar};

/// Elements of a chunk's logits: few enough to stay near the caches, unless that left too few rows
/// for efficient products.
const CHUNK_ELEMENTS: usize = 1 << 21;
/// Tokens of a chunk at least and at most.
const CHUNK_TOKENS: std::ops::RangeInclusive<usize> = 256..=512;
/// Elements of shared logits at most: 64 MiB.
const SHARED_ELEMENTS: usize = 1 << 24;

/// Tokens of a chunk over a vocabulary.
fn chunk_tokens(vocabulary: usize) -> usize {
    (CHUNK_ELEMENTS / vocabulary).clamp(*CHUNK_TOKENS.start(), *CHUNK_TOKENS.end())
}

/// See [`crate::ops::Losses::share_logits`].
pub fn share_logits(hidden: &Mat<Cpu>, head: Head<Cpu>) -> SharedLogits {
    let (vocabulary, width) = *head.matrix.shape();
    let (tokens, chunk) = (hidden.shape().0, chunk_tokens(vocabulary));
    // Whole chunks, so that each number comes from the product that it would come from otherwise.
    let rows = if tokens * vocabulary <= SHARED_ELEMENTS {
        tokens
    } else {
        SHARED_ELEMENTS / vocabulary / chunk * chunk
    };
    let mut values = vec![0.0; rows * vocabulary];
    for (part, states) in values
        .chunks_mut(chunk * vocabulary)
        .zip(tape::values(hidden).chunks(chunk * width))
    {
        chunk_logits(states, head, part);
    }
    SharedLogits { values }
}

/// hidden·headᵀ for the tokens of a chunk.
fn chunk_logits(hidden: &[f32], head: Head<Cpu>, logits: &mut [f32]) {
    let (vocabulary, width) = *head.matrix.shape();
    let shape = Product::new(hidden.len() / width, width, vocabulary)
        .right_transposed()
        .precision(head.precision);
    product(shape, hidden, tape::values(head.matrix), logits);
}

/// The buffers of a model's side: hidden states, head, and the logits of a chunk.
struct Side<'a> {
    hidden: &'a [f32],
    head: Head<'a, Cpu>,
    shared: &'a [f32],
    logits: Vec<f32>,
}

impl<'a> Side<'a> {
    fn new<T: Tape<f32, Cpu>>(hidden: &'a Mat<Cpu, T>, head: Head<'a, Cpu>) -> Self {
        Self {
            hidden: tape::values(hidden),
            head,
            shared: &[],
            logits: Vec::new(),
        }
    }

    fn of_teacher(teacher: TeacherHead<'a, Cpu>) -> Self {
        let shared = teacher.shared.map_or(&[][..], |shared| &shared.values);
        Self {
            shared,
            ..Self::new(teacher.hidden, teacher.head)
        }
    }

    /// The logits of `count` tokens from `start` on.
    fn fill(&mut self, start: usize, count: usize) -> &[f32] {
        let (vocabulary, width) = *self.head.matrix.shape();
        if let Some(logits) = self
            .shared
            .get(start * vocabulary..(start + count) * vocabulary)
        {
            return logits;
        }
        if self.logits.len() < count * vocabulary {
            // The first chunk is the longest.
            self.logits = vec![0.0; count * vocabulary];
        }
        let logits = &mut self.logits[..count * vocabulary];
        chunk_logits(
            &self.hidden[start * width..(start + count) * width],
            self.head,
            logits,
        );
        logits
    }
}

/// See [`crate::ops::Losses::logit_losses`].
pub fn logit_losses<T: Tape<f32, Cpu>>(
    hidden: Mat<Cpu, T>,
    head: Head<Cpu>,
    targets: &[u32],
    teacher: Option<TeacherHead<'_, Cpu>>,
    terms: &[(LogitTerm, f64)],
) -> (Scalar<Cpu, T>, Vec<f64>) {
    assert_shapes(&hidden, head, targets, teacher, terms);
    let (vocabulary, width) = *head.matrix.shape();
    let tokens = targets.len();
    let plan = Terms::new(
        terms,
        tokens,
        T::OWNS_TAPE && terms.iter().any(|&(_, factor)| factor != 0.0),
    );
    let mut student = Side::new(&hidden, head);
    let mut teacher = teacher
        .filter(|_| plan.needs_teacher())
        .map(Side::of_teacher);
    let mut gradients = if plan.gradient {
        [
            vec![0.0f32; tokens * width],
            vec![0.0f32; vocabulary * width],
        ]
    } else {
        [Vec::new(), Vec::new()]
    };
    let tasks = 2 * rayon::current_num_threads();
    let mut scratches: Vec<Scratch> = (0..tasks)
        .map(|_| Scratch::new(&plan, vocabulary))
        .collect();
    let mut values = vec![0.0f64; terms.len()];
    for start in (0..tokens).step_by(chunk_tokens(vocabulary)) {
        let count = chunk_tokens(vocabulary).min(tokens - start);
        student.fill(start, count);
        let compared = teacher.as_mut().map(|teacher| teacher.fill(start, count));
        let mut row_values = vec![0.0f64; count * terms.len()];
        if !terms.is_empty() {
            let rows = count.div_ceil(tasks);
            let blocks = student.logits[..count * vocabulary]
                .par_chunks_mut(rows * vocabulary)
                .zip(row_values.par_chunks_mut(rows * terms.len()));
            blocks.zip(scratches.par_iter_mut()).enumerate().for_each(
                |(block, ((logits, values), scratch))| {
                    for (i, (logits, values)) in logits
                        .chunks_exact_mut(vocabulary)
                        .zip(values.chunks_exact_mut(terms.len()))
                        .enumerate()
                    {
                        let row = block * rows + i;
                        let teacher = compared
                            .map(|all| &all[row * vocabulary..(row + 1) * vocabulary])
                            .unwrap_or_default();
                        plan.row(
                            scratch,
                            logits,
                            teacher,
                            targets[start + row] as usize,
                            values,
                        );
                        if plan.gradient {
                            logits.copy_from_slice(&scratch.gradient);
                        }
                    }
                },
            );
        }
        for row in row_values.chunks_exact(terms.len().max(1)) {
            values
                .iter_mut()
                .zip(row)
                .for_each(|(sum, value)| *sum += value);
        }
        if plan.gradient {
            let part = start * width..(start + count) * width;
            let logits = &student.logits[..count * vocabulary];
            product(
                Product::new(count, vocabulary, width).precision(head.precision),
                logits,
                tape::values(head.matrix),
                &mut gradients[0][part.clone()],
            );
            product(
                Product::new(vocabulary, count, width)
                    .left_transposed()
                    .accumulate()
                    .precision(head.precision),
                logits,
                &student.hidden[part],
                &mut gradients[1],
            );
        }
    }
    values.iter_mut().for_each(|value| *value /= tokens as f64);
    let total = values
        .iter()
        .zip(terms)
        .map(|(value, (_, factor))| factor * value)
        .sum();
    let (hidden, tape) = hidden.split_tape();
    let [hidden_gradient, head_gradient] = gradients;
    let gradients = if plan.gradient {
        vec![
            (hidden, hidden_gradient),
            (head.matrix.clone(), head_gradient),
        ]
    } else {
        Vec::new()
    };
    (
        precomputed(tape, head.matrix.device(), total, gradients),
        values,
    )
}

/// See [`crate::ops::Losses::score`].
pub fn score(
    hidden: &Mat<Cpu>,
    head: Head<Cpu>,
    targets: &[u32],
    teacher: Option<TeacherHead<'_, Cpu>>,
) -> Vec<TokenScore> {
    assert_shapes(hidden, head, targets, teacher, &[]);
    let vocabulary = head.matrix.shape().0;
    let mut student = Side::new(hidden, head);
    let mut teacher = teacher.map(Side::of_teacher);
    let mut scores = Vec::with_capacity(targets.len());
    for start in (0..targets.len()).step_by(chunk_tokens(vocabulary)) {
        let count = chunk_tokens(vocabulary).min(targets.len() - start);
        let student = student.fill(start, count);
        let teacher = teacher.as_mut().map(|teacher| teacher.fill(start, count));
        scores.extend(score_rows(
            student,
            teacher,
            &targets[start..start + count],
            vocabulary,
        ));
    }
    scores
}

/// Scores of rows of logits.
pub(in crate::ops) fn score_rows(
    student: &[f32],
    teacher: Option<&[f32]>,
    targets: &[u32],
    vocabulary: usize,
) -> Vec<TokenScore> {
    let terms = [
        (LogitTerm::Lm, 1.0),
        (
            LogitTerm::Kl {
                temperature: 1.0,
                reverse: false,
            },
            1.0,
        ),
    ];
    let plan = Terms::new(&terms[..if teacher.is_some() { 2 } else { 1 }], 1, false);
    let row = |scratch: &mut Scratch, (row, &target): (usize, &u32)| {
        let part = row * vocabulary..(row + 1) * vocabulary;
        let (student, teacher) = (
            &student[part.clone()],
            teacher.map(|teacher| &teacher[part]),
        );
        let mut values = [0.0; 2];
        plan.row(
            scratch,
            student,
            teacher.unwrap_or_default(),
            target as usize,
            &mut values,
        );
        TokenScore {
            log_probability: -values[0],
            kl: values[1],
            agrees: teacher.is_some_and(|teacher| largest(teacher) == largest(student)),
        }
    };
    targets
        .par_iter()
        .enumerate()
        .map_init(|| Scratch::new(&plan, vocabulary), row)
        .collect()
}

#[cfg(test)]
#[path = "logits_tests.rs"]
mod tests;
