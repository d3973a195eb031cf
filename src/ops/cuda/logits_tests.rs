//! Tests of `logits.rs`: how tokens are cut into chunks, slopes that are rounded, and terms that do
//! not go over a row together.

use super::*;
use crate::ops::cpu::bf16::round;
use crate::ops::cuda::cuda_tests::card;
use crate::ops::test_support::{assert_close, normals};
use crate::ops::{Backend, Losses, tape};

#[test]
fn chunks_are_few_even_and_of_whole_tiles() {
    // Tokens, the most of a chunk, and what a chunk has.
    for (tokens, most, chunk) in [
        (4096, 1334, 1024),
        (4096, 667, 640),
        (4000, 1334, 1024),
        (129, 128, 128),
        (94, 667, 94),
        (40, 16, 14),
        (40, 1, 1),
        (1, 1, 1),
    ] {
        assert_eq!(even_chunk(tokens, most), chunk, "{tokens} by {most}");
    }
}

const fn kl(temperature: f64, reverse: bool) -> LogitTerm {
    LogitTerm::Kl {
        temperature,
        reverse,
    }
}

/// Logits, of numbers that bfloat16 has.
fn logits_of(tokens: usize, vocabulary: usize, index: u64) -> Vec<f32> {
    let values = normals(tokens * vocabulary, 2.0, index);
    values.into_iter().map(round).collect()
}

/// Values, and the gradients of states and head, of losses on logits that are the states
/// themselves: the head is the unit matrix, so that no product rounds anything, and the states'
/// gradients are the logits' slopes.
fn losses_on(
    card: &Cuda,
    [tokens, vocabulary]: [usize; 2],
    terms: &[(LogitTerm, f64)],
    precision: Precision,
) -> (Vec<f64>, [Vec<f32>; 2]) {
    let is_one = |i: usize| i.is_multiple_of(vocabulary + 1);
    let unit = (0..vocabulary * vocabulary).map(|i| f32::from(u8::from(is_one(i))));
    let unit = tape::matrix(card, vocabulary, vocabulary, unit.collect());
    let [own, other] = [0, 1].map(|index| {
        let logits = logits_of(tokens, vocabulary, index);
        tape::matrix(card, tokens, vocabulary, logits)
    });
    let targets: Vec<u32> = (0..tokens).map(|i| (i * 7 % vocabulary) as u32).collect();
    let head = Head {
        matrix: &unit,
        precision,
    };
    let teacher = Some(TeacherHead::new(&other, (&unit).into()));
    let traced = own.leaky_trace();
    let (loss, values) = Cuda::logit_losses(traced, head, &targets, teacher, terms);
    let mut found = loss.backward();
    let gradients = [&own, &unit].map(|x| {
        let gradient = Cuda::take_gradient(&mut found, x);
        Cuda::gradient_values(&gradient)
    });
    (Cuda::fetch(&values), gradients)
}

#[test]
fn slopes_in_bfloat16_are_those_of_f32_rounded_once() {
    let Some(card) = card() else { return };
    let terms = [
        (LogitTerm::Lm, 0.7),
        (kl(2.0, false), 0.5),
        (kl(0.5, true), 0.3),
        (kl(3.0, true), 0.0),
    ];
    // With and without a slope that needs its term's value, and in several chunks.
    for (shape, terms) in [
        ([1, 2], &terms[..]),
        ([20, 70], &terms[..]),
        ([20, 70], &terms[..2]),
        ([5, 300], &terms[..]),
    ] {
        let (values, [slopes, _]) = losses_on(&card, shape, terms, Precision::F32);
        let (same, [found, of_head]) = losses_on(&card, shape, terms, Precision::Bf16);
        assert_eq!(same, values);
        let slopes: Vec<f32> = slopes.into_iter().map(round).collect();
        assert!(found == slopes, "rounded, and nothing else");
        let [tokens, vocabulary] = shape;
        let logits = logits_of(tokens, vocabulary, 0);
        let expected = |i: usize| {
            let of_token = |token: usize| {
                let row = token * vocabulary;
                let slope = f64::from(slopes[row + i / vocabulary]);
                slope * f64::from(logits[row + i % vocabulary])
            };
            (0..tokens).map(of_token).sum::<f64>() as f32
        };
        let expected: Vec<f32> = (0..vocabulary * vocabulary).map(expected).collect();
        assert_close(&of_head, &expected, 1e-5);
    }
}

#[test]
fn terms_beyond_the_first_four_are_as_they_are_alone() {
    let Some(card) = card() else { return };
    let terms = [
        (kl(2.0, true), 0.2),
        (LogitTerm::Lm, 0.7),
        (kl(1.0, false), 0.5),
        (kl(0.5, false), 0.1),
        (kl(1.5, false), 0.4),
        (kl(4.0, true), 0.3),
    ];
    for shape in [[3, 33], [9, 70]] {
        let (mut values, mut plain) = (Vec::new(), vec![0.0f32; shape[0] * shape[1]]);
        let mut rounded = plain.clone();
        for (index, term) in terms.iter().enumerate() {
            let (value, [slopes, _]) =
                losses_on(&card, shape, std::slice::from_ref(term), Precision::F32);
            values.extend(value);
            for (place, slope) in slopes.into_iter().enumerate() {
                plain[place] += slope;
                rounded[place] += slope;
                if index == 3 || index == 5 {
                    rounded[place] = round(rounded[place]);
                }
            }
        }
        let (found, [slopes, _]) = losses_on(&card, shape, &terms, Precision::F32);
        assert!(found == values && slopes == plain, "the same bits in f32");
        let (found, [slopes, _]) = losses_on(&card, shape, &terms, Precision::Bf16);
        assert!(found == values && slopes == rounded, "and rounded twice");
    }
}
