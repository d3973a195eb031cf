//! Distances of two clouds of vectors that need no critic.

/// How far the cloud x is from y, N vectors each; i and j number the vectors. All but the last look
/// at the clouds alone, so that the order of their rows does not matter. What is called detached is
/// a number of the clouds that the gradient takes as given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CloudDistance<'a> {
    /// The mean over K directions θ and over i of (sort(xθ)_i − sort(yθ)_i)², the order
    /// detached: the square of the sliced 2-Wasserstein distance. Directions are the rows of (K,
    /// C).
    SlicedWasserstein { directions: &'a [f32] },
    /// 2·E‖x − y‖ − E‖x − x′‖ − E‖y − y′‖ with ‖d‖ = √(d² +
    /// 1e-8): the first mean runs over all i and j, the others over i ≠ j, so that the estimate
    /// may be negative.
    Energy,
    /// Unbiased: mean k(x, x′) and mean k(y, y′) over i ≠ j, less 2·mean k(x, y) over all i
    /// and j; k is the mean of exp(−d²/(s·m)) over s = ¼, ½, 1, 2, 4, with m the detached
    /// median of d² between x and y. May be negative.
    Mmd,
    /// ‖μ_x − μ_y‖² + tr(A + B − 2·(B^½·A·B^½)^½), A and B the covariances (over
    /// N) plus 1e-4 on their diagonals: the squared 2-Wasserstein distance of two normal
    /// distributions.
    GaussianW2,
    /// S = OT(x, y) − ½·OT(x, x) − ½·OT(y, y), where OT is the least ⟨P, C⟩ + ε·KL(P
    /// ‖ a⊗b) for C = d² (arXiv 1810.08278), and ε is `epsilon` times the detached median of
    /// d² between x and y. Potentials take at most `iterations` updates each at that ε; the
    /// gradient takes the plans as given, which at the optimum is the gradient.
    Sinkhorn { epsilon: f64, iterations: usize },
    /// 1 − ‖yᵀx‖²/(‖xᵀx‖·‖yᵀy‖) in Frobenius norms, columns centred (linear
    /// CKA, arXiv 1905.00414): which vectors belong together matters, and the widths may differ.
    /// Biased downwards for few vectors: clouds that know nothing of each other are near 0 where N
    /// is not above the widths.
    Cka,
}
