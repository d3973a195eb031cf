//! Element-wise functions and sums over slices, written so that the compiler vectorises them, and compiled once per instruction set.
//!
//! Which set runs is found out at run time. No multiplication is fused with an addition and every sum runs in lanes of fixed places, so all sets give the same bits.

/// Lanes of a sum.
pub(super) const LANES: usize = 32;
/// Elements that one lane sum covers before it goes on in f64.
pub(super) const BLOCK: usize = 1024;

/// Declares a function that runs the widest version of an inlined body that this machine has.
macro_rules! dispatched {
    ($(#[$doc:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
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
                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512dq") {
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

/// e^x to about 1 ulp, for |x| up to 87; larger ones saturate at e^±87.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2; e^r by its Taylor polynomial of degree 7 (error below 1e-8 there), 2^n by building the exponent's bits.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 87.0);
    let n = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut p = 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    p * f32::from_bits(((n as i32 + 127) as u32) << 23)
}

#[inline(always)]
fn lane_sum(lanes: [f32; LANES]) -> f64 {
    lanes.iter().map(|&lane| f64::from(lane)).sum()
}

/// Σ f(i) over 0 … count − 1: f32 lanes within a block, blocks in f64.
#[inline(always)]
pub(super) fn sum_by(count: usize, f: impl Fn(usize) -> f32) -> f64 {
    let mut total = 0.0;
    let mut start = 0;
    while start < count {
        let end = count.min(start + BLOCK);
        let whole = start + (end - start) / LANES * LANES;
        let mut lanes = [0.0f32; LANES];
        let mut i = start;
        while i < whole {
            for lane in 0..LANES {
                lanes[lane] += f(i + lane);
            }
            i += LANES;
        }
        for lane in 0..end - whole {
            lanes[lane] += f(whole + lane);
        }
        total += lane_sum(lanes);
        start = end;
    }
    total
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
        sum_by(out.len(), |i| out[i])
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
        let rest: f64 = left_rest.iter().zip(right_rest).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
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
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_within_two_units_of_the_last_place() {
        for i in 0..200_000 {
            let x = -87.0 + 174.0 * (i as f32) / 200_000.0;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 2.4e-7, "{x}: {error}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(-1e4) < 1e-37 && exp(1e4).is_finite());
    }

    #[test]
    fn sums_and_largest_values_cover_every_element() {
        for count in [0, 1, 15, 16, 17, 511, 512, 513, 2000] {
            let x: Vec<f32> = (0..count).map(|i| (i as f32 * 0.37).sin()).collect();
            let squares: f64 = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            assert!((dot(&x, &x) - squares).abs() < 1e-9);
            assert_eq!(max(&x), x.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            let mut out = vec![0.0; count];
            let total = exp_into(&mut out, &x, 0.5, 2.0);
            let expected: f64 = x.iter().map(|&x| ((f64::from(x) - 0.5) * 2.0).exp()).sum();
            assert!((total - expected).abs() < 1e-5 * expected.max(1.0));
        }
    }

    #[test]
    fn a_nan_stays_one_in_a_sum_of_exponentials() {
        let mut out = vec![0.0; 3];
        assert!(exp_into(&mut out, &[0.0, f32::NAN, 1.0], 0.0, 1.0).is_nan());
    }
}
