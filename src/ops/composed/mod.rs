//! Layers and losses composed of dfdx's own operations on the CPU: what they are, and the reference
//! that the kernels of every device are tested against. In f32.

use dfdx::prelude::*;

use super::Mat;

pub mod attention_kl;
mod divergences;
pub mod layers;
pub mod losses;

/// A matrix that dfdx's operations work on.
type Raw<T = NoneTape> = Tensor<(usize, usize), f32, Cpu, T>;

/// A loss that dfdx's operations work on.
type Number<T> = Tensor<Rank0, f32, Cpu, T>;

/// Back over the seam.
fn crossing<T: Tape<f32, Cpu>>(x: Raw<T>) -> Mat<Cpu, T> {
    let (x, tape) = x.split_tape();
    Mat::new(x).put_tape(tape)
}
