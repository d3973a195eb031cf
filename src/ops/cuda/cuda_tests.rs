//! Tests of the operations on a card: on the one that the machine has, else on an emulated one, as
//! the composed forms on the CPU are. Where there is no g++ to build the emulator, they say so.

use dfdx::prelude::*;

use super::{driver, open};
use crate::ops::Precision::{Bf16, F32};
use crate::ops::composed::layers as composed;
use crate::ops::composed::losses as composed_losses;
use crate::ops::test_support::{assert_close, matrix};
use crate::ops::{
    Activation, AdamW, Backend, Layers, LogitTerm, Losses, Mat, Scalar, TeacherHead, tape,
};

#[path = "../../../tests/emulator/emulated.rs"]
pub(super) mod emulated;

/// Names another emulator, one with a fault.
pub(super) const EMULATOR: &str = "KDPIPE_TEST_EMULATOR";

/// Where it is set, an emulator is no card.
pub(super) const REAL: &str = "KDPIPE_TEST_REAL_CARD";

/// A card, if there is one or an emulator of one.
pub(super) fn card() -> Option<Cuda> {
    let given = std::env::var_os(EMULATOR).map(std::path::PathBuf::from);
    let loaded = driver::load();
    if std::env::var_os(REAL).is_some() {
        loaded.as_ref().expect("the libraries of a card");
    }
    if given.is_some() || loaded.is_err() {
        driver::load_emulator(&given.or_else(emulated::emulator)?);
    }
    Some(open(0, &()).expect("a card that can be used"))
}

/// The same matrix on the card.
pub(super) fn on(card: &Cuda, x: &Mat<Cpu>) -> Mat<Cuda> {
    tape::matrix(card, x.shape().0, x.shape().1, tape::read(x))
}

type OnCard = Mat<Cuda, OwnedTape<f32, Cuda>>;
type OnHost = Mat<Cpu, OwnedTape<f32, Cpu>>;

/// The gradients of 2.5·loss on the card.
pub(super) fn gradients(
    loss: Scalar<Cuda, OwnedTape<f32, Cuda>>,
    of: &[Mat<Cuda>],
) -> Vec<Vec<f32>> {
    let mut gradients = Cuda::scaled(loss, 2.5).backward();
    of.iter()
        .map(|x| Cuda::gradient_values(&Cuda::take_gradient(&mut gradients, x)))
        .collect()
}

/// Values and gradients of a layer on the card, with another incoming gradient for every element.
fn found(
    card: &Cuda,
    inputs: &[Mat<Cpu>],
    form: &dyn Fn(OnCard, &[Mat<Cuda>]) -> OnCard,
) -> (Vec<f32>, Vec<Vec<f32>>) {
    let all: Vec<Mat<Cuda>> = inputs.iter().map(|x| on(card, x)).collect();
    let out = form(all[0].leaky_trace(), &all);
    let target = on(card, &matrix(out.shape().0, out.shape().1, 1.0, 99));
    let values = tape::read(&out);
    (
        values,
        gradients(Cuda::hidden_mse(out, &target, false).0, &all),
    )
}

fn expected(
    inputs: &[Mat<Cpu>],
    form: &dyn Fn(OnHost, &[Mat<Cpu>]) -> OnHost,
) -> (Vec<f32>, Vec<Vec<f32>>) {
    let out = form(inputs[0].leaky_trace(), inputs);
    let target = matrix(out.shape().0, out.shape().1, 1.0, 99);
    let values = tape::read(&out);
    let (loss, _) = composed_losses::hidden_mse(out, &target, false);
    let all: Vec<&Mat<Cpu>> = inputs.iter().collect();
    (values, crate::ops::test_support::gradients(loss, &all))
}

/// Both forms of a layer have the same values and gradients, as far as sums in another order go.
pub(super) fn compare(
    card: &Cuda,
    name: &str,
    inputs: &[Mat<Cpu>],
    tolerance: f32,
    on_card: impl Fn(OnCard, &[Mat<Cuda>]) -> OnCard,
    on_host: impl Fn(OnHost, &[Mat<Cpu>]) -> OnHost,
) {
    let (found, again) = (found(card, inputs, &on_card), found(card, inputs, &on_card));
    assert!(found == again, "{name}: the same bits again");
    let expected = expected(inputs, &on_host);
    assert_close(&found.0, &expected.0, tolerance);
    for (index, (found, expected)) in found.1.iter().zip(&expected.1).enumerate() {
        assert!(
            found.iter().all(|x| x.is_finite()),
            "{name}: gradient {index} is numbers"
        );
        assert_close(found, expected, 5.0 * tolerance);
    }
}

const ACTIVATIONS: [Activation; 6] = [
    Activation::GeluTanh,
    Activation::Gelu,
    Activation::QuickGelu,
    Activation::Relu,
    Activation::Silu,
    Activation::Tanh,
];

#[test]
fn linear_layers_are_the_composed_ones() {
    let Some(card) = card() else { return };
    for (rows, inner, columns) in [(1, 1, 1), (7, 13, 5), (130, 24, 37)] {
        let x = [
            matrix(rows, inner, 1.0, 0),
            matrix(inner, columns, 0.5, 1),
            matrix(1, columns, 1.0, 2),
            matrix(rows, columns, 1.0, 3),
        ];
        compare(
            &card,
            "linear",
            &x[..3],
            2e-5,
            |v, x| Cuda::linear(v, &x[1], &x[2], F32),
            |v, x| composed::linear(v, &x[1], &x[2]),
        );
        for activation in ACTIVATIONS {
            compare(
                &card,
                &format!("{activation:?}"),
                &x[..3],
                2e-5,
                |v, x| Cuda::linear_activated(v, &x[1], &x[2], activation, F32),
                |v, x| composed::linear_activated(v, &x[1], &x[2], activation),
            );
        }
        compare(
            &card,
            "residual",
            &x,
            2e-5,
            |v, x| Cuda::linear_residual(v, &x[1], &x[2], &x[3], F32),
            |v, x| composed::linear_residual(v, &x[1], &x[2], &x[3]),
        );
        // bfloat16 has 8 digits: the composed form is f32.
        compare(
            &card,
            "bfloat16",
            &x,
            2e-2,
            |v, x| Cuda::linear_residual(v, &x[1], &x[2], &x[3], Bf16),
            |v, x| composed::linear_residual(v, &x[1], &x[2], &x[3]),
        );
    }
}

#[test]
fn layer_norms_are_the_composed_ones() {
    let Some(card) = card() else { return };
    for (rows, columns) in [(1, 2), (9, 7), (70, 300)] {
        let x = [
            matrix(rows, columns, 3.0, 0),
            matrix(1, columns, 1.0, 1),
            matrix(1, columns, 1.0, 2),
        ];
        compare(
            &card,
            "layer norm",
            &x,
            2e-5,
            |v, x| Cuda::layer_norm(v, &x[1], &x[2], 1e-5),
            |v, x| composed::layer_norm(v, &x[1], &x[2], 1e-5),
        );
        compare(
            &card,
            "standardize",
            &x[..1],
            2e-5,
            |v, _| Cuda::standardize(v, 1e-5),
            |v, _| composed::standardize(v, 1e-5),
        );
    }
}

#[test]
fn attention_is_the_composed_one() {
    let Some(card) = card() else { return };
    for (batch, context, heads, head, scale) in [
        (1, 1, 1, 1, 1.0),
        (2, 5, 3, 7, 0.37),
        (1, 64, 2, 8, 1.0),
        (3, 70, 1, 4, 0.5),
    ] {
        let x = [matrix(batch * context, 3 * heads * head, 1.0, 0)];
        compare(
            &card,
            "attention",
            &x,
            2e-5,
            |v, _| Cuda::attention(v, context, heads, scale, F32),
            |v, _| composed::attention(v, context, heads, scale),
        );
    }
}

#[test]
fn embeddings_are_the_composed_ones_and_add_up_repeated_tokens() {
    let Some(card) = card() else { return };
    for (tokens, context) in [(vec![3], 1), (vec![1, 4, 1, 1, 0, 4], 3)] {
        // The first is not looked at: an embedding begins a tape.
        let x = [
            matrix(1, 1, 1.0, 9),
            matrix(5, 7, 1.0, 0),
            matrix(4, 7, 1.0, 1),
        ];
        compare(
            &card,
            "embedding",
            &x,
            1e-6,
            |v, x| Cuda::embed(v.split_tape().1, &tokens, context, &x[1], &x[2]),
            |v, x| composed::embed(v.split_tape().1, &tokens, context, &x[1], &x[2]),
        );
    }
}

/// Every kind of term.
const TERMS: [(LogitTerm, f64); 4] = [
    (LogitTerm::Lm, 0.7),
    (
        LogitTerm::Kl {
            temperature: 2.0,
            reverse: false,
        },
        0.5,
    ),
    (
        LogitTerm::Kl {
            temperature: 1.5,
            reverse: true,
        },
        0.3,
    ),
    (
        LogitTerm::Kl {
            temperature: 3.0,
            reverse: true,
        },
        0.0,
    ),
];

#[test]
fn terms_of_predictions_and_scores_of_tokens_are_the_composed_ones() {
    let Some(card) = card() else { return };
    for (tokens, width, teacher_width, vocabulary) in [(1, 1, 2, 2), (5, 4, 3, 300), (40, 8, 8, 33)]
    {
        let hosts = [
            matrix(tokens, width, 1.0, 0),
            matrix(vocabulary, width, 1.0, 1),
            matrix(tokens, teacher_width, 1.0, 2),
            matrix(vocabulary, teacher_width, 0.7, 3),
        ];
        let [hidden, head, states, of_teacher] = &hosts;
        let cards: Vec<Mat<Cuda>> = hosts.iter().map(|x| on(&card, x)).collect();
        let targets: Vec<u32> = (0..tokens).map(|i| (i * 7 % vocabulary) as u32).collect();
        let host_teacher = Some(TeacherHead::new(states, of_teacher.into()));
        let card_teacher = Some(TeacherHead::new(&cards[2], (&cards[3]).into()));
        let (expected, values) = composed_losses::logit_losses(
            hidden.leaky_trace(),
            head.into(),
            &targets,
            host_teacher,
            &TERMS,
        );
        let (found, places) = Cuda::logit_losses(
            cards[0].leaky_trace(),
            (&cards[1]).into(),
            &targets,
            card_teacher,
            &TERMS,
        );
        let numbers = |values: &[f64]| values.iter().map(|&x| x as f32).collect::<Vec<_>>();
        assert_close(&numbers(&Cuda::fetch(&places)), &numbers(&values), 1e-5);
        assert!((found.value() - expected.value()).abs() < 1e-5);
        let found = gradients(found, &cards[..2]);
        let expected = crate::ops::test_support::gradients(expected, &[hidden, head]);
        for (found, expected) in found.iter().zip(&expected) {
            assert_close(found, expected, 1e-4);
        }
        let expected = composed_losses::score(hidden, head.into(), &targets, host_teacher);
        let found = Cuda::score(&cards[0], (&cards[1]).into(), &targets, card_teacher);
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found.log_probability - expected.log_probability).abs() < 1e-5);
            assert!((found.kl - expected.kl).abs() < 1e-5);
            assert_eq!(found.agrees, expected.agrees);
        }
    }
}

#[test]
fn distances_of_states_are_the_composed_ones() {
    let Some(card) = card() else { return };
    for (rows, columns) in [(7, 13), (1, 1), (3, 300)] {
        let (x, target) = (matrix(rows, columns, 2.0, 0), matrix(rows, columns, 1.0, 1));
        let (own, other) = (on(&card, &x), on(&card, &target));
        for kind in 0..3 {
            let ((found, place), (expected, value)) = match kind {
                2 => (
                    Cuda::hidden_cosine(own.leaky_trace(), &other),
                    composed_losses::hidden_cosine(x.leaky_trace(), &target),
                ),
                _ => (
                    Cuda::hidden_mse(own.leaky_trace(), &other, kind == 1),
                    composed_losses::hidden_mse(x.leaky_trace(), &target, kind == 1),
                ),
            };
            assert!((Cuda::fetch(&[place])[0] - value).abs() < 1e-4 * value.abs().max(1.0));
            let found = gradients(found, std::slice::from_ref(&own));
            let expected = crate::ops::test_support::gradients(expected, &[&x]);
            assert_close(&found[0], &expected[0], 1e-4);
        }
    }
}

#[test]
fn a_step_of_adamw_is_that_of_the_processor_and_leaves_copies_alone() {
    let Some(card) = card() else { return };
    let (x, g) = (matrix(30, 41, 1.0, 0), matrix(30, 41, 0.1, 1));
    let (mut host, mut own) = (x.clone(), on(&card, &x));
    let copy = own.clone();
    let target = on(&card, &matrix(30, 41, 1.0, 3));
    let (loss, _) = Cuda::hidden_mse(copy.leaky_trace(), &target, false);
    let gradient = Cuda::take_gradient(&mut loss.backward(), &copy);
    let on_host = Cuda::gradient_values(&gradient);
    let squares = Cuda::fetch(&[Cuda::sum_of_squares(&gradient)])[0];
    assert!((squares / Cpu::sum_of_squares(&on_host) - 1.0).abs() < 1e-6);
    let numbers = AdamW {
        betas: [0.9, 0.99],
        eps: 1e-8,
    };
    let mut moments = Cpu::moments(&host, None);
    let mut on_card = Cuda::moments(&own, None);
    for step in 1..=3 {
        let step = numbers.step(0.5, step, 1e-2, 0.1);
        Cpu::adamw(&mut host, &mut moments, &on_host, &step);
        Cuda::adamw(&mut own, &mut on_card, &gradient, &step);
    }
    assert_close(&tape::read(&own), &tape::read(&host), 1e-6);
    assert_eq!(
        tape::read(&copy),
        tape::read(&x),
        "a copy keeps its numbers"
    );
    let values = Cuda::moments_values(&on_card);
    assert_close(&values[1], &moments.second, 1e-6);
    assert!(Cuda::is_finite(&own));
    let mut broken = tape::read(&g);
    broken[7] = f32::NAN;
    assert!(!Cuda::is_finite(&tape::matrix(&card, 30, 41, broken)));
    assert_eq!(
        tape::read(&Cuda::pick_rows(&copy, &[3, 3, 0])),
        tape::read(&Cpu::pick_rows(&x, &[3, 3, 0]))
    );
}
