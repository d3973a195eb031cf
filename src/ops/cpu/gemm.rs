//! Matrix products in f32, by the gemm crate.

use gemm::Parallelism;

use super::product::Product;

/// out = scale·left·right, or out += scale·left·right, whatever precision `p` names.
pub(super) fn product_f32(p: Product, left: &[f32], right: &[f32], out: &mut [f32]) {
    if p.is_done_without_sums(out) {
        return;
    }
    assert_sizes(p, left.len(), right.len(), out.len());
    let (left_row, left_column) = steps(p.left_transposed, p.strides[0]);
    let (right_row, right_column) = steps(p.right_transposed, p.strides[1]);
    let parallelism = if p.serial {
        Parallelism::None
    } else {
        Parallelism::Rayon(0)
    };
    // SAFETY: every element that gemm touches lies inside its slice, which the assertions above
    // hold, and `out` is borrowed mutably, so it overlaps neither of the others.
    unsafe {
        gemm::gemm(
            p.m,
            p.n,
            p.k,
            out.as_mut_ptr(),
            1,
            p.strides[2] as isize,
            p.accumulate,
            left.as_ptr(),
            left_column,
            left_row,
            right.as_ptr(),
            right_column,
            right_row,
            1.0,
            p.scale,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// Asserts that every element of the three matrices lies inside its slice.
fn assert_sizes(p: Product, left: usize, right: usize, out: usize) {
    let stored = |(rows, columns): (usize, usize), stride: usize| {
        assert!(stride >= columns, "rows of {columns} do not overlap");
        (rows - 1) * stride + columns
    };
    assert!(
        left >= stored(p.left_stored(), p.strides[0]),
        "the left matrix is too small"
    );
    assert!(
        right >= stored(p.right_stored(), p.strides[1]),
        "the right matrix is too small"
    );
    assert!(
        out >= stored((p.m, p.n), p.strides[2]),
        "the result is too small"
    );
}

/// Elements from one row to the next, and from one column to the next.
fn steps(transposed: bool, stride: usize) -> (isize, isize) {
    if transposed {
        (1, stride as isize)
    } else {
        (stride as isize, 1)
    }
}
