//! A GPT-2.

use super::{FLOAT_BYTES, FORWARD_AND_BACKWARD};

/// The shape of a GPT-2, as far as its costs follow from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gpt2Shape {
    pub layers: usize,
    pub width: usize,
    /// Width of the hidden layer of a block's MLP.
    pub inner: usize,
    pub vocabulary: usize,
    pub positions: usize,
    /// Whether the head is the token embedding.
    pub tied: bool,
}

impl Gpt2Shape {
    /// Parameters of the embeddings, (V + P)·C; a tied head counts with them.
    pub fn embedding_parameters(&self) -> f64 {
        (self.vocabulary as f64 + self.positions as f64) * self.width as f64
    }

    /// Parameters of everything else: 4·C² + 2·C·I + 9·C + I a block (12·C² + 13·C where I = 4·C),
    /// the final norm's 2·C, and V·C for a head of its own.
    pub fn other_parameters(&self) -> f64 {
        let (width, inner) = (self.width as f64, self.inner as f64);
        let block = 4.0 * width * width + 2.0 * width * inner + 9.0 * width + inner;
        let head = if self.tied {
            0.0
        } else {
            self.vocabulary as f64 * width
        };
        self.layers as f64 * block + 2.0 * width + head
    }

    /// All parameters.
    pub fn parameters(&self) -> f64 {
        self.embedding_parameters() + self.other_parameters()
    }

    /// Bytes of its weights.
    pub fn weight_bytes(&self) -> f64 {
        FLOAT_BYTES * self.parameters()
    }

    /// Operations of the head per token, 2·C·V.
    pub fn head_flops(&self) -> f64 {
        2.0 * self.width as f64 * self.vocabulary as f64
    }

    /// Operations of a forward pass per token at the context T: the matrix products of the blocks
    /// (8·C² + 4·C·I, which is 24·C² where I = 4·C), the two of attention over the causal half
    /// (2·C·(T + 1)), and the head.
    pub fn forward_flops(&self, context: usize) -> f64 {
        let (width, inner) = (self.width as f64, self.inner as f64);
        let block =
            8.0 * width * width + 4.0 * width * inner + 2.0 * width * (context as f64 + 1.0);
        self.layers as f64 * block + self.head_flops()
    }

    /// Operations of training per token: a forward and a backward pass.
    pub fn training_flops(&self, context: usize) -> f64 {
        FORWARD_AND_BACKWARD * self.forward_flops(context)
    }

    /// Floats that the blocks keep per token for the backward pass: both norms' inputs and outputs,
    /// queries, keys, values, the heads' output, the MLP before and after its activation.
    pub fn kept_floats(&self) -> f64 {
        self.layers as f64 * (8.0 * self.width as f64 + 2.0 * self.inner as f64)
    }
}

#[cfg(test)]
#[path = "gpt2_tests.rs"]
mod tests;
