//! What products of matrices are computed in.

/// The numbers that a matrix product multiplies. Sums, results, and everything that is no product
/// of a layer, of the head, of a critic or, on a card, of attention are f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    #[default]
    F32,
    /// Both operands rounded to the ten digits of TensorFloat-32 by a card, products summed in f32.
    /// The processor has none: a plan refuses it there.
    Tf32,
    /// Both operands rounded to bfloat16, products summed in f32.
    Bf16,
}
