//! A loss of two clouds of vectors.

use super::FLOAT_BYTES;

/// Bytes of a number where covariances are computed.
const WIDE_BYTES: f64 = 8.0;
/// Operations of an eigen-decomposition of a (C, C) matrix, as a multiple of C³: 4/3 for the
/// tridiagonal form, 4/3 for its turn, 6 for the QL steps.
const EIGEN: f64 = 9.0;

/// What a loss of two clouds does, and on how many vectors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CloudShape {
    pub kind: CloudKind,
    /// Vectors of each cloud that are compared, N.
    pub tokens: usize,
    /// C of the student's vectors, projected where they are, and of the teacher's.
    pub widths: [usize; 2],
}

/// How two clouds are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CloudKind {
    /// Along directions.
    Sliced { directions: usize },
    /// By all pairs.
    Pairs,
    /// By all pairs, with potentials.
    Transport { iterations: usize },
    /// By covariances and their roots.
    Covariances,
    /// By products of the clouds.
    Cka,
}

impl CloudShape {
    fn numbers(&self) -> (f64, f64, f64) {
        let [own, other] = self.widths;
        (self.tokens as f64, own as f64, other as f64)
    }

    /// Operations of a value with its gradient. An update of potentials counts as the product of a
    /// matrix and a vector, which it is but for logarithms; sorting counts nothing.
    pub fn flops(&self) -> f64 {
        let (n, own, other) = self.numbers();
        // d² between both clouds and within each, and the pulls of the first two.
        let pairs = 10.0 * n * n * own;
        match self.kind {
            CloudKind::Sliced { directions } => 6.0 * n * own * directions as f64,
            CloudKind::Pairs => pairs,
            // Both potentials between the clouds, and one within each.
            CloudKind::Transport { iterations } => pairs + 8.0 * n * n * iterations as f64,
            // Two covariances and the gradient; two decompositions and six products of roots.
            CloudKind::Covariances => 6.0 * n * own * own + (2.0 * EIGEN + 12.0) * own * own * own,
            CloudKind::Cka => {
                2.0 * n * (own * other + own * own + other * other)
                    + 2.0 * n * (own * other + own * own)
            }
        }
    }

    /// Bytes that it works in.
    pub fn workspace_bytes(&self) -> f64 {
        let (n, own, other) = self.numbers();
        let clouds = FLOAT_BYTES * 3.0 * n * own.max(other);
        clouds
            + match self.kind {
                CloudKind::Sliced { directions } => {
                    FLOAT_BYTES * n * (2.0 * directions as f64 + 2.0)
                }
                CloudKind::Pairs => FLOAT_BYTES * 2.0 * n * n,
                CloudKind::Transport { .. } => FLOAT_BYTES * 3.0 * n * n,
                CloudKind::Covariances => WIDE_BYTES * (2.0 * n * own + 8.0 * own * own),
                CloudKind::Cka => WIDE_BYTES * (n * (own + other) + (own + other) * (own + other)),
            }
    }
}

#[cfg(test)]
#[path = "cloud_tests.rs"]
mod tests;
