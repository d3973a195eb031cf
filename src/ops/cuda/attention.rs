//! Causal attention on the card: products of all heads at once, by arrays of addresses. T×T
//! matrices lie in a scratch of bounded size, and are made again in the backward pass.

use cudarc::driver::CudaSlice;
use dfdx::prelude::*;

use super::api::Address;
use super::buffers::{CardGradient, address, empty, record};
use super::card::{Argument, at, card, float, int, word};
use super::operand::{CardOperand, operand_bytes, rounded};
use super::product::CardProduct;
use crate::ops::{Mat, Precision};

/// Scores that are in memory at a time, unless one sequence has more. Few in tests, so that they
/// come to several parts.
const SCORES: usize = if cfg!(test) { 1 << 12 } else { 1 << 24 };
const FLOAT: usize = size_of::<f32>();

/// What the products of a call are computed in. cuBLAS cannot see how the addresses in an array are
/// aligned, and its kernels for tensor cores read 16 bytes at a time: eight rounded numbers, four
/// of f32. All matrices of heads begin at such places if a head has so many coordinates, or a
/// multiple, and a sequence so many rows; otherwise products take the numbers as they are, in TF32
/// where four fit, else in f32, and are as exact as was asked for or more so.
fn precision_of(asked: Precision, context: usize, head: usize) -> Precision {
    let fits = |count: usize| context.is_multiple_of(count) && head.is_multiple_of(count);
    match asked {
        Precision::Bf16 if fits(8) => Precision::Bf16,
        Precision::Bf16 | Precision::Tf32 if fits(4) => Precision::Tf32,
        Precision::F32 | Precision::Tf32 | Precision::Bf16 => Precision::F32,
    }
}

/// The shape of one call.
#[derive(Clone, Copy)]
struct HeadShape {
    sequences: usize,
    context: usize,
    heads: usize,
    /// C.
    width: usize,
    scale: f32,
    precision: Precision,
}

impl HeadShape {
    /// Coordinates of a head.
    fn head(self) -> usize {
        self.width / self.heads
    }

    /// Scores of a sequence.
    fn scores(self) -> usize {
        self.heads * self.context * self.context
    }

    /// Sequences that go together.
    fn together(self) -> usize {
        (SCORES / self.scores()).clamp(1, self.sequences)
    }

    /// Bytes of a number as products take it.
    fn bytes(self) -> usize {
        operand_bytes(self.precision)
    }

    /// A product of every head's (m, k) and (k, n) matrices.
    fn product(self, sizes: [usize; 3], transposed: [bool; 2], strides: [usize; 3]) -> CardProduct {
        CardProduct::new(sizes, transposed, self.precision).strides(strides)
    }
}

/// Some sequences, and the first of them.
#[derive(Clone, Copy)]
struct SequencePart {
    first: usize,
    count: usize,
}

/// Where a matrix of every head of a part is.
#[derive(Clone, Copy)]
struct HeadArray {
    /// Of the first sequence's first head.
    start: Address,
    /// Distances between sequences and between heads, in numbers.
    sequence: usize,
    head: usize,
    /// Of a number.
    bytes: usize,
}

/// Addresses of every head of a part, one array after the other.
struct HeadAddresses {
    all: CudaSlice<u64>,
    count: usize,
}

impl HeadAddresses {
    fn new(shape: HeadShape, part: SequencePart, arrays: &[HeadArray]) -> Self {
        let mut all = Vec::with_capacity(arrays.len() * part.count * shape.heads);
        for array in arrays {
            for s in 0..part.count {
                for h in 0..shape.heads {
                    let numbers = s * array.sequence + h * array.head;
                    all.push(array.start + (numbers * array.bytes) as u64);
                }
            }
        }
        Self {
            all: card().upload(all),
            count: part.count * shape.heads,
        }
    }

    fn array(&self, index: usize) -> Address {
        at(&self.all) + (index * self.count * size_of::<u64>()) as u64
    }

    /// # Safety
    /// As [`super::card::GpuCard::products`], of the arrays at those indices.
    unsafe fn products(&self, p: CardProduct, [left, right, out]: [usize; 3]) {
        let arrays = [self.array(left), self.array(right), self.array(out)];
        // SAFETY: as the caller promised.
        unsafe { card().products(p, self.count, arrays) };
    }
}

/// The T×T matrices of the heads of a part: what a product left, and, where products take them
/// rounded, what the next one takes.
struct HeadSquares {
    plain: CudaSlice<f32>,
    rounded: Option<CudaSlice<u16>>,
}

impl HeadSquares {
    /// Room for those of any part.
    fn new(shape: HeadShape) -> Self {
        let count = shape.together() * shape.scores();
        let is_rounded = match shape.precision {
            Precision::F32 | Precision::Tf32 => false,
            Precision::Bf16 => true,
        };
        Self {
            plain: card().scratch(count),
            rounded: is_rounded.then(|| card().scratch(count)),
        }
    }

    /// As a product leaves them.
    fn left(&self, shape: HeadShape) -> HeadArray {
        Self::array(shape, at(&self.plain), FLOAT)
    }

    /// As a product takes them.
    fn taken(&self, shape: HeadShape) -> HeadArray {
        let start = self.rounded.as_ref().map_or_else(|| at(&self.plain), at);
        Self::array(shape, start, shape.bytes())
    }

    fn array(shape: HeadShape, start: Address, bytes: usize) -> HeadArray {
        HeadArray {
            start,
            sequence: shape.scores(),
            head: shape.context * shape.context,
            bytes,
        }
    }

    /// As kernels take them.
    fn arguments(&self) -> [Argument; 2] {
        let rounded = self.rounded.as_ref().map_or(0, at);
        [word(at(&self.plain)), word(rounded)]
    }
}

/// See [`crate::ops::Layers::attention`].
pub(super) fn attention<T: Tape<f32, Cuda>>(
    qkv: Mat<Cuda, T>,
    context: usize,
    heads: usize,
    scale: f32,
    precision: Precision,
) -> Mat<Cuda, T> {
    let (rows, columns) = *qkv.shape();
    assert!(
        rows.is_multiple_of(context) && (columns / 3).is_multiple_of(heads),
        "whole sequences, and heads that divide the width"
    );
    let width = columns / 3;
    let shape = HeadShape {
        sequences: rows / context,
        context,
        heads,
        width,
        scale,
        precision: precision_of(precision, context, width / heads),
    };
    let (qkv, tape) = qkv.split_tape();
    let out = empty(qkv.device(), rows, width);
    let logs = card().scratch::<f32>(rows * heads);
    let place = CardGradient::of(&qkv);
    // What the backward pass keeps of queries, keys and values.
    let operand = CardOperand::of(&qkv, shape.precision);
    drop(qkv);
    let scores = HeadSquares::new(shape);
    let places = [operand.address(), address(&out)];
    for part in parts(shape) {
        // SAFETY: the shapes were checked.
        unsafe { forward(shape, part, places, &scores, &logs) };
    }
    record(tape, out, move |gradients, incoming| {
        let into = place.get(gradients)?;
        let (scores, slopes) = (HeadSquares::new(shape), HeadSquares::new(shape));
        let half = match shape.precision {
            Precision::F32 | Precision::Tf32 => None,
            // SAFETY: the incoming gradient has the shape of the output.
            Precision::Bf16 => Some(unsafe { rounded(rows * width, at(&incoming)) }),
        };
        let incoming = half.as_ref().map_or_else(|| at(&incoming), at);
        for part in parts(shape) {
            let places = [operand.address(), incoming, into];
            // SAFETY: as above; the gradient has the shape of its matrix.
            unsafe { backward(shape, part, places, [&scores, &slopes], &logs) };
        }
        Ok(())
    })
}

fn parts(shape: HeadShape) -> impl Iterator<Item = SequencePart> {
    let together = shape.together();
    (0..shape.sequences)
        .step_by(together)
        .map(move |first| SequencePart {
            first,
            count: together.min(shape.sequences - first),
        })
}

/// Queries, keys and values of a part's heads within rows of 3C numbers.
fn thirds(shape: HeadShape, part: SequencePart, start: Address, bytes: usize) -> [HeadArray; 3] {
    let sequence = shape.context * 3 * shape.width;
    [0, 1, 2].map(|third| {
        let numbers = part.first * sequence + third * shape.width;
        HeadArray {
            start: start + (numbers * bytes) as u64,
            sequence,
            head: shape.head(),
            bytes,
        }
    })
}

/// The heads of a part within rows of C numbers.
fn columns_of(shape: HeadShape, part: SequencePart, start: Address, bytes: usize) -> HeadArray {
    let sequence = shape.context * shape.width;
    HeadArray {
        start: start + (part.first * sequence * bytes) as u64,
        sequence,
        head: shape.head(),
        bytes,
    }
}

/// Queries of a part, a warp each: blocks of four.
fn query_blocks(shape: HeadShape, part: SequencePart) -> (usize, usize) {
    let queries = part.count * shape.heads * shape.context;
    (queries, queries.div_ceil(4))
}

/// Where the logarithms of a part begin.
fn logs_of(shape: HeadShape, part: SequencePart, logs: &CudaSlice<f32>) -> Address {
    at(logs) + (part.first * shape.heads * shape.context * FLOAT) as u64
}

/// # Safety
/// The addresses lead to (N, 3C) numbers as products take them, and to (N, C).
unsafe fn forward(
    shape: HeadShape,
    part: SequencePart,
    [qkv, out]: [Address; 2],
    scores: &HeadSquares,
    logs: &CudaSlice<f32>,
) {
    let (context, d, wide) = (shape.context, shape.head(), 3 * shape.width);
    let [queries, keys, values] = thirds(shape, part, qkv, shape.bytes());
    let arrays = [
        queries,
        keys,
        values,
        scores.left(shape),
        scores.taken(shape),
        columns_of(shape, part, out, FLOAT),
    ];
    let heads = HeadAddresses::new(shape, part, &arrays);
    let (rows, blocks) = query_blocks(shape, part);
    let [plain, rounded] = scores.arguments();
    let arguments = [
        int(rows),
        int(context),
        float(shape.scale),
        plain,
        rounded,
        word(logs_of(shape, part, logs)),
    ];
    let against = shape.product([context, d, context], [false, true], [wide, wide, context]);
    let mixed = shape.product(
        [context, context, d],
        [false, false],
        [context, wide, shape.width],
    );
    // SAFETY: as the caller promised.
    unsafe {
        heads.products(against, [0, 1, 3]);
        card().launch("attention_probabilities", (blocks, 1), 128, &arguments);
        heads.products(mixed, [4, 2, 5]);
    }
}

/// # Safety
/// The addresses lead to the values (N, 3C) and the incoming gradient (N, C), as products take
/// them, and to the gradient (N, 3C) that is added to; logarithms are those of the forward pass.
unsafe fn backward(
    shape: HeadShape,
    part: SequencePart,
    [qkv, incoming, into]: [Address; 3],
    [scores, slopes]: [&HeadSquares; 2],
    logs: &CudaSlice<f32>,
) {
    let (context, d, wide, width) = (shape.context, shape.head(), 3 * shape.width, shape.width);
    let [queries, keys, values] = thirds(shape, part, qkv, shape.bytes());
    let [into_queries, into_keys, into_values] = thirds(shape, part, into, FLOAT);
    let arrays = [
        queries,
        keys,
        values,
        scores.left(shape),
        slopes.left(shape),
        columns_of(shape, part, incoming, shape.bytes()),
        into_queries,
        into_keys,
        into_values,
        scores.taken(shape),
        slopes.taken(shape),
    ];
    let heads = HeadAddresses::new(shape, part, &arrays);
    let (rows, blocks) = query_blocks(shape, part);
    let numbers = [int(rows), int(context), float(shape.scale)];
    let logs = [word(logs_of(shape, part, logs))];
    let squares = [scores.arguments(), slopes.arguments()].concat();
    let arguments = [&numbers[..], &logs[..], &squares[..]].concat();
    let against = |left| shape.product([context, d, context], [false, true], [left, wide, context]);
    let outer = |right| {
        shape
            .product([context, context, d], [true, false], [context, right, wide])
            .accumulate()
    };
    let mixed = shape
        .product([context, context, d], [false, false], [context, wide, wide])
        .accumulate();
    // SAFETY: as the caller promised.
    unsafe {
        heads.products(against(wide), [0, 1, 3]);
        heads.products(against(width), [5, 2, 4]);
        card().launch("attention_slopes", (blocks, 1), 128, &arguments);
        heads.products(outer(width), [9, 5, 8]);
        heads.products(outer(wide), [10, 0, 7]);
        heads.products(mixed, [10, 1, 6]);
    }
}
