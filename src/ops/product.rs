//! Matrix products of the losses: `out = scale·left·right`, or added to `out`, on row-major slices, by the gemm crate on rayon's current pool.
//!
//! The crate gives the same bits for any number of threads.

/// Sizes and form of a product (rows, depth)·(depth, columns).
#[derive(Debug, Clone, Copy)]
pub(super) struct Product {
    rows: usize,
    depth: usize,
    columns: usize,
    left_transposed: bool,
    right_transposed: bool,
    scale: f32,
    accumulate: bool,
}

impl Product {
    pub fn new(rows: usize, depth: usize, columns: usize) -> Self {
        Self { rows, depth, columns, left_transposed: false, right_transposed: false, scale: 1.0, accumulate: false }
    }

    /// The left matrix is stored as (depth, rows).
    pub fn left_transposed(self) -> Self {
        Self { left_transposed: true, ..self }
    }

    /// The right matrix is stored as (columns, depth).
    pub fn right_transposed(self) -> Self {
        Self { right_transposed: true, ..self }
    }

    /// Multiplies the product by `scale`.
    pub fn scale(self, scale: f32) -> Self {
        Self { scale, ..self }
    }

    /// Adds to the output instead of overwriting it.
    pub fn accumulate(self) -> Self {
        Self { accumulate: true, ..self }
    }
}

/// Computes a product.
pub(super) fn product(form: Product, left: &[f32], right: &[f32], out: &mut [f32]) {
    let Product { rows, depth, columns, .. } = form;
    assert!(left.len() == rows * depth && right.len() == depth * columns && out.len() == rows * columns, "slices of the sizes of {form:?}");
    let strides = |transposed: bool, stored_rows: usize, stored_columns: usize| {
        if transposed { (stored_rows as isize, 1) } else { (1, stored_columns as isize) }
    };
    let (left_column, left_row) = strides(form.left_transposed, rows, depth);
    let (right_column, right_row) = strides(form.right_transposed, depth, columns);
    // SAFETY: each pointer covers a matrix of the sizes and strides given (their lengths were just asserted), and `out` is borrowed by nobody else.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            depth,
            out.as_mut_ptr(),
            1,
            columns as isize,
            form.accumulate,
            left.as_ptr(),
            left_column,
            left_row,
            right.as_ptr(),
            right_column,
            right_row,
            1.0,
            form.scale,
            false,
            false,
            false,
            gemm::Parallelism::Rayon(0),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::loss_checks::{assert_close, normals};
    use super::*;

    #[test]
    fn every_form_equals_the_sum_of_its_definition() {
        let (m, k, n) = (5, 7, 3);
        let (left, right, before) = (normals(m * k, 1.0, 0), normals(k * n, 1.0, 1), normals(m * n, 1.0, 2));
        for form in 0..8 {
            let (lt, rt, add) = (form & 1 > 0, form & 2 > 0, form & 4 > 0);
            let mut shape = Product::new(m, k, n).scale(-1.5);
            shape = if lt { shape.left_transposed() } else { shape };
            shape = if rt { shape.right_transposed() } else { shape };
            shape = if add { shape.accumulate() } else { shape };
            let mut out = before.clone();
            product(shape, &left, &right, &mut out);
            let expected: Vec<f32> = (0..m * n)
                .map(|at| {
                    let (i, j) = (at / n, at % n);
                    let pair = |l: usize| left[if lt { l * m + i } else { i * k + l }] * right[if rt { j * k + l } else { l * n + j }];
                    -1.5 * (0..k).map(pair).sum::<f32>() + if add { before[at] } else { 0.0 }
                })
                .collect();
            assert_close(&out, &expected, 1e-6);
        }
    }
}
