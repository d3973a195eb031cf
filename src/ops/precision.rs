//! What products of matrices are computed in.

use super::Mat;
use dfdx::prelude::*;

/// The numbers that a matrix product multiplies. Sums, results, and everything that is no product
/// of a layer, of the head or of a critic are f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    #[default]
    F32,
    /// Both operands rounded to bfloat16, products summed in f32.
    Bf16,
}

/// An output embedding (V, C): logits are final hidden states times its transpose, computed in
/// `precision`.
#[derive(Debug)]
pub struct Head<'a, D: Device<f32>> {
    pub matrix: &'a Mat<D>,
    pub precision: Precision,
}

impl<D: Device<f32>> Clone for Head<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Device<f32>> Copy for Head<'_, D> {}

/// In f32.
impl<'a, D: Device<f32>> From<&'a Mat<D>> for Head<'a, D> {
    fn from(matrix: &'a Mat<D>) -> Self {
        Self {
            matrix,
            precision: Precision::F32,
        }
    }
}

/// Asserts what a device without bfloat16 is asked for; the plan has refused anything else.
pub(super) fn only_f32(precision: Precision) {
    assert_eq!(precision, Precision::F32, "this device computes in f32");
}
