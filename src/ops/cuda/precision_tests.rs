//! Tests of products of rounded numbers on a card.

use dfdx::prelude::*;

use super::cuda_tests::{REAL, card, compare, gradients, on};
use crate::ops::Precision::{Bf16, F32, Tf32};
use crate::ops::composed::layers as composed;
use crate::ops::cpu::bf16::round;
use crate::ops::test_support::{assert_close, matrix};
use crate::ops::{AdamW, Backend, Layers, Losses, Mat, Precision, tape};

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

#[test]
fn a_weight_that_changes_is_rounded_anew() {
    let Some(card) = card() else { return };
    let [x, mut weight, bias, target] = [(9, 16, 0), (16, 24, 1), (1, 24, 2), (16, 24, 3)]
        .map(|(rows, columns, index)| on(&card, &matrix(rows, columns, 1.0, index)));
    let product = |weight: &Mat<Cuda>| tape::read(&Cuda::linear(x.clone(), weight, &bias, Bf16));
    let fresh = |weight: &Mat<Cuda>| {
        let values = tape::read(weight);
        product(&tape::matrix(&card, 16, 24, values))
    };
    let (loss, _) = Cuda::hidden_mse(weight.leaky_trace(), &target, false);
    let gradient = Cuda::take_gradient(&mut loss.backward(), &weight);
    let numbers = AdamW {
        betas: [0.9, 0.99],
        eps: 1e-8,
    };
    let mut moments = Cuda::moments(&weight, None);
    let (start, before) = (tape::read(&weight), product(&weight));
    assert!(before == fresh(&weight) && before == product(&weight));
    // A copy keeps its numbers, and what they were rounded to.
    let copy = weight.clone();
    let step = numbers.step(1.0, 1, 0.1, 0.0);
    Cuda::adamw(&mut weight, &mut moments, &gradient, &step);
    assert!(product(&weight) != before && product(&copy) == before);
    assert!(product(&weight) == fresh(&weight));
    // In place.
    let second = product(&weight);
    Cuda::adamw(&mut weight, &mut moments, &gradient, &step);
    assert!(product(&weight) != second && product(&weight) == fresh(&weight));
    // As a checkpoint is read.
    tape::write(&mut weight, &start);
    assert!(product(&weight) == before);
}

/// Attention and its gradient by their definition in f64, rounded to bfloat16 where a card rounds:
/// queries, keys and values, the incoming gradient, probabilities, and slopes of scores.
fn attention_of_rounded(
    x: &[f32],
    incoming: &[f32],
    [batch, context, heads, head]: [usize; 4],
    scale: f64,
) -> [Vec<f32>; 2] {
    let width = heads * head;
    let rounded = |x: f64| f64::from(round(x as f32));
    let mut out = vec![0.0f64; batch * context * width];
    let mut slopes = vec![0.0f64; batch * context * 3 * width];
    for (s, h) in (0..batch).flat_map(|s| (0..heads).map(move |h| (s, h))) {
        let row_of = |row: usize| s * context + row;
        let place =
            |third: usize, row: usize, i: usize| (3 * row_of(row) + third) * width + h * head + i;
        let at = |third, row, i| rounded(f64::from(x[place(third, row, i)]));
        let out_place = |row: usize, i: usize| row_of(row) * width + h * head + i;
        let g = |row, i| rounded(f64::from(incoming[out_place(row, i)]));
        for row in 0..context {
            let score = |k| scale * (0..head).map(|i| at(0, row, i) * at(1, k, i)).sum::<f64>();
            let scores: Vec<f64> = (0..=row).map(score).collect();
            let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = scores.iter().map(|score| (score - top).exp()).sum();
            let p = |k: usize| (scores[k] - top).exp() / sum;
            let dp = |k| (0..head).map(|i| g(row, i) * at(2, k, i)).sum::<f64>();
            let along: f64 = (0..=row).map(|k| p(k) * dp(k)).sum();
            for k in 0..=row {
                let (weight, slope) = (rounded(p(k)), rounded(scale * p(k) * (dp(k) - along)));
                for i in 0..head {
                    out[out_place(row, i)] += weight * at(2, k, i);
                    slopes[place(2, k, i)] += weight * g(row, i);
                    slopes[place(1, k, i)] += slope * at(0, row, i);
                    slopes[place(0, row, i)] += slope * at(1, k, i);
                }
            }
        }
    }
    [out, slopes].map(|all| all.into_iter().map(|x| x as f32).collect())
}

/// Attention of random numbers in a precision: those numbers, its values, the gradient that comes
/// in, and the one that goes out.
fn attention_on(
    card: &Cuda,
    [batch, context, heads, head]: [usize; 4],
    scale: f32,
    precision: Precision,
) -> [Vec<f32>; 4] {
    let (rows, width) = (batch * context, heads * head);
    let (host, target) = (
        matrix(rows, 3 * width, 1.0, 0),
        matrix(rows, width, 1.0, 99),
    );
    let x = on(card, &host);
    let out = Cuda::attention(x.leaky_trace(), context, heads, scale, precision);
    let values = tape::read(&out);
    let (loss, _) = Cuda::hidden_mse(out, &on(card, &target), false);
    let found = gradients(loss, std::slice::from_ref(&x)).remove(0);
    let share = 2.5 * 2.0 / (rows * width) as f32;
    let targets = tape::read(&target);
    let incoming = values.iter().zip(targets).map(|(x, t)| share * (x - t));
    let incoming = incoming.collect();
    [tape::read(&host), values, incoming, found]
}

#[test]
fn attention_in_bfloat16_is_that_of_rounded_numbers() {
    let Some(card) = card() else { return };
    for (shape, scale) in [
        ([2, 16, 3, 8], 0.37),
        ([1, 64, 2, 16], 1.0),
        ([5, 32, 2, 8], 0.5),
        ([3, 24, 1, 24], 1.0),
    ] {
        let [x, values, incoming, found] = attention_on(&card, shape, scale, Bf16);
        let [out, slopes] = attention_of_rounded(&x, &incoming, shape, f64::from(scale));
        // What lies between two rounded numbers may go to either where sums are in another order:
        // one of them is 2⁻⁸ of the other away, and two in one result are seldom.
        assert_close(&values, &out, 2f32.powi(-7));
        assert_close(&found, &slopes, 2f32.powi(-7));
    }
}

#[test]
fn attention_is_rounded_where_its_addresses_allow_it() {
    let Some(card) = card() else { return };
    // How many numbers are read at a time, of those that begin every row of a head.
    for (shape, fits) in [
        ([2, 16, 2, 8], 8),
        ([5, 32, 2, 8], 8),
        ([2, 12, 2, 8], 4),
        ([1, 16, 3, 4], 4),
        ([2, 16, 3, 7], 1),
        ([2, 5, 1, 8], 1),
        ([1, 1, 1, 1], 1),
    ] {
        let run = |precision| {
            let [_, values, _, slopes] = attention_on(&card, shape, 0.5, precision);
            (values, slopes)
        };
        let [plain, tf32, bf16] = [F32, Tf32, Bf16].map(run);
        assert_eq!(bf16 == tf32, fits < 8, "{shape:?}");
        // A real card may take an exact kernel for products as small as these.
        if std::env::var_os(REAL).is_none() {
            assert_eq!(tf32 == plain, fits < 4, "{shape:?}");
        }
    }
}
