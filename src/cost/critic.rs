//! A critic: an MLP on single vectors.

use super::{FLOAT_BYTES, FLOATS_A_PARAMETER};

/// Floats that an update holds per token and hidden unit: both clouds and the interpolates, before
/// and after the activation.
const FLOATS_A_UNIT: f64 = 6.0;

/// The shape of a critic, and whether its updates differentiate its gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CriticShape {
    /// C, the width of the vectors it judges.
    pub input: usize,
    /// W, units of each hidden layer.
    pub width: usize,
    /// D, hidden layers; at least 1.
    pub depth: usize,
    pub has_gradient_penalty: bool,
}

impl CriticShape {
    /// (C + 1)·W + (D − 1)·(W² + W) + W: weights and biases, and an output without bias.
    pub fn parameters(&self) -> f64 {
        let (input, width, depth) = self.numbers();
        (input + 1.0) * width + (depth - 1.0) * (width * width + width) + width
    }

    fn numbers(&self) -> (f64, f64, f64) {
        (self.input as f64, self.width as f64, self.depth as f64)
    }

    /// Operations of the first layer on a vector, 2·C·W.
    fn first_layer_flops(&self) -> f64 {
        let (input, width, _) = self.numbers();
        2.0 * input * width
    }

    /// Operations of a forward pass on a vector, F = 2·(C·W + (D − 1)·W² + W).
    fn forward_flops(&self) -> f64 {
        let (_, width, depth) = self.numbers();
        self.first_layer_flops() + 2.0 * (depth - 1.0) * width * width + 2.0 * width
    }

    /// Operations of an update for `tokens` vectors of student and of teacher each, from the
    /// formulas of the loss and not from what a kernel saves.
    ///
    /// It runs 2N vectors forward (2N·F) and backward to the parameters (2N·(2F − 2·C·W), the
    /// gradient of the input is not needed). The gradient penalty adds N interpolates: forward
    /// (N·F), ∇f down to the input (N·F), and the derivative of its norm back through that product
    /// (N·2F). The probes that only record the gradient's norm under the other constraints, power
    /// iterations and Adam are left out.
    pub fn update_flops(&self, tokens: usize) -> f64 {
        let (forward, tokens) = (self.forward_flops(), tokens as f64);
        let plain = 2.0 * tokens * (3.0 * forward - self.first_layer_flops());
        let penalty = if self.has_gradient_penalty {
            4.0 * tokens * forward
        } else {
            0.0
        };
        plain + penalty
    }

    /// Operations of the student's term with its gradient: 2N vectors forward, and N backward to
    /// their input.
    pub fn term_flops(&self, tokens: usize) -> f64 {
        3.0 * tokens as f64 * self.forward_flops()
    }

    /// Bytes of its parameters with what its optimizer keeps of them.
    pub fn state_bytes(&self) -> f64 {
        FLOAT_BYTES * FLOATS_A_PARAMETER * self.parameters()
    }

    /// Bytes that an update works in.
    pub fn workspace_bytes(&self, tokens: usize) -> f64 {
        let (_, width, depth) = self.numbers();
        FLOAT_BYTES * tokens as f64 * width * depth * FLOATS_A_UNIT
    }
}

#[cfg(test)]
#[path = "critic_tests.rs"]
mod tests;
