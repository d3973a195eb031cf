//! Matrix products of numbers rounded to bfloat16 and summed in f32, on processors with
//! AVX512-BF16.
//!
//! Both operands are rounded while they are packed, a block at a time; the kernel multiplies packed
//! blocks. The blocks depend on the shape alone, each thread takes whole blocks of the result, and
//! the blocks along the summed dimension follow in order, so any number of threads gives the same
//! bits. The instruction takes subnormal numbers for zero and gives zero for them; it rounds each
//! sum to the nearest. The other ways keep subnormal numbers.

#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]

use super::bf16_kernel::{Block, Lanes, Target};
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
                    let block = Block {
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
mod tests {
    use super::super::bf16_kernel::Portable;
    use super::*;
    use crate::random::Stream;

    type Multiply = fn(Product, &[f32], &[f32], &mut [f32]);

    /// The ways to a product: on packed operands, on copies, and the one that this machine takes.
    const WAYS: [Multiply; 3] = [
        |p, left, right, out| multiply(Portable, p, left, right, out),
        product_of_copies,
        product_bf16,
    ];

    fn values(count: usize, index: u64) -> Vec<f32> {
        let mut stream = Stream::new(0, "test.bf16", index);
        (0..count).map(|_| stream.normal() as f32).collect()
    }

    /// Numbers whose products sum up exactly.
    fn integers(count: usize, index: u64) -> Vec<f32> {
        let mut stream = Stream::new(0, "test.bf16", index);
        (0..count)
            .map(|_| (stream.bits() % 17) as f32 - 8.0)
            .collect()
    }

    /// A matrix as it is stored: transposed or not, in rows that lie further apart than they are
    /// long, between numbers that must not be read.
    fn stored(x: &[f32], rows: usize, columns: usize, transposed: bool, gap: usize) -> Vec<f32> {
        let (stored_rows, stored_columns) = if transposed {
            (columns, rows)
        } else {
            (rows, columns)
        };
        let mut out = vec![f32::NAN; stored_rows * (stored_columns + gap)];
        for (i, x) in x.iter().enumerate() {
            let (row, column) = if transposed {
                (i % columns, i / columns)
            } else {
                (i / columns, i % columns)
            };
            out[row * (stored_columns + gap) + column] = *x;
        }
        out
    }

    /// Runs a product in every layout and way, and hands each result on.
    fn in_every_layout(
        m: usize,
        k: usize,
        n: usize,
        a: &[f32],
        b: &[f32],
        before: &[f32],
        check: impl Fn(&[f32], f32, bool),
    ) {
        for layout in 0..4 {
            let (left_transposed, right_transposed) = (layout & 1 == 1, layout & 2 == 2);
            let (left, right) = (
                stored(a, m, k, left_transposed, layout),
                stored(b, k, n, right_transposed, 2 * layout),
            );
            let mut p = Product::new(m, k, n);
            let mut scale = 1.0;
            if left_transposed {
                p = p.left_transposed().serial();
            }
            if right_transposed {
                scale = 0.5;
                p = p.right_transposed().scale(scale);
            }
            let accumulate = layout == 1 || layout == 2;
            if accumulate {
                p = p.accumulate();
            }
            let stride = n + 3 * layout;
            let p = p.strides(
                if left_transposed { m } else { k } + layout,
                if right_transposed { k } else { n } + 2 * layout,
                stride,
            );
            for multiply in WAYS {
                let mut out = stored(before, m, n, false, 3 * layout);
                multiply(p, &left, &right, &mut out);
                let outside = |i: usize| i % stride >= n;
                assert!(
                    out.iter()
                        .enumerate()
                        .all(|(i, x)| !outside(i) || x.is_nan()),
                    "written outside the result"
                );
                let found: Vec<f32> = out
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| !outside(*i))
                    .map(|(_, x)| *x)
                    .collect();
                check(&found, scale, accumulate);
            }
        }
    }

    /// The sums of products of rounded numbers, and of their magnitudes.
    fn by_definition(k: usize, n: usize, a: &[f32], b: &[f32], i: usize) -> (f64, f64) {
        let products =
            (0..k).map(|j| f64::from(round(a[i / n * k + j])) * f64::from(round(b[j * n + i % n])));
        products.fold((0.0, 0.0), |(sum, size), product| {
            (sum + product, size + product.abs())
        })
    }

    #[test]
    fn products_are_those_of_the_definition_for_every_layout() {
        let shapes = [
            (1, 1, 1),
            (1, 64, 300),
            (300, 64, 1),
            (5, 7, 3),
            (4, 9, 5),
            (9, 1, 9),
            (33, 65, 17),
            (12, 32, 32),
            (200, 300, 170),
        ];
        for (m, k, n) in shapes {
            let (a, b, before) = (values(m * k, 0), values(k * n, 1), values(m * n, 2));
            let expected: Vec<(f64, f64)> =
                (0..m * n).map(|i| by_definition(k, n, &a, &b, i)).collect();
            in_every_layout(m, k, n, &a, &b, &before, |out, scale, accumulate| {
                for (i, (found, (sum, size))) in out.iter().zip(&expected).enumerate() {
                    let before = if accumulate {
                        f64::from(before[i])
                    } else {
                        0.0
                    };
                    let expected = sum * f64::from(scale) + before;
                    let bound = (size + before.abs()) * (k + 2) as f64 * f64::from(f32::EPSILON);
                    assert!(
                        (f64::from(*found) - expected).abs() <= bound,
                        "{m}x{k}x{n}: {found} against {expected}"
                    );
                }
            });
        }
    }

    #[test]
    fn blocks_cover_every_element_once() {
        for (m, k, n) in [
            (ROWS + 14, 5, 33),
            (13, 2 * DEPTH + 3, COLUMNS + 40),
            (PIECE.0 + 1, DEPTH + 1, PIECE.1 + 1),
        ] {
            let (a, b, before) = (integers(m * k, 3), integers(k * n, 4), integers(m * n, 5));
            let mut expected = vec![0.0; m * n];
            for (i, expected) in expected.chunks_mut(n).enumerate() {
                for j in 0..k {
                    expected
                        .iter_mut()
                        .zip(&b[j * n..])
                        .for_each(|(sum, b)| *sum += a[i * k + j] * b);
                }
            }
            in_every_layout(m, k, n, &a, &b, &before, |out, scale, accumulate| {
                let before = |i: usize| if accumulate { before[i] } else { 0.0 };
                assert!(
                    (0..m * n).all(|i| out[i] == scale * expected[i] + before(i)),
                    "{m}x{k}x{n}"
                );
            });
        }
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bits() {
        for (m, k, n) in [
            (200, 300, 170),
            (512, 96, 384),
            (64, 2048, 64),
            (3, 900, 700),
        ] {
            let (a, b) = (values(m * k, 6), values(k * n, 7));
            for multiply in WAYS {
                let on = |threads: usize, p: Product| {
                    let mut out = vec![0.0; m * n];
                    let pool = rayon::ThreadPoolBuilder::new()
                        .num_threads(threads)
                        .build()
                        .unwrap();
                    pool.install(|| multiply(p, &a, &b, &mut out));
                    out
                };
                let one = on(1, Product::new(m, k, n).serial());
                assert!(
                    [1, 2, 3, 4, 8]
                        .into_iter()
                        .all(|threads| on(threads, Product::new(m, k, n)) == one)
                );
            }
        }
    }

    #[test]
    fn infinities_and_nans_reach_their_row_and_column_alone() {
        for (m, k, n) in [(14, 33, 37), (2, 33, 37)] {
            let (mut a, mut b) = (vec![1.0; m * k], vec![1.0; k * n]);
            a[k + 32] = f32::INFINITY;
            b[32 * n + 35] = f32::NAN;
            b[32 * n + 5] = f32::MAX;
            in_every_layout(m, k, n, &a, &b, &vec![0.0; m * n], |out, scale, _| {
                for (i, &x) in out.iter().enumerate() {
                    match (i / n, i % n) {
                        (_, 35) => assert!(x.is_nan()),
                        (1, _) | (_, 5) => assert_eq!(x, f32::INFINITY),
                        _ => assert_eq!(x, scale * k as f32),
                    }
                }
            });
        }
    }

    #[test]
    fn nothing_to_sum_gives_zeros_or_what_was_there() {
        for multiply in WAYS {
            let mut out = [7.0; 12];
            multiply(Product::new(0, 3, 4), &[], &[1.0; 12], &mut out);
            multiply(Product::new(3, 2, 0), &[1.0; 6], &[], &mut out);
            multiply(Product::new(3, 0, 4).accumulate(), &[], &[], &mut out);
            assert_eq!(out, [7.0; 12]);
            multiply(Product::new(2, 0, 3).strides(0, 3, 5), &[], &[], &mut out);
            assert_eq!(
                out,
                [0.0, 0.0, 0.0, 7.0, 7.0, 0.0, 0.0, 0.0, 7.0, 7.0, 7.0, 7.0]
            );
        }
    }
}
