//! Tests of `pack.rs`.

use super::*;

#[test]
fn rounding_is_to_the_nearest_and_ties_go_to_even() {
    let round = |x: f32| f32::from_bits(bf16_bits(x));
    let half = 2f32.powi(-8);
    assert_eq!(round(1.0 + half), 1.0);
    assert_eq!(round(1.0 + half * 1.001), 1.0 + 2.0 * half);
    assert_eq!(round(1.0 + 3.0 * half), 1.0 + 4.0 * half);
    assert_eq!(round(-1.0 - half), -1.0);
    assert_eq!(round(0.0).to_bits(), 0);
    assert_eq!(round(-0.0).to_bits(), 0x8000_0000);
    assert_eq!(round(f32::MAX), f32::INFINITY);
    assert_eq!(round(f32::NEG_INFINITY), f32::NEG_INFINITY);
    assert_eq!(round(f32::from_bits(0x0001_8000)).to_bits(), 0x0002_0000);
    assert_eq!(round(f32::from_bits(0x0000_8000)).to_bits(), 0);
    for nan in [
        f32::NAN,
        f32::from_bits(0x7f80_0001),
        f32::from_bits(0xffff_ffff),
    ] {
        assert!(round(nan).is_nan());
    }
}

#[test]
fn both_layouts_are_packed_to_the_same_pairs() {
    for (lines, depth) in [(1, 1), (12, 2), (13, 33), (31, 64), (50, 7), (GROUP, 9)] {
        let value = |line: usize, step: usize| (line * 100 + step) as f32 - 64.0;
        let by_line: Vec<f32> = (0..lines * depth)
            .map(|i| value(i / depth, i % depth))
            .collect();
        let by_step: Vec<f32> = (0..lines * depth)
            .map(|i| value(i % lines, i / lines))
            .collect();
        let pairs = depth.div_ceil(2);
        let expected = |i: usize, width: usize| {
            let (line, step) = (
                i / (width * pairs) * width + i % width,
                i / width % pairs * 2,
            );
            let value = |step: usize| {
                if line < lines && step < depth {
                    value(line, step)
                } else {
                    0.0
                }
            };
            pair(value(step), value(step + 1))
        };
        let stored_by_line = Operand {
            values: &by_line,
            stride: depth,
            by_line: true,
        };
        let stored_by_step = Operand {
            values: &by_step,
            stride: lines,
            by_line: false,
        };
        for operand in [stored_by_line, stored_by_step] {
            for (width, left) in [(LEFT, true), (RIGHT, false)] {
                let mut out = vec![7; lines.next_multiple_of(width) * pairs];
                if left {
                    pack_left(operand, 0..lines, 0..depth, &mut out)
                } else {
                    pack_right(operand, 0..lines, 0..depth, &mut out)
                }
                assert!(
                    (0..out.len()).all(|i| out[i] == expected(i, width)),
                    "{lines} lines of {depth}"
                );
            }
        }
    }
}
