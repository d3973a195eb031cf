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

/// Little-endian f64, each rounded to the nearest f32.
pub(super) fn fill_from_f64(out: &mut [f32], bytes: &[u8]) {
    let (words, _) = bytes.as_chunks::<8>();
    out.iter_mut()
        .zip(words)
        .for_each(|(out, word)| *out = f64::from_le_bytes(*word) as f32);
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
        .for_each(|(out, word)| *out = f32_from_f16(u16::from_le_bytes(*word)));
}

/// IEEE half precision: the bits of exponent and mantissa moved to their place in an f32 are the
/// number times 2^−112, subnormal ones too; every number is exact.
#[inline(always)]
fn f32_from_f16(bits: u16) -> f32 {
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
#[path = "floats_tests.rs"]
mod tests;
