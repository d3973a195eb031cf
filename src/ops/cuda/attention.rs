//! Causal attention on the card: products of all heads at once, by arrays of addresses. T×T
//! matrices lie in a scratch of bounded size, and are made again in the backward pass.

use cudarc::driver::CudaSlice;
use dfdx::prelude::*;

use super::api::Address;
use super::buffers::{CardGradient, address, empty, record};
use super::card::{at, card, float, int, word};
use super::product::CardProduct;
use crate::ops::{Mat, Precision};

/// Scores that are in memory at a time, unless one sequence has more. Few in tests, so that they
/// come to several parts.
const SCORES: usize = if cfg!(test) { 1 << 12 } else { 1 << 24 };
const FLOAT: usize = size_of::<f32>();

/// The shape of one call.
#[derive(Clone, Copy)]
struct HeadShape {
    sequences: usize,
    context: usize,
    heads: usize,
    /// C.
    width: usize,
    scale: f32,
}

impl HeadShape {
    /// Coordinates of a head.
    fn head(self) -> usize {
        self.width / self.heads
    }

    /// Sequences that go together.
    fn together(self) -> usize {
        let scores = self.heads * self.context * self.context;
        (SCORES / scores).clamp(1, self.sequences)
    }

    /// A product of every head's (m, k) and (k, n) matrices.
    fn product(self, sizes: [usize; 3], transposed: [bool; 2], strides: [usize; 3]) -> CardProduct {
        CardProduct::new(sizes, transposed, Precision::F32).strides(strides)
    }
}

/// Some sequences, and the first of them.
#[derive(Clone, Copy)]
struct SequencePart {
    first: usize,
    count: usize,
}

/// Addresses of every head of a part, one array after the other.
struct HeadAddresses {
    all: CudaSlice<u64>,
    count: usize,
}

impl HeadAddresses {
    /// `arrays` are the address of the first sequence's first head, the distance between sequences,
    /// and that between heads, in numbers.
    fn new(shape: HeadShape, part: SequencePart, arrays: &[(Address, usize, usize)]) -> Self {
        let mut all = Vec::with_capacity(arrays.len() * part.count * shape.heads);
        for &(start, sequence, head) in arrays {
            for s in 0..part.count {
                for h in 0..shape.heads {
                    all.push(start + ((s * sequence + h * head) * FLOAT) as u64);
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

/// See [`crate::ops::Layers::attention`].
pub(super) fn attention<T: Tape<f32, Cuda>>(
    qkv: Mat<Cuda, T>,
    context: usize,
    heads: usize,
    scale: f32,
) -> Mat<Cuda, T> {
    let (rows, columns) = *qkv.shape();
    assert!(
        rows.is_multiple_of(context) && (columns / 3).is_multiple_of(heads),
        "whole sequences, and heads that divide the width"
    );
    let shape = HeadShape {
        sequences: rows / context,
        context,
        heads,
        width: columns / 3,
        scale,
    };
    let (qkv, tape) = qkv.split_tape();
    let out = empty(qkv.device(), rows, shape.width);
    let logs = card().scratch::<f32>(rows * heads);
    let scores = card().scratch::<f32>(shape.together() * heads * context * context);
    for part in parts(shape) {
        // SAFETY: the shapes were checked.
        unsafe { forward(shape, part, address(&qkv), &scores, &logs, address(&out)) };
    }
    let place = CardGradient::of(&qkv);
    record(tape, out, move |gradients, incoming| {
        let into = place.get(gradients)?;
        let size = shape.together() * heads * context * context;
        let (scores, slopes) = (card().scratch::<f32>(size), card().scratch::<f32>(size));
        for part in parts(shape) {
            let buffers = [&scores, &slopes, &logs];
            // SAFETY: as above; the gradient has the shape of its matrix.
            unsafe { backward(shape, part, [address(&qkv), at(&incoming), into], buffers) };
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

/// Queries, keys and values of a part's heads within rows of 3C.
fn thirds(shape: HeadShape, part: SequencePart, start: Address) -> [(Address, usize, usize); 3] {
    let sequence = shape.context * 3 * shape.width;
    [0, 1, 2].map(|third| {
        let offset = (part.first * sequence + third * shape.width) * FLOAT;
        (start + offset as u64, sequence, shape.head())
    })
}

/// The heads of a part within rows of C.
fn columns_of(shape: HeadShape, part: SequencePart, start: Address) -> (Address, usize, usize) {
    let sequence = shape.context * shape.width;
    let offset = (part.first * sequence * FLOAT) as u64;
    (start + offset, sequence, shape.head())
}

/// The T×T matrices of a part's heads.
fn squares_of(shape: HeadShape, start: &CudaSlice<f32>) -> (Address, usize, usize) {
    let square = shape.context * shape.context;
    (at(start), shape.heads * square, square)
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
/// The addresses lead to (N, 3C) and (N, C).
unsafe fn forward(
    shape: HeadShape,
    part: SequencePart,
    qkv: Address,
    scores: &CudaSlice<f32>,
    logs: &CudaSlice<f32>,
    out: Address,
) {
    let (context, d, wide) = (shape.context, shape.head(), 3 * shape.width);
    let [queries, keys, values] = thirds(shape, part, qkv);
    let arrays = [
        queries,
        keys,
        values,
        squares_of(shape, scores),
        columns_of(shape, part, out),
    ];
    let heads = HeadAddresses::new(shape, part, &arrays);
    let (rows, blocks) = query_blocks(shape, part);
    let arguments = [
        int(rows),
        int(context),
        float(shape.scale),
        word(at(scores)),
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
        heads.products(mixed, [3, 2, 4]);
    }
}

/// # Safety
/// The addresses lead to the values (N, 3C), the incoming gradient (N, C), and the gradient (N,
/// 3C) that is added to; the buffers are scores, slopes and logarithms.
unsafe fn backward(
    shape: HeadShape,
    part: SequencePart,
    [qkv, incoming, into]: [Address; 3],
    [scores, slopes, logs]: [&CudaSlice<f32>; 3],
) {
    let (context, d, wide, width) = (shape.context, shape.head(), 3 * shape.width, shape.width);
    let [queries, keys, values] = thirds(shape, part, qkv);
    let [into_queries, into_keys, into_values] = thirds(shape, part, into);
    let arrays = [
        queries,
        keys,
        values,
        squares_of(shape, scores),
        squares_of(shape, slopes),
        columns_of(shape, part, incoming),
        into_queries,
        into_keys,
        into_values,
    ];
    let heads = HeadAddresses::new(shape, part, &arrays);
    let (rows, blocks) = query_blocks(shape, part);
    let arguments = [
        int(rows),
        int(context),
        float(shape.scale),
        word(logs_of(shape, part, logs)),
        word(at(scores)),
        word(at(slopes)),
    ];
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
        heads.products(outer(width), [3, 5, 8]);
        heads.products(outer(wide), [4, 0, 7]);
        heads.products(mixed, [4, 1, 6]);
    }
}
