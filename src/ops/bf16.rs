//! Matrix products of numbers rounded to bfloat16 and summed in f32, on processors with
//! AVX512-BF16.
//!
//! Both operands are rounded while they are packed, a block at a time; the kernel multiplies packed
//! blocks. The blocks depend on the shape alone, each thread takes whole blocks of the result, and
//! the blocks along the summed dimension follow in order, so any number of threads gives the same
//! bits. The instruction takes subnormal numbers for zero and gives zero for them; it rounds each
//! sum to the nearest. The other ways keep subnormal numbers.

#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]

use super::bf16_kernel::{Lanes, Target, Tile};
use super::bf16_pack::{GROUP, LEFT, Operand, Panels, RIGHT, pack_left, pack_right, upper};
use super::bf16_rows;
use super::matmul::{Product, product};
use super::vector::dispatched;
use rayon::prelude::*;
use std::cell::Cell;
use std::ops::Range;
use std::sync::LazyLock;

/// Steps of the summed dimension in a block, at most: the left operand of a piece of work is then
/// 288 KiB and a right panel 64 KiB, for the second cache.
const DEPTH: usize = 1024;
/// Rows of the left operand that are packed at a time.
const ROWS: usize = 1536;
/// Columns of the right operand that are packed at a time: 4 MiB.
const COLUMNS: usize = 2048;
/// Rows and columns of a piece of work for one thread, and of a piece of packing.
const PIECE: (usize, usize) = (12 * LEFT, 4 * RIGHT);
/// Multiplications below which a second thread costs more than it gives.
const SMALL: usize = 1 << 17;
/// Pairs in a cache line.
const LINE: usize = 16;

const _: () = assert!(
    PIECE.0 <= GROUP
        && PIECE.1 <= GROUP
        && ROWS.is_multiple_of(LEFT)
        && COLUMNS.is_multiple_of(RIGHT)
);

thread_local! {
    /// Room for packed operands, kept for the next product: 7 MiB at most.
    static ROOM: Cell<Vec<u32>> = const { Cell::new(Vec::new()) };
}

/// The nearest bfloat16, ties to even. A NaN stays one.
pub(super) fn round(x: f32) -> f32 {
    f32::from_bits(upper(x))
}

/// Whether this machine has the instruction.
pub(super) fn available() -> bool {
    #[cfg(target_arch = "x86_64")]
    return super::bf16_kernel::Avx512::detect().is_some();
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// For tests: `emulate` computes in bfloat16 without the instruction, the same roundings of inputs
/// at less than the speed of f32; `none` is a processor without it.
const SWITCH: &str = "KDPIPE_BF16";

/// The instructions that make it worth while, if this machine has them.
pub(super) fn instructions() -> Option<&'static str> {
    static FOUND: LazyLock<Option<&'static str>> =
        LazyLock::new(|| match std::env::var(SWITCH).as_deref() {
            Ok("none") => None,
            Ok("emulate") if !available() => Some("bf16 emulated"),
            _ => available().then_some("avx512bf16"),
        });
    *FOUND
}

/// out = scale·left·right, or out += scale·left·right, of operands rounded to bfloat16.
///
/// Without the instruction the f32 product of rounded copies, which sums in another order: the last
/// bits differ between machines with and without it. A few rows are multiplied from the operands as
/// they are stored, on any machine: every number of the right one is used too few times for packing
/// or copying it.
pub(super) fn product_bf16(p: Product, left: &[f32], right: &[f32], out: &mut [f32]) {
    if p.m <= bf16_rows::ROWS {
        return multiply_few_rows(p, left, right, out);
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = super::bf16_kernel::Avx512::detect() {
        return multiply(lanes, p, left, right, out);
    }
    product_of_copies(p, left, right, out);
}

fn product_of_copies(p: Product, left: &[f32], right: &[f32], out: &mut [f32]) {
    let Product {
        m, k, n, strides, ..
    } = p;
    if m == 0 || k == 0 || n == 0 {
        return product(p, left, right, out);
    }
    let copy = |values: &[f32], (rows, columns): (usize, usize), stride: usize| {
        let mut copy = vec![0.0; rows * columns];
        parts(p.serial, &mut copy, columns, |row, out| {
            round_into(out, &values[row * stride..][..columns])
        });
        (copy, columns)
    };
    let (left, left_stride) = copy(
        left,
        if p.left_transposed { (k, m) } else { (m, k) },
        strides[0],
    );
    let (right, right_stride) = copy(
        right,
        if p.right_transposed { (n, k) } else { (k, n) },
        strides[1],
    );
    product(
        p.strides(left_stride, right_stride, strides[2]),
        &left,
        &right,
        out,
    );
}

dispatched! {
    fn round_into(out: &mut [f32], x: &[f32]) {
        out.iter_mut().zip(x).for_each(|(out, &x)| *out = f32::from_bits(upper(x)));
    }
}

/// Calls `work` for every number below `count`.
fn each(serial: bool, count: usize, work: impl Fn(usize) + Sync + Send) {
    if serial {
        (0..count).for_each(work)
    } else {
        (0..count).into_par_iter().for_each(work)
    }
}

/// Calls `work` for every part of so many values.
fn parts<T: Send>(
    serial: bool,
    values: &mut [T],
    size: usize,
    work: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    if serial {
        values
            .chunks_mut(size)
            .enumerate()
            .for_each(|(i, part)| work(i, part));
    } else {
        values
            .par_chunks_mut(size)
            .enumerate()
            .for_each(|(i, part)| work(i, part));
    }
}

/// Where the result goes; `None` if there is nothing to multiply, and the result is complete.
fn target(p: Product, out: &mut [f32]) -> Option<Target<'_>> {
    let Product {
        m, k, n, strides, ..
    } = p;
    if m == 0 || n == 0 {
        return None;
    }
    assert!(
        strides[2] >= n && out.len() >= (m - 1) * strides[2] + n,
        "the result is too small"
    );
    if k == 0 {
        if !p.accumulate {
            (0..m).for_each(|row| out[row * strides[2]..][..n].fill(0.0));
        }
        return None;
    }
    Some(Target::new(out, strides[2]))
}

fn operands<'a>(p: Product, left: &'a [f32], right: &'a [f32]) -> (Operand<'a>, Operand<'a>) {
    let left = Operand {
        values: left,
        stride: p.strides[0],
        by_line: !p.left_transposed,
    };
    (
        left,
        Operand {
            values: right,
            stride: p.strides[1],
            by_line: p.right_transposed,
        },
    )
}

fn serial(p: Product) -> bool {
    p.serial || p.m * p.k * p.n < SMALL
}

fn multiply<L: Lanes>(lanes: L, p: Product, left: &[f32], right: &[f32], out: &mut [f32]) {
    let Product { m, k, n, scale, .. } = p;
    let Some(out) = target(p, out) else { return };
    let (left, right) = operands(p, left, right);
    let serial = serial(p);
    let depth = k.div_ceil(k.div_ceil(DEPTH)).next_multiple_of(2);
    let left_room = m.min(ROWS).next_multiple_of(LEFT) * depth / 2;
    let right_room = n.min(COLUMNS).next_multiple_of(RIGHT) * depth / 2;
    // Taken out, not borrowed: while this thread waits for others it may begin another product.
    let mut room = ROOM.take();
    if room.len() < left_room + right_room + LINE {
        room = vec![0; left_room + right_room + LINE];
    }
    let aligned = room
        .as_ptr()
        .align_offset(LINE * size_of::<u32>())
        .min(LINE);
    let (right_room, left_room) = room[aligned..].split_at_mut(right_room);
    for columns in ranges(0..n, COLUMNS) {
        for steps in ranges(0..k, depth) {
            let right = packed(
                serial,
                right_room,
                RIGHT,
                PIECE.1,
                columns.clone(),
                steps.len(),
                |lines, out| {
                    pack_right(right, lines, steps.clone(), out);
                },
            );
            for rows in ranges(0..m, ROWS) {
                let left = packed(
                    serial,
                    left_room,
                    LEFT,
                    PIECE.0,
                    rows.clone(),
                    steps.len(),
                    |lines, out| {
                        pack_left(left, lines, steps.clone(), out);
                    },
                );
                let side = columns.len().div_ceil(PIECE.1);
                each(serial, rows.len().div_ceil(PIECE.0) * side, |piece| {
                    let (row, column) = (piece / side * PIECE.0, piece % side * PIECE.1);
                    let block = Tile {
                        left: left.from(row),
                        right: right.from(column),
                        rows: PIECE.0.min(rows.len() - row),
                        columns: PIECE.1.min(columns.len() - column),
                        // SAFETY: the row and the column lie in their ranges.
                        out: unsafe { out.at(rows.start + row, columns.start + column) },
                        scale,
                        accumulate: p.accumulate || steps.start > 0,
                    };
                    // SAFETY: the block lies inside the result, as `target` has asserted, and is
                    // this piece's alone.
                    unsafe { lanes.run(block) };
                });
            }
        }
    }
    ROOM.set(room);
}

fn multiply_few_rows(p: Product, left: &[f32], right: &[f32], out: &mut [f32]) {
    let Product { m, k, n, .. } = p;
    let Some(out) = target(p, out) else { return };
    let (left, right) = operands(p, left, right);
    let value = |row: usize, step: usize| {
        if left.by_line {
            row * left.stride + step
        } else {
            step * left.stride + row
        }
    };
    let left: Vec<f32> = (0..m * k)
        .map(|i| round(left.values[value(i / k, i % k)]))
        .collect();
    each(serial(p), n.div_ceil(bf16_rows::COLUMNS), |piece| {
        let first = piece * bf16_rows::COLUMNS;
        let columns = bf16_rows::COLUMNS.min(n - first);
        let mut sums = [[0.0; bf16_rows::COLUMNS]; bf16_rows::ROWS];
        bf16_rows::sums(&left, right, k, first, &mut sums, columns);
        for (row, sums) in sums[..m].iter().enumerate() {
            // SAFETY: these columns lie inside the result and are this piece's alone.
            unsafe {
                out.at(0, first)
                    .write(row, &sums[..columns], p.scale, p.accumulate)
            };
        }
    });
}

/// A range in parts of one size, the last of which may be smaller.
fn ranges(range: Range<usize>, size: usize) -> impl Iterator<Item = Range<usize>> {
    range
        .clone()
        .step_by(size)
        .map(move |start| start..range.end.min(start + size))
}

/// Packs these lines, in panels of `width`, `piece` lines at a time.
fn packed<'a>(
    serial: bool,
    room: &'a mut [u32],
    width: usize,
    piece: usize,
    lines: Range<usize>,
    steps: usize,
    pack: impl Fn(Range<usize>, &mut [u32]) + Sync + Send,
) -> Panels<'a> {
    let depth = steps.div_ceil(2);
    let room = &mut room[..lines.len().next_multiple_of(width) * depth];
    parts(serial, room, piece * depth, |i, out| {
        let first = lines.start + i * piece;
        pack(first..lines.end.min(first + piece), out);
    });
    Panels { pairs: room, depth }
}

#[cfg(test)]
#[path = "bf16_tests.rs"]
mod tests;
