//! Tests of `floats.rs`.

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

#[test]
fn doubles_are_rounded_to_the_nearest() {
    let exact: [f64; 4] = [0.1, -1.0 - 2f64.powi(-24) - 2f64.powi(-40), 1e39, 1e-46];
    let bytes: Vec<u8> = exact.iter().flat_map(|x| x.to_le_bytes()).collect();
    let mut out = [0.0; 4];
    fill_from_f64(&mut out, &bytes);
    assert_eq!(out, [0.1, -1.0 - 2f32.powi(-23), f32::INFINITY, 0.0]);
}
