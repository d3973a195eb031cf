//! Numbers of stored weights as f32, and back.

use std::borrow::Cow;

/// The bytes of little-endian f32, which on most machines are the numbers as they lie.
pub fn le_bytes(values: &[f32]) -> Cow<'_, [u8]> {
    if cfg!(target_endian = "little") {
        Cow::Borrowed(bytemuck::cast_slice(values))
    } else {
        values.iter().flat_map(|x| x.to_le_bytes()).collect()
    }
}

/// Little-endian f32.
pub(super) fn fill_from_f32(out: &mut [f32], bytes: &[u8]) {
    let (words, _) = bytes.as_chunks::<4>();
    out.iter_mut()
        .zip(words)
        .for_each(|(out, word)| *out = f32::from_le_bytes(*word));
}

/// Little-endian bfloat16: the upper half of an f32.
pub(super) fn fill_from_bf16(out: &mut [f32], bytes: &[u8]) {
    let (words, _) = bytes.as_chunks::<2>();
    out.iter_mut()
        .zip(words)
        .for_each(|(out, word)| *out = f32::from_bits(u32::from(u16::from_le_bytes(*word)) << 16));
}

/// Little-endian IEEE half precision.
pub(super) fn fill_from_f16(out: &mut [f32], bytes: &[u8]) {
    let (words, _) = bytes.as_chunks::<2>();
    out.iter_mut()
        .zip(words)
        .for_each(|(out, word)| *out = half(u16::from_le_bytes(*word)));
}

/// The bits of exponent and mantissa moved to their place in an f32 are the number times 2^−112,
/// subnormal ones too; every number is exact.
#[inline(always)]
fn half(bits: u16) -> f32 {
    const SCALE: f32 = f32::from_bits((112 + 127) << 23);
    let bits = u32::from(bits);
    let (sign, rest) = ((bits & 0x8000) << 16, bits & 0x7fff);
    let size = if rest < 0x7c00 {
        f32::from_bits(rest << 13) * SCALE
    } else {
        f32::from_bits(0x7f80_0000 | rest << 13)
    };
    f32::from_bits(size.to_bits() | sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_its_definition() {
        for bits in 0..=u16::MAX {
            let mut out = [0.0];
            fill_from_f16(&mut out, &bits.to_le_bytes());
            let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
            let size = match exponent {
                0 => mantissa * 2f64.powi(-24),
                31 if mantissa == 0.0 => f64::INFINITY,
                31 => f64::NAN,
                _ => (1024.0 + mantissa) * 2f64.powi(exponent - 25),
            };
            let expected = if bits & 0x8000 == 0 { size } else { -size };
            assert!(
                f64::from(out[0]) == expected || (out[0].is_nan() && expected.is_nan()),
                "{bits:#x}: {out:?} against {expected}"
            );
            assert_eq!(out[0].is_sign_negative(), bits & 0x8000 != 0);
        }
    }

    #[test]
    fn bytes_are_those_of_the_numbers() {
        assert_eq!(
            *le_bytes(&[1.0, -10.0]),
            [0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc1]
        );
    }

    #[test]
    fn the_other_types_keep_their_bits() {
        let mut out = [0.0; 2];
        fill_from_bf16(&mut out, &[0x80, 0x3f, 0x20, 0xc1]);
        assert_eq!(out, [1.0, -10.0]);
        fill_from_f32(&mut out, &[0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc1]);
        assert_eq!(out, [1.0, -10.0]);
    }
}
