//! What writing a text token by token takes beside the layers: keys and values of what was read.
//!
//! The processor has a faster way for itself, over plain arrays ([`super::inference`]), which reads
//! every weight once a token; here is what any device does on its own matrices.

use super::{Head, Layers, Mat};

/// Operations on one sequence that grows. Nothing is recorded on a tape.
pub trait Decoding: Layers {
    /// Keys and values of one layer, of every token that was read.
    type Cache: Send;

    /// Whether texts are written over plain arrays instead.
    fn writes_on_arrays() -> bool;

    /// A cache with room for so many tokens of a width.
    fn cache(&self, positions: usize, width: usize) -> Self::Cache;

    /// Row i is wte[token i] + wpe[held + i]: tokens that come behind `held` others.
    fn embed_behind(tokens: &[u32], held: usize, wte: &Mat<Self>, wpe: &Mat<Self>) -> Mat<Self>;

    /// Attention of new rows over what was read before and over each other, causal; `qkv` (n, 3C)
    /// as in [`Layers::attention`]. Their keys and values go into the cache, behind `held` others.
    fn attend(
        qkv: &Mat<Self>,
        cache: &mut Self::Cache,
        held: usize,
        heads: usize,
        scale: f32,
    ) -> Mat<Self>;

    /// The logits (V) of the token behind the last row of `hidden` (n, C).
    fn next_logits(hidden: &Mat<Self>, head: Head<Self>) -> Vec<f32>;
}
