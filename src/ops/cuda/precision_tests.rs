//! Tests of products of rounded numbers on a card.

use dfdx::prelude::*;

use super::cuda_tests::{REAL, card, compare, on};
use crate::ops::Precision::{Bf16, F32, Tf32};
use crate::ops::composed::layers as composed;
use crate::ops::test_support::{assert_close, matrix};
use crate::ops::{Layers, Mat, tape};

#[test]
fn in_bfloat16_a_layer_is_that_of_the_processor() {
    let Some(card) = card() else { return };
    let x = [
        matrix(9, 13, 1.0, 0),
        matrix(13, 21, 1.0, 1),
        matrix(1, 21, 1.0, 2),
    ];
    compare(
        &card,
        "bfloat16",
        &x,
        2e-5,
        |v, x| Cuda::linear(v, &x[1], &x[2], Bf16),
        |v, x| Cpu::linear(v, &x[1], &x[2], Bf16),
    );
}

#[test]
fn in_tf32_products_take_ten_digits_and_sums_all() {
    let Some(card) = card() else { return };
    let rounded = |x: &Mat<Cpu>| {
        let round = |x: f32| f32::from_bits((x.to_bits() + 0x1000) & !0x1fff);
        let values = tape::read(x).into_iter().map(round).collect();
        tape::matrix(&Cpu::default(), x.shape().0, x.shape().1, values)
    };
    let (x, weight, bias) = (
        matrix(9, 130, 1.0, 0),
        matrix(130, 21, 1.0, 1),
        matrix(1, 21, 1.0, 2),
    );
    let on_card = |precision| {
        let [x, weight, bias] = [&x, &weight, &bias].map(|x| on(&card, x));
        tape::read(&Cuda::linear(x, &weight, &bias, precision))
    };
    let of_rounded = composed::linear(rounded(&x), &rounded(&weight), &bias);
    let (found, exact) = (on_card(Tf32), on_card(F32));
    assert_close(&found, &exact, 5e-3);
    // A real card may take an exact kernel for products as small as this, or cut where the emulator
    // rounds.
    if std::env::var_os(REAL).is_none() {
        assert_close(&found, &tape::read(&of_rounded), 2e-4);
        assert_ne!(found, exact);
    }
}
