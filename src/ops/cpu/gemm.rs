//! Matrix products by the gemm crate.

use gemm::Parallelism;

use super::product::Product;

/// Inner dimensions up to here are summed in one go.
///
/// gemm 0.19 cuts a longer one by what it reads of the first cache and of who shares it, so that
/// two machines with the same instructions would round differently. It leaves alone what is no
/// longer than this, whatever the cache, so longer ones are cut here. On a first cache of 32 KiB in
/// eight ways, and with AVX-512, this is also where it would have cut.
const LONGEST_SUM: usize = 512;

/// Results up to so many by so many are cut by gemm itself, by the shapes alone.
const SMALL: usize = 64;

/// out = scale·left·right, or out += scale·left·right, whatever precision `p` names.
///
/// An element is a sum over the inner dimension in parts, each a chain of fused multiplications in
/// order; the parts are those of `sums`. So the bits of a row do not depend on the other rows,
/// but for one thing: results of at most 64 by 64 and those of a single row or column are cut
/// otherwise than larger ones.
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
    // SAFETY: every element that is touched lies inside its slice, which the assertions above hold,
    // and `out` is borrowed mutably, so it overlaps neither of the others.
    unsafe {
        multiply(
            [p.m, p.k, p.n],
            (left.as_ptr(), [left_row, left_column]),
            (right.as_ptr(), [right_row, right_column]),
            (out.as_mut_ptr(), p.strides[2] as isize),
            p.accumulate,
            p.scale,
            parallelism,
        );
    }
}

/// aᵀb in f64, of matrices with as many rows: `a` (rows, m), `b` (rows, n), the result (m, n).
pub(super) fn transposed_product_f64(a: &[f64], m: usize, b: &[f64], n: usize) -> Vec<f64> {
    let rows = a.len() / m;
    assert!(a.len() == rows * m && b.len() == rows * n);
    let mut product = vec![0.0; m * n];
    // SAFETY: the assertion holds that the pointers cover a and b with these strides, and the
    // product is borrowed by nobody else.
    unsafe {
        multiply(
            [m, rows, n],
            (a.as_ptr(), [1, m as isize]),
            (b.as_ptr(), [n as isize, 1]),
            (product.as_mut_ptr(), n as isize),
            false,
            1.0,
            Parallelism::Rayon(0),
        );
    }
    product
}

/// out = scale·left·right, or out += scale·left·right, part by part of the inner dimension.
/// Operands are pointers with the elements from one row and from one column to the next, the result
/// has contiguous rows.
///
/// # Safety
/// All elements of the (m, k) and (k, n) matrices can be read, those of the (m, n) result written,
/// and it overlaps neither of the others.
unsafe fn multiply<T: Copy + From<u8> + 'static>(
    [m, k, n]: [usize; 3],
    (left, [left_row, left_column]): (*const T, [isize; 2]),
    (right, [right_row, right_column]): (*const T, [isize; 2]),
    (out, out_row): (*mut T, isize),
    accumulate: bool,
    scale: T,
    parallelism: Parallelism,
) {
    for (from, length) in sums(m, k, n) {
        // SAFETY: as the caller says; a part begins inside the inner dimension and ends there.
        unsafe {
            gemm::gemm(
                m,
                n,
                length,
                out,
                1,
                out_row,
                // After the first part, the result is what is there already.
                accumulate || from > 0,
                left.offset(from as isize * left_column),
                left_column,
                left_row,
                right.offset(from as isize * right_row),
                right_column,
                right_row,
                T::from(1),
                scale,
                false,
                false,
                false,
                parallelism,
            );
        }
    }
}

/// The parts that the inner dimension is summed in: where each begins, and its length. They are
/// equal but for the last, and as few as fit.
fn sums(m: usize, k: usize, n: usize) -> impl Iterator<Item = (usize, usize)> {
    let is_cut_by_its_shape = m <= SMALL && n <= SMALL || m == 1 || n == 1;
    let length = if is_cut_by_its_shape {
        k
    } else {
        k.div_ceil(k.div_ceil(LONGEST_SUM))
    };
    (0..k)
        .step_by(length.max(1))
        .map(move |from| (from, length.min(k - from)))
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
