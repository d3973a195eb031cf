//! The activations of a block's MLP, and the constants that all devices compute them with.

/// An activation, by its formula. Transformers has several names for some of them; `model` knows
/// those.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// ½y(1 + tanh(√(2/π)(y + 0.044715·y³))) (arXiv 1606.08415): GPT-2's own.
    #[default]
    GeluTanh,
    /// y·Φ(y), Φ the distribution function of the standard normal (arXiv 1606.08415).
    Gelu,
    /// y·σ(1.702·y) (arXiv 1606.08415).
    QuickGelu,
    /// max(y, 0).
    Relu,
    /// y·σ(y) (arXiv 1702.03118).
    Silu,
    /// tanh y.
    Tanh,
}

/// The factor in the sigmoid of the quick GELU.
pub(super) const QUICK: f32 = 1.702;
/// c of t = 1/(1 + c·a) in [`NORMAL_TAIL`].
pub(super) const TAIL_SCALE: f32 = 0.35;
/// The upper tail of the standard normal: 1 − Φ(a) = e^(−a²/2)·Σ NORMAL_TAIL[k]·tᵏ for a ≥ 0. A
/// minimax fit of the relative error over 0 … 13, 2.6e-8 at most before rounding; the form is that
/// of Abramowitz and Stegun 26.2.17. (dfdx's own exact GELU has a wrong derivative, so the composed
/// form uses this too.)
pub(super) const NORMAL_TAIL: [f32; 10] = [
    -2.796_014_3e-6,
    0.139_682_01,
    0.139_306_44,
    0.122_661_66,
    0.096_666_43,
    -0.005_474_130_6,
    0.136_657_01,
    -0.237_912_79,
    0.136_040_28,
    -0.027_624_134,
];
