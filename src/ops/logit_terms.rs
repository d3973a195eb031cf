//! The terms of a loss on logits, the heads that they are computed from, and the scores of tokens.

use super::{Backend, Mat, Precision};

/// A loss on the logits z_s of the student and z_t of the teacher, for one token; p =
/// softmax(z/τ).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LogitTerm {
    /// −log p_s(target) at τ = 1.
    Lm,
    /// τ²·Σ p_t·log(p_t/p_s); with `reverse` τ²·Σ p_s·log(p_s/p_t).
    Kl { temperature: f64, reverse: bool },
    /// τ²·KL(p_t ‖ α·p_t + (1 − α)·p_s); with `reverse` τ²·KL(p_s ‖ α·p_s + (1
    /// − α)·p_t) (DistiLLM, arXiv 2402.03898). α = `skew` lies between 0 and 1.
    SkewKl {
        temperature: f64,
        reverse: bool,
        skew: f64,
    },
    /// τ²·(½·KL(p_t ‖ m) + ½·KL(p_s ‖ m)), m = ½·(p_t + p_s).
    Js { temperature: f64 },
    /// ½·Σ |p_t − p_s|; its subgradient is 0 where both are equal.
    Tv { temperature: f64 },
    /// Σ (z_s − z_t)² / V.
    Mse,
    /// Σ |p_t↓ − p_s↓|, each sorted by size (ULD, arXiv 2402.12030): which token has which
    /// probability does not matter. The order is fixed in the gradient.
    Wasserstein { temperature: f64 },
}

impl LogitTerm {
    /// Whether it compares with the teacher.
    pub fn needs_teacher(self) -> bool {
        match self {
            Self::Lm => false,
            Self::Kl { .. }
            | Self::SkewKl { .. }
            | Self::Js { .. }
            | Self::Tv { .. }
            | Self::Mse
            | Self::Wasserstein { .. } => true,
        }
    }

    /// τ of the softmaxes that it is made of; none where it takes logits as they are.
    pub fn temperature(self) -> Option<f64> {
        match self {
            Self::Lm => Some(1.0),
            Self::Mse => None,
            Self::Kl { temperature, .. }
            | Self::SkewKl { temperature, .. }
            | Self::Js { temperature }
            | Self::Tv { temperature }
            | Self::Wasserstein { temperature } => Some(temperature),
        }
    }
}

/// An output embedding (V, C): logits are final hidden states times its transpose, computed in
/// `precision`.
#[derive(Debug)]
pub struct Head<'a, D: Backend> {
    pub matrix: &'a Mat<D>,
    pub precision: Precision,
}

impl<D: Backend> Clone for Head<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Backend> Copy for Head<'_, D> {}

/// In f32.
impl<'a, D: Backend> From<&'a Mat<D>> for Head<'a, D> {
    fn from(matrix: &'a Mat<D>) -> Self {
        Self {
            matrix,
            precision: Precision::F32,
        }
    }
}

/// Where the teacher's logits come from: its final hidden states (N, C_t) and output embedding (V,
/// C_t).
#[derive(Debug)]
pub struct TeacherHead<'a, D: Backend> {
    pub hidden: &'a Mat<D>,
    pub head: Head<'a, D>,
    /// Logits that were computed before, for others as well.
    pub shared: Option<&'a D::SharedLogits>,
}

impl<'a, D: Backend> TeacherHead<'a, D> {
    /// With nothing computed before.
    pub fn new(hidden: &'a Mat<D>, head: Head<'a, D>) -> Self {
        Self {
            hidden,
            head,
            shared: None,
        }
    }
}

impl<D: Backend> Clone for TeacherHead<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Backend> Copy for TeacherHead<'_, D> {}

/// How one token was predicted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenScore {
    /// log p_s(target).
    pub log_probability: f64,
    /// KL(teacher ‖ student) at τ = 1; 0 without a teacher.
    pub kl: f64,
    /// Whether student and teacher hold the same token most likely (the first of equals); false
    /// without a teacher.
    pub agrees: bool,
}

/// Asserts that the shapes of a call fit together.
pub(super) fn assert_shapes<D: Backend, T>(
    hidden: &Mat<D, T>,
    head: Head<D>,
    targets: &[u32],
    teacher: Option<TeacherHead<'_, D>>,
    terms: &[(LogitTerm, f64)],
) {
    let (vocabulary, width) = *head.matrix.shape();
    assert_eq!(
        *hidden.shape(),
        (targets.len(), width),
        "a hidden state of the head's width for every target"
    );
    assert!(
        !targets.is_empty() && targets.iter().all(|&target| (target as usize) < vocabulary),
        "targets are below the vocabulary's {vocabulary}"
    );
    if let Some(teacher) = teacher {
        assert_eq!(
            teacher.head.matrix.shape().0,
            vocabulary,
            "both models have one vocabulary"
        );
        assert_eq!(
            *teacher.hidden.shape(),
            (targets.len(), teacher.head.matrix.shape().1),
            "a hidden state of the teacher for every target"
        );
    }
    for (term, _) in terms {
        assert!(
            teacher.is_some() || !term.needs_teacher(),
            "{term:?} needs a teacher"
        );
        if let Some(temperature) = term.temperature() {
            assert!(
                temperature > 0.0 && temperature.is_finite(),
                "the temperature {temperature} is positive"
            );
        }
        if let LogitTerm::SkewKl { skew, .. } = term {
            assert!(
                *skew > 0.0 && *skew < 1.0,
                "the skew {skew} lies between 0 and 1"
            );
        }
    }
}
