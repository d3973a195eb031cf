//! The program against PyTorch: models, losses, critics, windows and whole trainings, by the arrays
//! of `tests/reference/` (its README.md says what they are).
//!
//! The arrays come from float64, so a difference is this program's rounding and nothing else.
//! PyTorch's own f32 comes within 1e-6 of them, relative to the largest entry of an array (each
//! file records how far); [`TOLERANCE`] leaves ten times that for other orders of summation. A
//! wrong formula, a forgotten factor or an epsilon in another place shows at 1e-3 or more.

mod arrays;
mod checkpoints;
mod critics;
mod distances;
mod losses;
mod models;
mod text;
mod training;

use kdpipe::ops::{Backend, Cpu, Mat, OwnedTape, Scalar};

/// Relative to the largest entry of an array.
const TOLERANCE: f64 = 1e-5;

/// The gradients of `loss` for `inputs`.
fn gradients(loss: Scalar<Cpu, OwnedTape<f32, Cpu>>, inputs: &[&Mat<Cpu>]) -> Vec<Vec<f32>> {
    let mut all = loss.backward();
    inputs
        .iter()
        .map(|input| Cpu::take_gradient(&mut all, input))
        .collect()
}
