//! A projection of student states to the teacher's width.

use super::{FLOAT_BYTES, FLOATS_A_PARAMETER, FORWARD_AND_BACKWARD};

/// A linear layer from the student's width to the teacher's; where both are the same there is none
/// and nothing is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projection {
    pub from: usize,
    pub to: usize,
}

impl Projection {
    /// Whether states pass through it.
    pub fn exists(&self) -> bool {
        self.from != self.to
    }

    /// Operations of its forward and backward pass for `tokens` vectors.
    pub fn training_flops(&self, tokens: f64) -> f64 {
        if self.exists() {
            FORWARD_AND_BACKWARD * 2.0 * self.weights() * tokens
        } else {
            0.0
        }
    }

    /// Bytes of its weights with what the optimizer keeps of them, and of the projected states with
    /// their gradient.
    pub fn training_bytes(&self, tokens: f64) -> f64 {
        if self.exists() {
            let projected = 2.0 * tokens * self.to as f64;
            FLOAT_BYTES * (FLOATS_A_PARAMETER * self.weights() + projected)
        } else {
            0.0
        }
    }

    fn weights(&self) -> f64 {
        self.from as f64 * self.to as f64
    }
}
