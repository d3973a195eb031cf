//! The buffers of tensors on the CPU: values where they lie, and gradients on the tape.

use dfdx::prelude::*;
use rayon::prelude::*;

use super::vector::dispatched;
pub(super) use crate::ops::tape::{matrix, read};
use crate::ops::{GradientMap, Mat, Scalar};

/// Elements that one task adds.
const CHUNK: usize = 1 << 16;

/// The values of a matrix on the CPU where they lie, row by row: no copy, which for a model's
/// weights would cost as much memory and time as the weights are large.
pub(super) fn values<T>(x: &Mat<Cpu, T>) -> &[f32] {
    let (rows, columns) = *x.shape();
    let count = rows * columns;
    if count == 0 {
        return &[];
    }
    // dfdx hands out references to single elements. The distances of the far ones hold that rows
    // follow each other without gaps, in order.
    let first: *const f32 = &raw const x.tensor[[0, 0]];
    let offset = |index: [usize; 2]| {
        (&raw const x.tensor[index])
            .addr()
            .wrapping_sub(first.addr())
            / size_of::<f32>()
    };
    assert!(
        offset([0, columns - 1]) == columns - 1 && offset([rows - 1, 0]) == (rows - 1) * columns,
        "a matrix lies row by row"
    );
    // SAFETY: the first and the last of `count` elements are `count` - 1 apart, so all of them lie
    // in the tensor's one buffer; it is initialised, and stays where it is and as it is while `x`
    // is borrowed.
    unsafe { std::slice::from_raw_parts(first, count) }
}

/// The same, to be changed in place. A buffer that another tensor shares is copied first.
pub(super) fn values_mut(x: &mut Mat<Cpu>) -> &mut [f32] {
    let count = values(x).len();
    if count == 0 {
        return &mut [];
    }
    let first: *mut f32 = &raw mut x.tensor[[0, 0]];
    // SAFETY: as above; `x` is borrowed mutably, and dfdx has made it the buffer's only owner to
    // hand out `first`.
    unsafe { std::slice::from_raw_parts_mut(first, count) }
}

/// How a tensor's gradient is reached.
type GradientAccess =
    dyn for<'a> Fn(&'a mut Gradients<f32, Cpu>) -> Result<&'a mut Vec<f32>, CpuError>;

/// Where the gradient of a matrix is found, without keeping the matrix itself in memory. (dfdx's
/// own type for this cannot be named outside it.)
pub(super) struct GradientPlace(Box<GradientAccess>);

impl GradientPlace {
    pub fn of<T>(x: &Mat<Cpu, T>) -> Self {
        let ghost = x.tensor.ghost();
        Self(Box::new(move |gradients| {
            Ok(&mut **gradients.get_or_alloc_mut(&ghost)?)
        }))
    }

    /// What has arrived so far, to add to; zeros at first.
    pub fn get<'a>(
        &self,
        gradients: &'a mut Gradients<f32, Cpu>,
    ) -> Result<&'a mut Vec<f32>, CpuError> {
        (self.0)(gradients)
    }

    /// What has arrived, taken away so that its memory is free again.
    fn take(&self, gradients: &mut Gradients<f32, Cpu>) -> Result<Vec<f32>, CpuError> {
        Ok(std::mem::take(self.get(gradients)?))
    }
}

/// Hands the values on with the tape, on which `backward` is recorded. `backward` gets the
/// gradients and the incoming gradient of the output, and adds what it finds to its inputs' own.
///
/// Callers look at `T::OWNS_TAPE` first, to keep nothing for a backward pass that never comes.
pub(super) fn record<T: Tape<f32, Cpu>>(
    mut tape: T,
    out: Mat<Cpu>,
    backward: impl 'static + FnOnce(&mut Gradients<f32, Cpu>, Vec<f32>) -> Result<(), CpuError>,
) -> Mat<Cpu, T> {
    if T::OWNS_TAPE {
        let place = GradientPlace::of(&out);
        tape.add_backward_op(move |gradients| {
            let incoming = place.take(gradients)?;
            backward(gradients, incoming)
        });
    }
    out.put_tape(tape)
}

/// See [`crate::ops::Backend::take_gradient`].
pub(super) fn take_gradient(gradients: &mut GradientMap<Cpu>, x: &Mat<Cpu>) -> Vec<f32> {
    std::mem::take(
        &mut **gradients
            .0
            .get_or_alloc_mut(&x.tensor)
            .expect("memory for a gradient"),
    )
}

dispatched! {
    /// x = scale·x + y.
    fn scale_and_add(x: &mut [f32], scale: f32, y: &[f32]) {
        for (x, y) in x.iter_mut().zip(y) {
            *x = *y + scale * *x;
        }
    }
}

/// A scalar `value` that carries `tape`; when it goes backward, each tensor gets its gradient
/// (row-major, as long as the tensor) times the incoming one. With a tape that records nothing the
/// gradients are dropped.
pub(super) fn precomputed<T: Tape<f32, Cpu>>(
    mut tape: T,
    device: &Cpu,
    value: f64,
    gradients: Vec<(Mat<Cpu>, Vec<f32>)>,
) -> Scalar<Cpu, T> {
    let loss: Tensor<Rank0, f32, Cpu> = device.tensor(value as f32);
    if T::OWNS_TAPE {
        let out = loss.ghost();
        let gradients: Vec<_> = gradients
            .into_iter()
            .map(|(tensor, gradient)| (GradientPlace::of(&tensor), gradient))
            .collect();
        tape.add_backward_op(move |grads| {
            let incoming = grads.get_or_alloc_mut(&out)?[0];
            for (place, mut gradient) in gradients {
                let sums = place.get(grads)?;
                gradient
                    .par_chunks_mut(CHUNK)
                    .zip(sums.par_chunks(CHUNK))
                    .for_each(|(gradient, sums)| scale_and_add(gradient, incoming, sums));
                // What had arrived is freed here, where adding to it would have kept both.
                *sums = gradient;
            }
            Ok(())
        });
    }
    Scalar(loss.put_tape(tape))
}
