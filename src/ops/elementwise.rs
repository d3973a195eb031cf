//! Loops over slices that the losses spend their time in, compiled once for any processor and once for AVX2, with the same bits from both.
//!
//! Sums are taken in interleaved lanes of f32 and carried on in f64 block by block, in an order that depends on the length alone.

/// Defines a function whose body is compiled for the processor at hand as well: loops in it use 256-bit vectors where there is AVX2. Functions that it calls must be
/// `#[inline(always)]`. No products and sums are contracted, so that both versions give the same bits.
macro_rules! vectorized {
    ($(#[$meta:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$meta])*
        $visibility fn $name($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn portable($($argument: $type),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn wide($($argument: $type),*) $(-> $result)? {
                    portable($($argument),*)
                }
                if std::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has AVX2, the only thing `wide` asks for.
                    return unsafe { wide($($argument),*) };
                }
            }
            portable($($argument),*)
        }
    };
}
pub(super) use vectorized;

/// Interleaved sums of a loop.
pub(super) const LANES: usize = 32;
/// Elements that are summed in f32 before they are added to an f64: a multiple of the lanes.
pub(super) const BLOCK: usize = 1024;

/// e^x for x ≤ 88; below −87 it stays at e^−87 ≈ 1.6e-38, and NaN stays NaN. Relative error below 2e-7.
///
/// x = n·ln 2 + r with |r| ≤ ln 2/2 and e^x = 2ⁿ·e^r, e^r by its Taylor polynomial of degree 7. n is rounded by adding 1.5·2²³, which leaves it in the low bits of the sum; ln 2 is
/// taken off in two parts, the first of which has so few bits that n times it is exact.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = (std::f64::consts::LN_2 - 0.693_359_375) as f32;
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let high = 1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)));
    let polynomial = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * high)));
    let power = f32::from_bits(shifted.to_bits().wrapping_sub(SHIFT.to_bits()).wrapping_add(127) << 23);
    polynomial * power
}

vectorized! {
    /// The largest value; −∞ for an empty slice. NaN is passed over.
    pub(super) fn max(values: &[f32]) -> f32 {
        let mut tops = [f32::NEG_INFINITY; LANES];
        let blocks = values.chunks_exact(LANES);
        let rest = blocks.remainder();
        for block in blocks {
            for lane in 0..LANES {
                tops[lane] = if block[lane] > tops[lane] { block[lane] } else { tops[lane] };
            }
        }
        tops.iter().chain(rest).fold(f32::NEG_INFINITY, |top, &x| if x > top { x } else { top })
    }
}

vectorized! {
    /// Fills `out` with exp((x − top)·scale) and returns its sum. `top` is at least every x.
    pub(super) fn exp_into(out: &mut [f32], values: &[f32], top: f32, scale: f32) -> f64 {
        let mut total = 0.0f64;
        for (out, values) in out.chunks_mut(BLOCK).zip(values.chunks(BLOCK)) {
            for (out, &x) in out.iter_mut().zip(values) {
                *out = exp((x - top) * scale);
            }
            total += sum(out);
        }
        total
    }
}

/// Σ of a block, in lanes.
#[inline(always)]
fn sum(block: &[f32]) -> f64 {
    let mut sums = [0.0f32; LANES];
    let groups = block.chunks_exact(LANES);
    let rest = groups.remainder();
    for group in groups {
        for lane in 0..LANES {
            sums[lane] += group[lane];
        }
    }
    sums.iter().chain(rest).map(|&x| f64::from(x)).sum()
}

vectorized! {
    /// sums += scale·values.
    pub(super) fn add_scaled(sums: &mut [f32], values: &[f32], scale: f32) {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += scale * value;
        }
    }
}

vectorized! {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_two_parts_in_ten_million() {
        let mut x = -87.0f32;
        while x < 0.5 {
            let expected = f64::from(x).exp();
            assert!((f64::from(exp(x)) / expected - 1.0).abs() < 2e-7, "{x}: {} against {expected}", exp(x));
            x += 0.001_37;
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(-2e4) < 2e-38 && exp(-2e4) >= 0.0);
    }

    #[test]
    fn sums_and_largest_values_hold_for_any_length() {
        for count in [1, 5, 31, 32, 33, 1024, 2500] {
            let values: Vec<f32> = (0..count).map(|i| -((i * 7919 % 101) as f32) / 10.0).collect();
            let top = max(&values);
            assert_eq!(top, values.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            let mut out = vec![0.0; count];
            let total = exp_into(&mut out, &values, top, 0.5);
            let expected: f64 = values.iter().map(|&x| (0.5 * (f64::from(x) - f64::from(top))).exp()).sum();
            assert!((total / expected - 1.0).abs() < 1e-6);
            let product: f64 = values.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            assert!((dot(&values, &values) - product).abs() < 1e-9 * product.max(1.0));
        }
    }
}
