//! The debiased Sinkhorn divergence, in the log domain.
//!
//! For a cost C and weights 1/N a potential is updated by f_i = −ε·log Σ_j exp((g_j −
//! C_ij)/ε)/N. The regularisation comes down by halves from the largest cost to ε first, which
//! takes few updates where starting at ε takes many. At the optimum OT = mean f + mean g, and its
//! gradient is that of ⟨P, C⟩ with the plan P_ij = exp((f_i + g_j − C_ij)/ε)/N² as it is.

use rayon::prelude::*;

use super::super::vector::{self, dispatched, exp, sum_of, sum_of_two};
use super::squares::{Centred, add_pulls, median};
use super::{Clouds, ValueAndGradient};

/// Potentials stand when none moves by more than this share of ε: the digits of exponents that are
/// differences of f32 numbers.
const STANDING: f64 = 1e-5;
/// The smallest ε: clouds of one point have no median.
const LEAST_EPSILON: f64 = 1e-12;

/// See [`crate::ops::CloudDistance::Sinkhorn`].
pub(super) fn divergence(clouds: Clouds<'_>, epsilon: f64, iterations: usize) -> ValueAndGradient {
    let (x, y) = Centred::both(clouds);
    let costs = x.distances(&y);
    let transposed = y.distances(&x);
    let epsilon = (epsilon * median(&costs)).max(LEAST_EPSILON);
    let temper = Temper {
        epsilon,
        iterations,
        start: f64::from(vector::max(&costs)),
    };
    let mut gradient = vec![0.0; if clouds.gradient { clouds.x.len() } else { 0 }];
    let (f, g) = temper.between(&costs, &transposed);
    drop(transposed);
    let mut value = mean(&f) + mean(&g);
    if clouds.gradient {
        add_plan(&mut gradient, 1.0, costs, (&f, &g), epsilon, &x, &y);
    }
    for (cloud, has_gradient) in [(&x, clouds.gradient), (&y, false)] {
        let costs = cloud.distances(cloud);
        let f = temper.within(&costs);
        value -= mean(&f);
        if has_gradient {
            add_plan(&mut gradient, -1.0, costs, (&f, &f), epsilon, cloud, cloud);
        }
    }
    (value, gradient)
}

/// How potentials are found.
#[derive(Debug, Clone, Copy)]
struct Temper {
    epsilon: f64,
    iterations: usize,
    /// Where the regularisation starts.
    start: f64,
}

impl Temper {
    /// The regularisations above ε, falling.
    fn above(self) -> impl Iterator<Item = f64> {
        let halves = std::iter::successors(Some(self.start), |epsilon| Some(epsilon / 2.0));
        // Costs that are not finite are a diverged run's: ∞ has no end of halves.
        halves.take_while(move |&epsilon| epsilon.is_finite() && epsilon > self.epsilon)
    }

    /// Potentials of two clouds.
    fn between(self, costs: &[f32], transposed: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let count = costs.len().isqrt();
        let (mut f, mut g) = (vec![0.0; count], vec![0.0; count]);
        for epsilon in self.above() {
            f = updated(costs, &g, epsilon);
            g = updated(transposed, &f, epsilon);
        }
        for _ in 0..self.iterations {
            let next = updated(costs, &g, self.epsilon);
            let moved = largest_difference(&next, &f);
            f = next;
            g = updated(transposed, &f, self.epsilon);
            if moved <= STANDING * self.epsilon {
                break;
            }
        }
        (f, g)
    }

    /// The one potential of a cloud with itself: the mean of the last one and its update, which
    /// comes to stand where the update alone would swing.
    fn within(self, costs: &[f32]) -> Vec<f64> {
        let mut f = vec![0.0; costs.len().isqrt()];
        let step = |f: &[f64], epsilon| -> Vec<f64> {
            let next = updated(costs, f, epsilon);
            next.iter().zip(f).map(|(a, b)| 0.5 * (a + b)).collect()
        };
        for epsilon in self.above() {
            f = step(&f, epsilon);
        }
        for _ in 0..self.iterations {
            let next = step(&f, self.epsilon);
            let moved = largest_difference(&next, &f);
            f = next;
            if moved <= STANDING * self.epsilon {
                break;
            }
        }
        f
    }
}

fn mean(potentials: &[f64]) -> f64 {
    potentials.iter().sum::<f64>() / potentials.len() as f64
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    let pairs = a.iter().zip(b);
    pairs.fold(0.0, |largest, (a, b)| f64::max(largest, (a - b).abs()))
}

/// −ε·log Σ_j exp((g_j − C_ij)/ε)/N for every row i.
fn updated(costs: &[f32], other: &[f64], epsilon: f64) -> Vec<f64> {
    let count = other.len();
    let log_count = (count as f64).ln();
    let scaled: Vec<f32> = other
        .iter()
        .map(|g| (g / epsilon - log_count) as f32)
        .collect();
    let rate = (1.0 / epsilon) as f32;
    costs
        .par_chunks(count)
        .with_min_len(8)
        .map(|row| -epsilon * log_sum(row, &scaled, rate))
        .collect()
}

dispatched! {
    /// log Σ exp(h − rate·c).
    fn log_sum(costs: &[f32], h: &[f32], rate: f32) -> f64 {
        const LANES: usize = 16;
        let at = |c: f32, h: f32| h - rate * c;
        let mut tops = [f32::NEG_INFINITY; LANES];
        let ((cs, c_rest), (hs, h_rest)) = (costs.as_chunks::<LANES>(), h.as_chunks::<LANES>());
        for (c, h) in cs.iter().zip(hs) {
            for lane in 0..LANES {
                let x = at(c[lane], h[lane]);
                tops[lane] = if x > tops[lane] { x } else { tops[lane] };
            }
        }
        for (top, (c, h)) in tops.iter_mut().zip(c_rest.iter().zip(h_rest)) {
            let x = at(*c, *h);
            *top = if x > *top { x } else { *top };
        }
        let top = tops.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum = sum_of_two(costs, h, |c, h| exp(at(c, h) - top));
        f64::from(top) + sum.ln()
    }
}

/// Adds `sign`·2·Σ_j P_ij·(x_i − y_j): of two clouds that is the gradient of ⟨P, C⟩ for
/// x, and of one cloud with itself half of it.
fn add_plan(
    gradient: &mut [f32],
    sign: f64,
    costs: Vec<f32>,
    (f, g): (&[f64], &[f64]),
    epsilon: f64,
    x: &Centred,
    y: &Centred,
) {
    let count = g.len();
    let mut plan = costs;
    let scaled: Vec<f32> = g.iter().map(|g| (g / epsilon) as f32).collect();
    let rate = (1.0 / epsilon) as f32;
    let sums: Vec<f64> = plan
        .par_chunks_mut(count)
        .zip(f)
        .with_min_len(8)
        .map(|(row, f)| fill_plan(row, &scaled, (f / epsilon) as f32, rate))
        .collect();
    let scale = sign * 2.0 / (count * count) as f64;
    add_pulls(gradient, scale, &plan, &sums, x, y);
}

dispatched! {
    /// c becomes exp(own + h − rate·c); the sum.
    fn fill_plan(costs: &mut [f32], h: &[f32], own: f32, rate: f32) -> f64 {
        for (c, h) in costs.iter_mut().zip(h) {
            *c = exp(own + (h - rate * *c));
        }
        sum_of(costs, |x| x)
    }
}
