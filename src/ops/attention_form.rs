//! How queries and keys become attention.

/// The heads of a layer's attention: softmax(scale·Q·Kᵀ, causal) over sequences of `context`
/// rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionForm {
    pub context: usize,
    pub heads: usize,
    pub scale: f32,
}
