//! A loss whose gradients were computed together with its value: the backward pass only scales and adds them.

use dfdx::prelude::*;
use rayon::prelude::*;

use super::{Mat, Scalar};

/// Elements that one task adds.
const CHUNK: usize = 1 << 16;

/// A scalar `value` that carries `tape`; when it goes backward, each tensor gets its gradient (row-major, as long as the tensor) times the incoming one. With a tape that records
/// nothing the gradients are dropped.
pub(super) fn precomputed<T: Tape<f32, Cpu>>(mut tape: T, device: &Cpu, value: f64, gradients: Vec<(Mat<Cpu>, Vec<f32>)>) -> Scalar<Cpu, T> {
    let loss = device.tensor(value as f32);
    if T::OWNS_TAPE {
        let out = loss.ghost();
        let gradients: Vec<_> = gradients.into_iter().map(|(tensor, gradient)| (tensor.ghost(), gradient)).collect();
        tape.add_backward_op(move |grads| {
            let incoming = grads.get_or_alloc_mut(&out)?[0];
            for (tensor, gradient) in &gradients {
                let sums = grads.get_or_alloc_mut(tensor)?;
                sums.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK)).for_each(|(sums, gradient)| {
                    sums.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += incoming * g);
                });
            }
            Ok(())
        });
    }
    loss.put_tape(tape)
}
