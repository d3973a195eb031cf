//! The critic of a Wasserstein term, as it crosses the seam: its settings, what its state is to a
//! checkpoint, what an update reports. What it computes is told in [`super::cpu::critic`].

use std::fmt::Debug;

use anyhow::Result;

use super::Precision;
use crate::random::Stream;

/// A named array of a critic's state: name, shape, values.
pub type StateArray = (String, Vec<usize>, Vec<f32>);

/// A critic with everything that its next update depends on, wherever that lies.
pub trait CriticState: Clone + Debug + Send + Sync + Sized {
    /// A critic whose weights and biases are uniform in ±1/√fan_in, as `torch.nn.Linear` has
    /// them.
    /// With the clip constraint they start within the bound; with the spectral one the singular
    /// vectors start normal and take 15 power iterations, so that the first σ is near.
    ///
    /// The settings are valid (`plan` has seen to it): sizes at least 1, 0 ≤ slope < 1.
    fn new(settings: &CriticSettings, stream: Stream) -> Self;

    /// Its layers' products take numbers rounded to this from now on; weights and moments stay f32.
    fn set_precision(&mut self, precision: Precision);

    /// Everything that later updates depend on, by name: the parameters, Adam's moments
    /// (`adam.first.*`, `adam.second.*`) and step count (`adam.step`, two digits to the base
    /// 2²⁴), and the singular vectors (`spectral.I.u`, `spectral.I.v`).
    fn state(&self) -> Vec<StateArray>;

    /// Takes over a state that [`CriticState::state`] gave, bit for bit. Nothing is changed if it
    /// does not fit.
    ///
    /// # Errors
    /// Arrays that are missing, left over or of another shape, all of them by name: the state of a
    /// critic with other settings.
    fn restore(&mut self, state: &[StateArray]) -> Result<()>;
}

/// What an update saw, before it changed the critic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CriticReport<V = f64> {
    /// mean f(t) − mean f(s).
    pub estimate: V,
    /// mean (‖∇f(x̂)‖ − 1)², without λ; 0 where the constraint is another.
    pub penalty: V,
    /// mean ‖∇f(x̂)‖; with other constraints than the gradient penalty, over at most 128
    /// evenly spaced tokens.
    pub gradient_norm: V,
}

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
