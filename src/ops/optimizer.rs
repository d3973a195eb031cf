//! AdamW (arXiv 1711.05101): the numbers of a step, which are the same on every device.

/// Settings that hold for every parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    /// β₁ and β₂.
    pub betas: [f64; 2],
    pub eps: f64,
}

/// The numbers of one step on one parameter: θ ← θ·`keep`; m ← β₁m + (1 − β₁)g;
/// v ← β₂v + (1 − β₂)g²; θ ← θ − `rate`·m/(√v·`root` + ε), as in
/// `torch.optim.AdamW`, with g the gradient times `gradient_scale` (clipping).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWStep {
    pub(super) gradient_scale: f32,
    /// 1 − lr·decay.
    pub(super) keep: f32,
    pub(super) betas: [f32; 2],
    /// 1 − β.
    pub(super) rest: [f32; 2],
    /// lr/(1 − β₁ᵏ).
    pub(super) rate: f32,
    /// 1/√(1 − β₂ᵏ).
    pub(super) root: f32,
    pub(super) eps: f32,
}

impl AdamW {
    /// The numbers of step `step`, k, from 1.
    pub fn step(&self, gradient_scale: f64, step: u64, lr: f64, weight_decay: f64) -> AdamWStep {
        let [b1, b2] = self.betas;
        let power = |beta: f64| 1.0 - beta.powf(step as f64);
        AdamWStep {
            gradient_scale: gradient_scale as f32,
            keep: (1.0 - lr * weight_decay) as f32,
            betas: [b1 as f32, b2 as f32],
            rest: [(1.0 - b1) as f32, (1.0 - b2) as f32],
            rate: (lr / power(b1)) as f32,
            root: (1.0 / power(b2).sqrt()) as f32,
            eps: self.eps as f32,
        }
    }
}
