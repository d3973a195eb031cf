//! Products on packed operands, for processors with AVX512-BF16.
//!
//! Both operands are rounded while they are packed, a block at a time; the kernel multiplies packed
//! blocks. The blocks depend on the shape alone, each thread takes whole blocks of the result, and
//! the blocks along the summed dimension follow in order, so any number of threads gives the same
//! bits.

use std::cell::Cell;
use std::ops::Range;

use super::kernel::{Lanes, Tile};
use super::operand::operands;
use super::pack::{GROUP, LEFT, Panels, RIGHT, pack_left, pack_right};
use super::sharing::{for_each_index, for_each_part, is_serial};
use super::target::Target;
use crate::ops::cpu::product::Product;

/// Steps of the summed dimension in a block, at most: the left operand of a piece of work is then
/// 288 KiB and a right panel 64 KiB, for the second cache.
pub(super) const DEPTH: usize = 1024;
/// Rows of the left operand that are packed at a time.
pub(super) const ROWS: usize = 1536;
/// Columns of the right operand that are packed at a time: 4 MiB.
pub(super) const COLUMNS: usize = 2048;
/// Rows and columns of a piece of work for one thread, at most, and of a piece of packing.
pub(super) const PIECE: (usize, usize) = (12 * LEFT, 4 * RIGHT);
/// The same at least, where a block is cut finer to have [`PIECES`] of them.
const LEAST_PIECE: (usize, usize) = (4 * LEFT, 2 * RIGHT);
/// Pieces of a block below which cores wait for each other.
const PIECES: usize = 16;
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

/// See [`super::product_bf16`].
pub(super) fn multiply<L: Lanes>(
    lanes: L,
    p: Product,
    left: &[f32],
    right: &[f32],
    out: &mut [f32],
) {
    let Some(out) = Target::of(p, out) else {
        return;
    };
    let (left, right) = operands(p, left, right);
    let serial = is_serial(p);
    let depth = p.k.div_ceil(p.k.div_ceil(DEPTH)).next_multiple_of(2);
    // Taken out, not borrowed: while this thread waits for others it may begin another product.
    let mut room = ROOM.take();
    let (left_room, right_room) = rooms(&mut room, p, depth);
    let mut packed = None;
    for columns in ranges(0..p.n, COLUMNS) {
        for steps in ranges(0..p.k, depth) {
            let packing = Packing::of_right(serial, steps.len());
            packing.pack(right_room, columns.clone(), |lines, out| {
                pack_right(right, lines, steps.clone(), out);
            });
            let right = packing.panels(right_room, columns.len());
            for rows in ranges(0..p.m, ROWS) {
                let packing = Packing::of_left(serial, steps.len());
                // The columns before these may have had the same.
                let own = (rows.start, steps.start);
                if packed != Some(own) {
                    packing.pack(left_room, rows.clone(), |lines, out| {
                        pack_left(left, lines, steps.clone(), out);
                    });
                    packed = Some(own);
                }
                let block = Tile {
                    left: packing.panels(left_room, rows.len()),
                    right,
                    rows: rows.len(),
                    columns: columns.len(),
                    // SAFETY: the row and the column lie in their ranges.
                    out: unsafe { out.at(rows.start, columns.start) },
                    scale: p.scale,
                    accumulate: p.accumulate || steps.start > 0,
                };
                // SAFETY: the block lies inside the result, as `Target::of` has asserted, and is
                // this product's alone.
                unsafe { multiply_block(lanes, serial, block) };
            }
        }
    }
    ROOM.set(room);
}

/// The room of the left and of the right operand's blocks, each large enough for any block, the
/// right one at the beginning of a cache line.
fn rooms(room: &mut Vec<u32>, p: Product, depth: usize) -> (&mut [u32], &mut [u32]) {
    let left = p.m.min(ROWS).next_multiple_of(LEFT) * depth / 2;
    let right = p.n.min(COLUMNS).next_multiple_of(RIGHT) * depth / 2;
    if room.len() < left + right + LINE {
        *room = vec![0; left + right + LINE];
    }
    let to_line = room.as_ptr().align_offset(LINE * size_of::<u32>());
    let (right_room, left_room) = room[to_line.min(LINE)..].split_at_mut(right);
    (left_room, right_room)
}

/// Multiplies a block, its pieces shared out over the cores.
///
/// # Safety
/// The block lies inside the result, and no other thread has a part of it.
unsafe fn multiply_block<L: Lanes>(lanes: L, serial: bool, block: Tile<'_>) {
    let (height, width) = piece_of(block.rows, block.columns);
    let side = block.columns.div_ceil(width);
    for_each_index(serial, block.rows.div_ceil(height) * side, |piece| {
        let (row, column) = (piece / side * height, piece % side * width);
        let part = Tile {
            left: block.left.from(row),
            right: block.right.from(column),
            rows: height.min(block.rows - row),
            columns: width.min(block.columns - column),
            // SAFETY: the row and the column lie inside the block.
            out: unsafe { block.out.at(row, column) },
            ..block
        };
        // SAFETY: the part lies inside the block and is this piece's alone.
        unsafe { lanes.run(part) };
    });
}

/// Rows and columns of the pieces of a block: as even as panels allow, and of a small block so
/// small that there are [`PIECES`] of them. Their bits do not depend on it: pieces cut no sum.
fn piece_of(rows: usize, columns: usize) -> (usize, usize) {
    let panels = rows.div_ceil(LEFT);
    let mut height = panels.div_ceil(rows.div_ceil(PIECE.0)) * LEFT;
    let mut width = PIECE.1;
    while rows.div_ceil(height) * columns.div_ceil(width) < PIECES {
        let half = (height / LEFT).div_ceil(2) * LEFT;
        if half >= LEAST_PIECE.0 {
            height = half;
        } else if width > LEAST_PIECE.1 {
            width /= 2;
        } else {
            break;
        }
    }
    (height, width)
}

/// A range in parts of one size, the last of which may be smaller.
fn ranges(range: Range<usize>, size: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range
        .step_by(size)
        .map(move |start| start..end.min(start + size))
}

/// How a block of an operand is packed.
struct Packing {
    serial: bool,
    /// Lines of a panel.
    width: usize,
    /// Lines that are packed as one piece of work.
    piece: usize,
    /// Steps of the summed dimension.
    steps: usize,
}

impl Packing {
    fn of_left(serial: bool, steps: usize) -> Self {
        Self {
            serial,
            width: LEFT,
            piece: PIECE.0,
            steps,
        }
    }

    fn of_right(serial: bool, steps: usize) -> Self {
        Self {
            serial,
            width: RIGHT,
            piece: PIECE.1,
            steps,
        }
    }

    /// Packs these lines with `pack`, a piece at a time.
    fn pack(
        &self,
        room: &mut [u32],
        lines: Range<usize>,
        pack: impl Fn(Range<usize>, &mut [u32]) + Sync + Send,
    ) {
        let depth = self.steps.div_ceil(2);
        let room = &mut room[..lines.len().next_multiple_of(self.width) * depth];
        for_each_part(self.serial, room, self.piece * depth, |piece, out| {
            let first = lines.start + piece * self.piece;
            pack(first..lines.end.min(first + self.piece), out);
        });
    }

    /// So many lines that were packed.
    fn panels<'a>(&self, room: &'a [u32], lines: usize) -> Panels<'a> {
        let depth = self.steps.div_ceil(2);
        Panels {
            pairs: &room[..lines.next_multiple_of(self.width) * depth],
            depth,
        }
    }
}
