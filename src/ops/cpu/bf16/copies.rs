//! The bfloat16 product on a machine without the instruction: the f32 product of rounded copies.

use super::operand::bf16_bits;
use super::sharing::for_each_part;
use crate::ops::cpu::gemm::product_f32;
use crate::ops::cpu::product::Product;
use crate::ops::cpu::vector::dispatched;

/// See [`super::product_bf16`].
pub(super) fn product_of_copies(p: Product, left: &[f32], right: &[f32], out: &mut [f32]) {
    if p.m == 0 || p.k == 0 || p.n == 0 {
        return product_f32(p, left, right, out);
    }
    let copy = |values: &[f32], (rows, columns): (usize, usize), stride: usize| {
        let mut copy = vec![0.0; rows * columns];
        for_each_part(p.serial, &mut copy, columns, |row, out| {
            round_into(out, &values[row * stride..][..columns])
        });
        (copy, columns)
    };
    let (left, left_stride) = copy(left, p.left_stored(), p.strides[0]);
    let (right, right_stride) = copy(right, p.right_stored(), p.strides[1]);
    product_f32(
        p.strides(left_stride, right_stride, p.strides[2]),
        &left,
        &right,
        out,
    );
}

dispatched! {
    fn round_into(out: &mut [f32], x: &[f32]) {
        out.iter_mut().zip(x).for_each(|(out, &x)| *out = f32::from_bits(bf16_bits(x)));
    }
}
