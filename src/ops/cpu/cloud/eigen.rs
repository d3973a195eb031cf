//! Eigenvalues and eigenvectors of a symmetric matrix in f64, on one thread: Householder
//! reflections to a tridiagonal matrix, then implicit QL steps (Wilkinson and Reinsch, Handbook for
//! Automatic Computation II, tred2 and tql2), with all inner loops along rows.

use super::super::vector::dispatched;

/// QL steps for an eigenvalue at most; a few are usual.
const STEPS: usize = 60;

/// Σ λ_k·v_k·v_kᵀ.
pub(super) struct Eigen {
    pub values: Vec<f64>,
    /// v_k is row k.
    vectors: Vec<f64>,
}

impl Eigen {
    /// Of a symmetric (n, n) matrix.
    pub fn of(mut matrix: Vec<f64>, n: usize) -> Self {
        let (mut diagonal, mut beside, mut vectors) = tridiagonal(&mut matrix, n);
        implicit_ql(&mut diagonal, &mut beside, &mut vectors, n);
        Self {
            values: diagonal,
            vectors,
        }
    }

    /// Σ f(λ_k)·v_k·v_kᵀ.
    pub fn function(&self, f: impl Fn(f64) -> f64) -> Vec<f64> {
        let n = self.values.len();
        let rows = self.values.iter().zip(self.vectors.chunks_exact(n));
        let scaled: Vec<f64> = rows
            .flat_map(|(&value, row)| {
                let factor = f(value);
                row.iter().map(move |x| x * factor)
            })
            .collect();
        super::super::gemm::transposed_product_f64(&scaled, n, &self.vectors, n)
    }
}

/// The diagonal of the tridiagonal T = Qᵀ·A·Q, what is beside it, and Qᵀ. The matrix is used
/// up.
fn tridiagonal(a: &mut [f64], n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (mut diagonal, mut beside) = (vec![0.0; n], vec![0.0; n]);
    let mut turned = vec![0.0; n * n];
    (0..n).for_each(|i| turned[i * n + i] = 1.0);
    for k in 0..n {
        diagonal[k] = a[k * n + k];
        if k + 1 == n {
            break;
        }
        // The reflection v that turns the rest of row k to its first element.
        let mut v: Vec<f64> = a[k * n + k + 1..(k + 1) * n].to_vec();
        let tail: f64 = v[1..].iter().map(|x| x * x).sum();
        if tail == 0.0 {
            beside[k] = v[0];
            continue;
        }
        let first = v[0];
        let length = (first * first + tail).sqrt();
        beside[k] = if first > 0.0 { -length } else { length };
        v[0] -= beside[k];
        let norm = (v[0] * v[0] + tail).sqrt();
        v.iter_mut().for_each(|x| *x /= norm);
        reflect(&mut a[(k + 1) * n..], k + 1, &v, n);
        turn(&mut turned[(k + 1) * n..], &v, n);
    }
    (diagonal, beside, turned)
}

/// H·A·H for H = I − 2·v·vᵀ: A − 2·v·wᵀ − 2·w·vᵀ, w = A·v − (vᵀ·A·v)·v.
/// `rows` are those of A from `from` on, and so are the columns that change.
fn reflect(rows: &mut [f64], from: usize, v: &[f64], n: usize) {
    let mut w: Vec<f64> = rows
        .chunks_exact(n)
        .map(|row| inner(&row[from..], v))
        .collect();
    let along = inner(&w, v);
    w.iter_mut().zip(v).for_each(|(w, v)| *w -= along * v);
    for ((row, &own_v), &own_w) in rows.chunks_exact_mut(n).zip(v).zip(&w) {
        subtract_two(&mut row[from..], 2.0 * own_v, &w, 2.0 * own_w, v);
    }
}

/// H·M, of which `rows` are those that change.
fn turn(rows: &mut [f64], v: &[f64], n: usize) {
    let mut along = vec![0.0; n];
    for (row, &v) in rows.chunks_exact(n).zip(v) {
        subtract(&mut along, -2.0 * v, row);
    }
    for (row, &v) in rows.chunks_exact_mut(n).zip(v) {
        subtract(row, v, &along);
    }
}

/// The eigenvalues in place of the diagonal, and their vectors in place of Qᵀ.
fn implicit_ql(d: &mut [f64], e: &mut [f64], vectors: &mut [f64], n: usize) {
    for l in 0..n {
        for _ in 0..STEPS {
            let is_split = |m: usize| {
                let around = d[m].abs() + d[m + 1].abs();
                e[m].abs() <= f64::EPSILON * around
            };
            let m = (l..n - 1).find(|&m| is_split(m)).unwrap_or(n - 1);
            if m == l {
                break;
            }
            ql_step(d, e, vectors, n, l, m);
        }
    }
}

/// One step on the block from l to m.
fn ql_step(d: &mut [f64], e: &mut [f64], vectors: &mut [f64], n: usize, l: usize, m: usize) {
    let ratio = (d[l + 1] - d[l]) / (2.0 * e[l]);
    let root = ratio.hypot(1.0).copysign(ratio);
    let mut g = d[m] - d[l] + e[l] / (ratio + root);
    let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
    for i in (l..m).rev() {
        let (f, b) = (s * e[i], c * e[i]);
        let r = f.hypot(g);
        e[i + 1] = r;
        if r == 0.0 {
            d[i + 1] -= p;
            e[m] = 0.0;
            return;
        }
        (s, c) = (f / r, g / r);
        let middle = d[i + 1] - p;
        let step = (d[i] - middle) * s + 2.0 * c * b;
        p = s * step;
        d[i + 1] = middle + p;
        g = c * step - b;
        let (above, below) = vectors.split_at_mut((i + 1) * n);
        rotate(&mut above[i * n..], &mut below[..n], c, s);
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0.0;
}

dispatched! {
    /// Σ a·b, in lanes.
    fn inner(a: &[f64], b: &[f64]) -> f64 {
        const LANES: usize = 16;
        let mut sums = [0.0; LANES];
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        for (a, b) in a.iter().zip(b) {
            for lane in 0..LANES {
                sums[lane] += a[lane] * b[lane];
            }
        }
        let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
        sums.iter().sum::<f64>() + rest
    }
}

dispatched! {
    /// x −= a·y.
    fn subtract(x: &mut [f64], a: f64, y: &[f64]) {
        for (x, y) in x.iter_mut().zip(y) {
            *x -= a * y;
        }
    }
}

dispatched! {
    /// x −= a·y + b·z.
    fn subtract_two(x: &mut [f64], a: f64, y: &[f64], b: f64, z: &[f64]) {
        for ((x, y), z) in x.iter_mut().zip(y).zip(z) {
            *x -= a * y + b * z;
        }
    }
}

dispatched! {
    /// (a, b) = (c·a − s·b, s·a + c·b).
    fn rotate(a: &mut [f64], b: &mut [f64], c: f64, s: f64) {
        for (a, b) in a.iter_mut().zip(b.iter_mut()) {
            let (x, y) = (*a, *b);
            *a = c * x - s * y;
            *b = s * x + c * y;
        }
    }
}

#[cfg(test)]
#[path = "eigen_tests.rs"]
mod tests;
