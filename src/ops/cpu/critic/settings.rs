//! Shape and training of a critic.

/// What keeps the critic Lipschitz.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Constraint {
    /// λ · mean (‖∇f(x̂)‖ − 1)² at interpolates of the pairs (arXiv 1704.00028).
    GradientPenalty(f64),
    /// Every weight divided by its largest singular value (arXiv 1802.05957).
    Spectral,
    /// Every parameter clamped to ± the bound (arXiv 1701.07875).
    Clip(f64),
}

/// What a critic is made with.
#[derive(Debug, Clone, PartialEq)]
pub struct CriticSettings {
    /// Width of the vectors it judges.
    pub input: usize,
    /// Units of each hidden layer.
    pub width: usize,
    /// Hidden layers, at least 1.
    pub depth: usize,
    /// Slope of the leaky ReLU below zero, in [0, 1).
    pub slope: f64,
    pub constraint: Constraint,
    /// Adam's learning rate.
    pub lr: f64,
    /// Adam's β₁ and β₂.
    pub betas: [f64; 2],
}
