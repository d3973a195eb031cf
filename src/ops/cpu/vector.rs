//! Element-wise functions and sums over slices, written so that the compiler vectorises them, and
//! compiled once per instruction set.
//!
//! Which set runs is found out at run time. No multiplication is fused with an addition and every
//! sum runs in lanes of fixed places, so all sets give the same bits.

use rayon::prelude::*;

/// Lanes of a sum.
pub(super) const LANES: usize = 32;
/// Elements that one lane sum covers before it goes on in f64.
pub(super) const BLOCK: usize = 1024;

/// Declares a function that runs the widest version of an inlined body that this machine has.
macro_rules! dispatched {
    (
        $(#[$doc:meta])*
        $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $out:ty)?
        $body:block
    ) => {
        $(#[$doc])*
        $visibility fn $name($($argument: $type),*) $(-> $out)? {
            #[inline(always)]
            fn body($($argument: $type),*) $(-> $out)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq")]
                fn with_avx512($($argument: $type),*) $(-> $out)? {
                    body($($argument),*)
                }
                #[target_feature(enable = "avx2")]
                fn with_avx2($($argument: $type),*) $(-> $out)? {
                    body($($argument),*)
                }
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                {
                    // SAFETY: the machine has just said that it knows these instructions.
                    return unsafe { with_avx512($($argument),*) };
                }
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: the machine has just said that it knows these instructions.
                    return unsafe { with_avx2($($argument),*) };
                }
            }
            body($($argument),*)
        }
    };
}
pub(super) use dispatched;

/// `count` rows, each a copy of what `source` says for its index, then changed by its index: memory
/// that is written anyway is not cleared first.
pub(super) fn rows_from<'a, R: Send>(
    count: usize,
    columns: usize,
    least: usize,
    source: impl Fn(usize) -> &'a [f32] + Sync + Send,
    change: impl Fn(usize, &mut [f32]) -> R + Sync + Send,
) -> (Vec<f32>, Vec<R>) {
    let length = count * columns;
    let mut out: Vec<f32> = Vec::with_capacity(length);
    let rows = out.spare_capacity_mut()[..length]
        .par_chunks_exact_mut(columns.max(1))
        .with_min_len(least);
    let results = rows
        .enumerate()
        .map(|(row, out)| change(row, out.write_copy_of_slice(source(row))))
        .collect();
    // SAFETY: the rows make up all of `length`, and each was written as a whole: a copy of a slice
    // of another length panics.
    unsafe { out.set_len(length) };
    (out, results)
}

/// e^x to about 1 ulp, for |x| up to 87; larger ones saturate at e^±87.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2; e^r by its Taylor polynomial of degree 7 (error below
/// 1e-8 there), 2^n by building the exponent's bits.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 87.0);
    // Added to 1.5·2²³, a number is rounded, and stands in the lowest bits: a cast would keep
    // the compiler from vectorising.
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut p = 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    p * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

/// log(1 + u) for u from 0 to 1, to about 1 ulp: 2·artanh(s) with s = u/(2 + u) ≤ 1/3, by its
/// series up to s¹⁵ (what follows is below 2e-9 of it).
#[inline(always)]
pub(super) fn ln_1p(u: f32) -> f32 {
    let s = u / (2.0 + u);
    let square = s * s;
    let mut p = 1.0 / 15.0;
    p = p * square + 1.0 / 13.0;
    p = p * square + 1.0 / 11.0;
    p = p * square + 1.0 / 9.0;
    p = p * square + 1.0 / 7.0;
    p = p * square + 0.2;
    p = p * square + 1.0 / 3.0;
    p = p * square + 1.0;
    2.0 * s * p
}

#[inline(always)]
fn lane_sum(lanes: [f32; LANES]) -> f64 {
    lanes.iter().map(|&lane| f64::from(lane)).sum()
}

/// Σ f(xᵢ, yᵢ, zᵢ) over slices of one length: f32 lanes within a block, blocks in f64.
#[inline(always)]
pub(super) fn sum_of_three(
    x: &[f32],
    y: &[f32],
    z: &[f32],
    f: impl Fn(f32, f32, f32) -> f32,
) -> f64 {
    let count = x.len();
    let blocks = x
        .chunks(BLOCK)
        .zip(y[..count].chunks(BLOCK))
        .zip(z[..count].chunks(BLOCK));
    let mut total = 0.0;
    for ((x, y), z) in blocks {
        let mut lanes = [0.0f32; LANES];
        // Arrays and not indices, so that the compiler sees no bounds.
        let ((x, x_rest), (y, y_rest), (z, z_rest)) = (
            x.as_chunks::<LANES>(),
            y.as_chunks::<LANES>(),
            z.as_chunks::<LANES>(),
        );
        for ((x, y), z) in x.iter().zip(y).zip(z) {
            for lane in 0..LANES {
                lanes[lane] += f(x[lane], y[lane], z[lane]);
            }
        }
        for (lane, ((x, y), z)) in lanes.iter_mut().zip(x_rest.iter().zip(y_rest).zip(z_rest)) {
            *lane += f(*x, *y, *z);
        }
        total += lane_sum(lanes);
    }
    total
}

/// Σ f(xᵢ, yᵢ), likewise.
#[inline(always)]
pub(super) fn sum_of_two(x: &[f32], y: &[f32], f: impl Fn(f32, f32) -> f32) -> f64 {
    sum_of_three(x, y, y, |x, y, _| f(x, y))
}

/// Σ f(xᵢ), likewise.
#[inline(always)]
pub(super) fn sum_of(x: &[f32], f: impl Fn(f32) -> f32) -> f64 {
    sum_of_three(x, x, x, |x, _, _| f(x))
}

dispatched! {
    /// The largest value; −∞ of none. A NaN is passed over, as `f32::max` does.
    pub(super) fn max(x: &[f32]) -> f32 {
        let mut lanes = [f32::NEG_INFINITY; LANES];
        let mut chunks = x.chunks_exact(LANES);
        for chunk in &mut chunks {
            for lane in 0..LANES {
                lanes[lane] = if chunk[lane] > lanes[lane] { chunk[lane] } else { lanes[lane] };
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(chunks.remainder()) {
            *lane = if x > *lane { x } else { *lane };
        }
        lanes.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }
}

dispatched! {
    /// out = e^((x − shift)·scale); returns the sum. A NaN in x stays one in the sum.
    pub(super) fn exp_into(out: &mut [f32], x: &[f32], shift: f32, scale: f32) -> f64 {
        for (out, x) in out.iter_mut().zip(x) {
            *out = exp((x - shift) * scale);
        }
        sum_of(out, |x| x)
    }
}

dispatched! {
    /// sums += scale·values.
    pub(super) fn add_scaled(sums: &mut [f32], values: &[f32], scale: f32) {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += scale * value;
        }
    }
}

dispatched! {
    /// Σ a·b in f64.
    pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
        const WIDE: usize = 16;
        let mut sums = [0.0f64; WIDE];
        let (left, right) = (a.chunks_exact(WIDE), b.chunks_exact(WIDE));
        let (left_rest, right_rest) = (left.remainder(), right.remainder());
        for (a, b) in left.zip(right) {
            for lane in 0..WIDE {
                sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
            }
        }
        let rest: f64 = left_rest
            .iter()
            .zip(right_rest)
            .map(|(&a, &b)| f64::from(a) * f64::from(b))
            .sum();
        sums.iter().sum::<f64>() + rest
    }
}

dispatched! {
    /// x += y.
    pub(super) fn add(x: &mut [f32], y: &[f32]) {
        for (x, y) in x.iter_mut().zip(y) {
            *x += y;
        }
    }
}

#[cfg(test)]
#[path = "vector_tests.rs"]
mod tests;
