//! Logit terms and scores on the CPU, in chunks of tokens: logits by matrix product, then one walk
//! over each row, then gradients by matrix product.
//!
//! A chunk's logits are overwritten by their gradient, and the gradients of hidden states and head
//! are summed chunk by chunk in the forward pass; the backward pass only scales them. Chunks have a
//! size that does not depend on the number of threads. What happens in a row is in
//! [`super::logit_rows`].

use dfdx::prelude::*;
use rayon::prelude::*;

use super::logit_rows::{Scratch, Terms, largest};
use super::matmul::product;
use super::product::Product;
use super::tape::{self, precomputed};
use crate::ops::logit_terms::{LogitTerm, TeacherHead, TokenScore, assert_shapes};
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

/// See [`crate::ops::Backend::SharedLogits`].
#[derive(Debug)]
pub struct SharedLogits {
    /// Row by row.
    values: Vec<f32>,
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

/// A model's hidden states and head, and the logits of a chunk that come from them.
struct ModelLogits<'a> {
    hidden: &'a [f32],
    head: Head<'a, Cpu>,
    shared: &'a [f32],
    logits: Vec<f32>,
}

impl<'a> ModelLogits<'a> {
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
    losses_of(hidden, head, targets, teacher, terms, true)
}

/// See [`crate::ops::Losses::lens`].
pub fn lens<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    head: Head<Cpu>,
    teacher: TeacherHead<'_, Cpu>,
    temperature: f64,
) -> (Scalar<Cpu, T>, f64) {
    let term = LogitTerm::Kl {
        temperature,
        reverse: false,
    };
    // Nothing looks at the targets.
    let targets = vec![0; x.shape().0];
    let (loss, values) = losses_of(x, head, &targets, Some(teacher), &[(term, 1.0)], false);
    (loss, values[0])
}

/// The same; the gradient of the head is left out unless it is asked for.
fn losses_of<T: Tape<f32, Cpu>>(
    hidden: Mat<Cpu, T>,
    head: Head<Cpu>,
    targets: &[u32],
    teacher: Option<TeacherHead<'_, Cpu>>,
    terms: &[(LogitTerm, f64)],
    is_head_trained: bool,
) -> (Scalar<Cpu, T>, Vec<f64>) {
    assert_shapes(&hidden, head, targets, teacher, terms);
    let (vocabulary, tokens) = (head.matrix.shape().0, targets.len());
    let is_weighted = terms.iter().any(|&(_, factor)| factor != 0.0);
    let row_terms = Terms::new(terms, tokens, T::OWNS_TAPE && is_weighted);
    let mut student = ModelLogits::new(&hidden, head);
    let mut teacher = teacher
        .filter(|_| row_terms.needs_teacher())
        .map(ModelLogits::of_teacher);
    let mut gradients = row_terms
        .gradient
        .then(|| LogitGradients::zeros(tokens, head, is_head_trained));
    let mut scratches: Vec<Scratch> = (0..2 * rayon::current_num_threads())
        .map(|_| Scratch::new(&row_terms, vocabulary))
        .collect();
    let mut values = vec![0.0f64; terms.len()];
    for start in (0..tokens).step_by(chunk_tokens(vocabulary)) {
        let end = tokens.min(start + chunk_tokens(vocabulary));
        student.fill(start, end - start);
        let compared = teacher
            .as_mut()
            .map(|teacher| teacher.fill(start, end - start));
        let logits = &mut student.logits[..(end - start) * vocabulary];
        let targets = &targets[start..end];
        walk_rows(
            &row_terms,
            &mut scratches,
            logits,
            compared,
            targets,
            &mut values,
        );
        if let Some(gradients) = &mut gradients {
            gradients.add_chunk(start, logits, student.hidden, head);
        }
    }
    values.iter_mut().for_each(|value| *value /= tokens as f64);
    let total = values
        .iter()
        .zip(terms)
        .map(|(value, (_, factor))| factor * value)
        .sum();
    let (hidden, tape) = hidden.split_tape();
    let gradients = gradients.map_or_else(Vec::new, |gradients| {
        let of_head = gradients
            .head
            .map(|gradient| (head.matrix.clone(), gradient));
        let of_hidden = std::iter::once((hidden, gradients.hidden));
        of_hidden.chain(of_head).collect()
    });
    let loss = precomputed(tape, head.matrix.device(), total, gradients);
    (loss, values)
}

/// Adds the terms' values of a chunk's tokens to `values`, token by token; where gradients are
/// asked for, each row of `logits` (tokens, V) becomes its gradient. Every scratch serves a block
/// of rows.
fn walk_rows(
    terms: &Terms,
    scratches: &mut [Scratch],
    logits: &mut [f32],
    teacher: Option<&[f32]>,
    targets: &[u32],
    values: &mut [f64],
) {
    let (count, vocabulary) = (values.len(), logits.len() / targets.len());
    if count == 0 {
        return;
    }
    let mut row_values = vec![0.0f64; targets.len() * count];
    let rows = targets.len().div_ceil(scratches.len());
    let blocks = logits
        .par_chunks_mut(rows * vocabulary)
        .zip(row_values.par_chunks_mut(rows * count))
        .zip(scratches.par_iter_mut())
        .enumerate();
    blocks.for_each(|(block, ((logits, values), scratch))| {
        let pairs = logits
            .chunks_exact_mut(vocabulary)
            .zip(values.chunks_exact_mut(count));
        for (i, (logits, values)) in pairs.enumerate() {
            let row = block * rows + i;
            let teacher = teacher
                .map(|all| &all[row * vocabulary..(row + 1) * vocabulary])
                .unwrap_or_default();
            terms.row(scratch, logits, teacher, targets[row] as usize, values);
            if terms.gradient {
                logits.copy_from_slice(&scratch.gradient);
            }
        }
    });
    for row in row_values.chunks_exact(count) {
        values
            .iter_mut()
            .zip(row)
            .for_each(|(sum, value)| *sum += value);
    }
}

/// The gradients of the hidden states (N, C) and, where it is trained, of the head (V, C).
struct LogitGradients {
    hidden: Vec<f32>,
    head: Option<Vec<f32>>,
}

impl LogitGradients {
    fn zeros(tokens: usize, head: Head<Cpu>, is_head_trained: bool) -> Self {
        let (vocabulary, width) = *head.matrix.shape();
        Self {
            hidden: vec![0.0; tokens * width],
            head: is_head_trained.then(|| vec![0.0; vocabulary * width]),
        }
    }

    /// What the tokens from `start` on add, for the gradients `slopes` (tokens, V) of their logits.
    fn add_chunk(&mut self, start: usize, slopes: &[f32], hidden: &[f32], head: Head<Cpu>) {
        let (vocabulary, width) = *head.matrix.shape();
        let count = slopes.len() / vocabulary;
        let part = start * width..(start + count) * width;
        product(
            Product::new(count, vocabulary, width).precision(head.precision),
            slopes,
            tape::values(head.matrix),
            &mut self.hidden[part.clone()],
        );
        let Some(of_head) = &mut self.head else {
            return;
        };
        let outer = Product::new(vocabulary, count, width)
            .left_transposed()
            .accumulate()
            .precision(head.precision);
        product(outer, slopes, &hidden[part], of_head);
    }
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
    let mut student = ModelLogits::new(hidden, head);
    let mut teacher = teacher.map(ModelLogits::of_teacher);
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
    let row_terms = Terms::new(&terms[..if teacher.is_some() { 2 } else { 1 }], 1, false);
    let row = |scratch: &mut Scratch, (row, &target): (usize, &u32)| {
        let part = row * vocabulary..(row + 1) * vocabulary;
        let (student, teacher) = (
            &student[part.clone()],
            teacher.map(|teacher| &teacher[part]),
        );
        let mut values = [0.0; 2];
        row_terms.row(
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
        .map_init(|| Scratch::new(&row_terms, vocabulary), row)
        .collect()
}

#[cfg(test)]
#[path = "logits_tests.rs"]
mod tests;
