//! Between the losses and dfdx's buffers: reading a matrix, making one, and a loss whose gradients were computed together with its value, so that the backward pass only scales and
//! adds them.

use dfdx::prelude::*;
use rayon::prelude::*;

use super::elementwise::add_scaled;
use super::{Mat, Scalar};

/// Elements that one task adds.
const CHUNK: usize = 1 << 16;

/// The values of a matrix in row-major order; the matrix is no transposed view (its buffer is copied as it lies).
pub(super) fn read<D: Device<f32>, T>(x: &Mat<D, T>) -> Vec<f32> {
    let mut values = vec![0.0; x.shape().num_elements()];
    x.copy_into(&mut values);
    values
}

/// A matrix of row-major values.
pub(super) fn matrix<D: Device<f32>>(device: &D, rows: usize, columns: usize, values: Vec<f32>) -> Mat<D> {
    device.tensor_from_vec(values, (rows, columns))
}

/// A scalar `value` that carries `tape`; when it goes backward, each tensor gets its gradient (row-major, as long as the tensor) times the incoming one. With a tape that records
/// nothing the gradients are dropped.
pub(super) fn precomputed<T: Tape<f32, Cpu>>(
    mut tape: T,
    device: &Cpu,
    value: f64,
    gradients: Vec<(Mat<Cpu>, Vec<f32>)>,
) -> Scalar<Cpu, T> {
    let loss = device.tensor(value as f32);
    if T::OWNS_TAPE {
        let out = loss.ghost();
        let gradients: Vec<_> = gradients.into_iter().map(|(tensor, gradient)| (tensor.ghost(), gradient)).collect();
        tape.add_backward_op(move |grads| {
            let incoming = grads.get_or_alloc_mut(&out)?[0];
            for (tensor, gradient) in &gradients {
                let sums = grads.get_or_alloc_mut(tensor)?;
                sums.par_chunks_mut(CHUNK)
                    .zip(gradient.par_chunks(CHUNK))
                    .for_each(|(sums, gradient)| add_scaled(sums, gradient, incoming));
            }
            Ok(())
        });
    }
    loss.put_tape(tape)
}
