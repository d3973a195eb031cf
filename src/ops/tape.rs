//! Values of tensors on any device, in and out. This file and the `tape.rs` of each device are the
//! only code that touches dfdx's buffers.
//!
//! dfdx copies in physical order, which is silently wrong on a permuted tensor; every matrix that
//! crosses them is row-major, and stays so.

use super::{Backend, Mat};

/// The values of a matrix, row by row.
pub fn read<D: Backend, T>(x: &Mat<D, T>) -> Vec<f32> {
    // One copy of the buffer; `as_vec` would walk an index for every element.
    let mut values = vec![0.0; len(x)];
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads a tensor's buffer"
    )]
    x.tensor.copy_into(&mut values);
    values
}

/// A matrix of the given values, row by row.
pub fn matrix<D: Backend>(device: &D, rows: usize, columns: usize, values: Vec<f32>) -> Mat<D> {
    assert_eq!(
        values.len(),
        rows * columns,
        "a matrix of {rows} rows and {columns} columns"
    );
    Mat::new(device.tensor_from_vec(values, (rows, columns)))
}

/// Number of elements.
pub fn len<D: Backend, T>(x: &Mat<D, T>) -> usize {
    x.shape().0 * x.shape().1
}

/// Replaces the values in place; the tensor keeps its id, so gradients still find it.
pub fn write<D: Backend>(x: &mut Mat<D>, values: &[f32]) {
    x.tensor.copy_from(values);
    // A buffer that others share was copied first.
    x.place = D::place(&x.tensor);
}
