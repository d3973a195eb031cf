//! Losses on predictions, and scores of tokens, on the card: logits of some tokens by a product, a
//! block for each row of them, gradients by products. The logits of neither model are ever whole in
//! memory.

use cudarc::driver::{CudaSlice, DeviceRepr};
use dfdx::prelude::*;

use super::api::Address;
use super::card::{Argument, CardValue, at, card, double, int, word};
use super::host;
use super::losses::precomputed;
use super::operand::{CardOperand, operand_bytes};
use super::product::CardProduct;
use crate::ops::logit_terms::{LogitTerm, TeacherHead, TokenScore, assert_shapes};
use crate::ops::{Head, Mat, Precision, Scalar};

/// Logits of one model that are in memory at a time. Few in tests, so that they come to several
/// chunks.
const CHUNK_ELEMENTS: usize = if cfg!(test) { 1 << 10 } else { 1 << 26 };
/// Rows that a product's kernels take at a time, or a multiple.
const TILE: usize = 128;

/// Rows of logits lie so many numbers apart, of which the last are nobody's: where an odd number of
/// them follow each other cuBLAS takes kernels of older cards.
fn stride_of(vocabulary: usize) -> usize {
    vocabulary.next_multiple_of(64)
}

/// A term as the kernel reads it.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
struct CardTerm {
    kind: i32,
    temperature: f32,
    factor: f32,
}

// SAFETY: three numbers of four bytes, as the kernel's struct has them.
unsafe impl DeviceRepr for CardTerm {}

impl CardTerm {
    /// None where the kernel does not know the term.
    fn new(&(term, factor): &(LogitTerm, f64), tokens: usize) -> Option<Self> {
        let factor = (factor / tokens as f64) as f32;
        Some(match term {
            LogitTerm::Lm => Self {
                kind: 0,
                temperature: 1.0,
                factor,
            },
            LogitTerm::Kl {
                temperature,
                reverse,
            } => Self {
                kind: if reverse { 2 } else { 1 },
                temperature: temperature as f32,
                factor,
            },
            LogitTerm::SkewKl { .. }
            | LogitTerm::Js { .. }
            | LogitTerm::Tv { .. }
            | LogitTerm::Mse
            | LogitTerm::Wasserstein { .. } => return None,
        })
    }
}

/// A model's hidden states and head as operands of a product, and the logits of some tokens.
struct CardLogits {
    hidden: CardOperand,
    head: CardOperand,
    precision: Precision,
    /// V and C.
    sizes: [usize; 2],
    values: CudaSlice<f32>,
}

impl CardLogits {
    fn new(hidden: &Mat<Cuda>, head: Head<Cuda>, chunk: usize) -> Self {
        let (vocabulary, width) = *head.matrix.shape();
        Self {
            hidden: CardOperand::of(hidden, head.precision),
            head: CardOperand::of_weight(head.matrix, head.precision),
            precision: head.precision,
            sizes: [vocabulary, width],
            values: card().scratch(chunk * stride_of(vocabulary)),
        }
    }

    /// Where the hidden states from a token on are.
    fn states(&self, start: usize) -> Address {
        let bytes = operand_bytes(self.precision);
        self.hidden.address() + (start * self.sizes[1] * bytes) as u64
    }

    /// The logits of `count` tokens from `start` on.
    fn fill(&self, start: usize, count: usize) -> Address {
        let [vocabulary, width] = self.sizes;
        let shape = CardProduct::new([count, width, vocabulary], [false, true], self.precision)
            .strides([width, width, stride_of(vocabulary)]);
        // SAFETY: `assert_shapes` holds the sizes; there is room for as many logits.
        unsafe {
            let (states, head) = (self.states(start), self.head.address());
            card().product(shape, states, head, at(&self.values));
        }
        at(&self.values)
    }
}

/// Tokens of a chunk.
fn chunk_tokens(vocabulary: usize, tokens: usize) -> usize {
    even_chunk(tokens, (CHUNK_ELEMENTS / stride_of(vocabulary)).max(1))
}

/// The size of the chunks that tokens are cut into where one has `most` of them at most: as few
/// chunks as can be, as even as whole tiles allow.
fn even_chunk(tokens: usize, most: usize) -> usize {
    let tile = if most < TILE { 1 } else { TILE };
    let most = most - most % tile;
    let even = tokens.div_ceil(tokens.div_ceil(most));
    even.next_multiple_of(tile).min(tokens)
}

/// See [`crate::ops::Losses::logit_losses`].
pub(super) fn logit_losses<T: Tape<f32, Cuda>>(
    hidden: Mat<Cuda, T>,
    head: Head<Cuda>,
    targets: &[u32],
    teacher: Option<TeacherHead<'_, Cuda>>,
    terms: &[(LogitTerm, f64)],
) -> (Scalar<Cuda, T>, Vec<CardValue>) {
    assert_shapes(&hidden, head, targets, teacher, terms);
    let (vocabulary, tokens) = (head.matrix.shape().0, targets.len());
    let known = terms.iter().map(|term| CardTerm::new(term, tokens));
    let Some(laid_out) = known.collect::<Option<Vec<CardTerm>>>() else {
        return host::logit_losses(hidden, head, targets, teacher, terms);
    };
    let (hidden, tape) = hidden.split_tape();
    let is_weighted = T::OWNS_TAPE && terms.iter().any(|&(_, factor)| factor != 0.0);
    let chunk = chunk_tokens(vocabulary, tokens);
    let student = CardLogits::new(&hidden, head, chunk);
    let teacher = teacher
        .filter(|_| terms.iter().any(|(term, _)| term.needs_teacher()))
        .map(|teacher| CardLogits::new(teacher.hidden, teacher.head, chunk));
    let (laid_out, ids) = (card().upload(laid_out), card().upload(targets.to_vec()));
    let by_row = card().scratch::<f64>(tokens * terms.len());
    let mut slopes = is_weighted.then(|| LogitSlopes::new(&student, tokens, chunk));
    for start in (0..tokens).step_by(chunk) {
        let count = chunk.min(tokens - start);
        let own = student.fill(start, count);
        let other = teacher
            .as_ref()
            .map_or(0, |teacher| teacher.fill(start, count));
        let [plain, rounded] = ChunkSlopes::places(slopes.as_ref().map(|slopes| &slopes.chunk));
        let arguments = [
            int(vocabulary),
            int(stride_of(vocabulary)),
            int(terms.len()),
            word(at(&laid_out)),
            word(at(&ids) + (start * size_of::<u32>()) as u64),
            word(own),
            word(other),
            plain,
            rounded,
            word(at(&by_row) + (start * terms.len() * size_of::<f64>()) as u64),
        ];
        // SAFETY: the sizes are those of `assert_shapes`.
        unsafe { card().launch("logit_rows", (count, 1), 256, &arguments) };
        if let Some(slopes) = &mut slopes {
            slopes.add_chunk(start, count, &student);
        }
    }
    let (values, place) = means(tokens, terms.len(), &by_row);
    let factors: Vec<f64> = terms.iter().map(|&(_, factor)| factor).collect();
    let gradients = slopes.map_or_else(Vec::new, |slopes| {
        vec![(hidden, slopes.hidden), (head.matrix.clone(), slopes.head)]
    });
    let device = head.matrix.device();
    (
        precomputed(tape, device, (&factors, place), gradients),
        values,
    )
}

/// The mean over tokens of every term's values.
fn means(tokens: usize, terms: usize, by_row: &CudaSlice<f64>) -> (Vec<CardValue>, Address) {
    let (values, place) = card().values(terms);
    let arguments = [
        int(tokens),
        int(terms),
        double(1.0 / tokens as f64),
        word(at(by_row)),
        word(place),
    ];
    // SAFETY: every token has a value of every term.
    unsafe { card().launch("sum_values", (1, 1), 256, &arguments) };
    (values, place)
}

/// The gradients of a chunk's logits, as products take them.
enum ChunkSlopes {
    Plain(CudaSlice<f32>),
    Rounded(CudaSlice<u16>),
}

impl ChunkSlopes {
    fn new(count: usize, precision: Precision) -> Self {
        match precision {
            Precision::F32 | Precision::Tf32 => Self::Plain(card().scratch(count)),
            Precision::Bf16 => Self::Rounded(card().scratch(count)),
        }
    }

    fn address(&self) -> Address {
        match self {
            Self::Plain(all) => at(all),
            Self::Rounded(all) => at(all),
        }
    }

    /// As the kernel takes them: one of two places, or none.
    fn places(chunk: Option<&Self>) -> [Argument; 2] {
        match chunk {
            None => [word(0), word(0)],
            Some(Self::Plain(all)) => [word(at(all)), word(0)],
            Some(Self::Rounded(all)) => [word(0), word(at(all))],
        }
    }
}

/// The gradients of the logits of a chunk, of the hidden states (N, C) and of the head (V, C).
struct LogitSlopes {
    chunk: ChunkSlopes,
    hidden: CudaSlice<f32>,
    head: CudaSlice<f32>,
    is_first: bool,
}

impl LogitSlopes {
    fn new(student: &CardLogits, tokens: usize, chunk: usize) -> Self {
        let [vocabulary, width] = student.sizes;
        Self {
            chunk: ChunkSlopes::new(chunk * stride_of(vocabulary), student.precision),
            hidden: card().scratch(tokens * width),
            head: card().scratch(vocabulary * width),
            is_first: true,
        }
    }

    /// What the tokens from `start` on add.
    fn add_chunk(&mut self, start: usize, count: usize, student: &CardLogits) {
        let ([vocabulary, width], precision) = (student.sizes, student.precision);
        let strides = [stride_of(vocabulary), width, width];
        let own = CardProduct::new([count, vocabulary, width], [false, false], precision);
        let own = own.strides(strides);
        let outer = CardProduct::new([vocabulary, count, width], [true, false], precision);
        let outer = outer.strides(strides);
        let outer = CardProduct {
            accumulate: !self.is_first,
            ..outer
        };
        self.is_first = false;
        let into = at(&self.hidden) + (start * width * size_of::<f32>()) as u64;
        // SAFETY: the sizes are those of `assert_shapes`.
        unsafe {
            let slopes = self.chunk.address();
            card().product(own, slopes, student.head.address(), into);
            card().product(outer, slopes, student.states(start), at(&self.head));
        }
    }
}

/// The logits behind the last of some hidden states, once they are computed.
pub(super) fn last_logits(hidden: &Mat<Cuda>, head: Head<Cuda>) -> Vec<f32> {
    assert_eq!(hidden.shape().1, head.matrix.shape().1, "one width");
    let logits = CardLogits::new(hidden, head, 1);
    logits.fill(hidden.shape().0 - 1, 1);
    let mut values = card().download(&logits.values);
    values.truncate(head.matrix.shape().0);
    values
}

/// See [`crate::ops::Losses::score`].
pub(super) fn score(
    hidden: &Mat<Cuda>,
    head: Head<Cuda>,
    targets: &[u32],
    teacher: Option<TeacherHead<'_, Cuda>>,
) -> Vec<TokenScore> {
    assert_shapes(hidden, head, targets, teacher, &[]);
    let (vocabulary, tokens) = (head.matrix.shape().0, targets.len());
    let chunk = chunk_tokens(vocabulary, tokens);
    let student = CardLogits::new(hidden, head, chunk);
    let teacher = teacher.map(|teacher| CardLogits::new(teacher.hidden, teacher.head, chunk));
    let (ids, scores) = (
        card().upload(targets.to_vec()),
        card().scratch::<f64>(3 * tokens),
    );
    for start in (0..tokens).step_by(chunk) {
        let count = chunk.min(tokens - start);
        let own = student.fill(start, count);
        let other = teacher
            .as_ref()
            .map_or(0, |teacher| teacher.fill(start, count));
        let arguments = [
            int(vocabulary),
            int(stride_of(vocabulary)),
            word(at(&ids) + (start * size_of::<u32>()) as u64),
            word(own),
            word(other),
            word(at(&scores) + (3 * start * size_of::<f64>()) as u64),
        ];
        // SAFETY: as above.
        unsafe { card().launch("score_rows", (count, 1), 256, &arguments) };
    }
    let has_teacher = teacher.is_some();
    let score = |&[log_probability, kl, agrees]: &[f64; 3]| TokenScore {
        log_probability,
        kl,
        agrees: has_teacher && agrees == 1.0,
    };
    let all = card().download(&scores);
    all.as_chunks().0.iter().map(score).collect()
}

#[cfg(test)]
#[path = "logits_tests.rs"]
mod tests;
