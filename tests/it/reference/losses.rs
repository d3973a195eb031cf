//! Terms of the objective and their gradients against PyTorch, fused and composed.

use kdpipe::ops::{
    Cpu, Layers, LogitTerm, Losses, Mat, OwnedTape, Precision, Scalar, Tape, TeacherHead, composed,
};

use super::arrays::{Reference, assert_close};
use super::{TOLERANCE, gradients};

/// For logits of ±150: their own rounding, 150·2⁻²⁴, is an absolute error of log-probabilities and
/// so a relative error of probabilities. PyTorch's f32 is off by 7e-6.
const TOLERANCE_OF_LARGE_LOGITS: f64 = 5e-5;

/// Names of the reference's cases, and the terms with their weights.
fn logit_cases() -> [(&'static str, Vec<(LogitTerm, f64)>); 4] {
    let kl = |temperature, reverse| LogitTerm::Kl {
        temperature,
        reverse,
    };
    let mixture = vec![
        (LogitTerm::Lm, 0.5),
        (kl(2.5, false), 0.3),
        (kl(1.0, true), 0.2),
    ];
    [
        ("lm", vec![(LogitTerm::Lm, 1.0)]),
        ("kl.forward", vec![(kl(2.5, false), 1.0)]),
        ("kl.reverse", vec![(kl(2.5, true), 1.0)]),
        ("mixture", mixture),
    ]
}

#[test]
fn logit_terms_are_those_of_pytorch_for_ordinary_and_large_logits() {
    let reference = Reference::read("logits");
    for (scale, tolerance) in [
        ("ordinary", TOLERANCE),
        ("large", TOLERANCE_OF_LARGE_LOGITS),
    ] {
        let matrix = |name: &str| reference.matrix(&format!("{scale}.{name}"));
        let (hidden, head) = (matrix("student.hidden"), matrix("student.head"));
        let (teacher_hidden, teacher_head) = (matrix("teacher.hidden"), matrix("teacher.head"));
        let teacher = Some(TeacherHead::new(&teacher_hidden, (&teacher_head).into()));
        let targets = reference.tokens(&format!("{scale}.targets"));
        for (name, terms) in &logit_cases() {
            let own = || hidden.leaky_trace();
            let fused = Cpu::logit_losses(own(), (&head).into(), targets, teacher, terms);
            let composed =
                composed::losses::logit_losses(own(), (&head).into(), targets, teacher, terms);
            for (how, (loss, values)) in [("fused", fused), ("composed", composed)] {
                let what = format!("{how} {name} of {scale} logits");
                assert_close(
                    &format!("{what}: terms"),
                    &values,
                    &reference.list(&[scale, name, "terms"]),
                    tolerance,
                );
                assert_close(
                    &format!("{what}: loss"),
                    &[loss.value()],
                    &[reference.number(&[scale, name, "loss"])],
                    tolerance,
                );
                let found = gradients(loss, &[&hidden, &head]);
                for (part, gradient) in ["hidden", "head"].into_iter().zip(found) {
                    let expected = reference.values(&format!("{scale}.{name}.gradient.{part}"));
                    let what = format!("{what}: gradient of {part}");
                    assert_close(&what, &gradient, expected, tolerance);
                }
            }
        }
    }
}

/// The states as a term with `states = "raw"` or `"layernorm"` compares them.
fn prepared<T: Tape<f32, Cpu>>(states: &str, x: Mat<Cpu, T>) -> Mat<Cpu, T> {
    if states == "layernorm" {
        Cpu::standardize(x, 1e-5)
    } else {
        x
    }
}

type TapedLoss = (Scalar<Cpu, OwnedTape<f32, Cpu>>, f64);

/// Every distance of hidden states, fused and composed, by the reference's name for it.
fn distances(
    own: impl Fn() -> Mat<Cpu, OwnedTape<f32, Cpu>>,
    target: &Mat<Cpu>,
) -> [(&'static str, &'static str, TapedLoss); 6] {
    let composed_mse = |normalize| composed::losses::hidden_mse(own(), target, normalize);
    let composed_cosine = composed::losses::hidden_cosine(own(), target);
    [
        ("fused", "mse", Cpu::hidden_mse(own(), target, false)),
        (
            "fused",
            "mse.normalize",
            Cpu::hidden_mse(own(), target, true),
        ),
        ("fused", "cosine", Cpu::hidden_cosine(own(), target)),
        ("composed", "mse", composed_mse(false)),
        ("composed", "mse.normalize", composed_mse(true)),
        ("composed", "cosine", composed_cosine),
    ]
}

#[test]
fn distances_of_hidden_states_are_those_of_pytorch() {
    let reference = Reference::read("hidden");
    let (x, target) = (reference.matrix("x"), reference.matrix("target"));
    for states in ["raw", "layernorm"] {
        let target = prepared(states, target.clone());
        let own = || prepared(states, x.leaky_trace());
        for (how, kind, (loss, value)) in distances(own, &target) {
            let name = format!("{states}.{kind}");
            let expected = reference.number(&[&name]);
            assert_close(&format!("{how} {name}"), &[value], &[expected], TOLERANCE);
            assert_close(
                &format!("gradient of {how} {name}"),
                &gradients(loss, &[&x])[0],
                reference.values(&format!("{name}.gradient")),
                TOLERANCE,
            );
        }
    }
}

#[test]
fn distances_through_a_projection_are_those_of_pytorch() {
    let reference = Reference::read("hidden");
    let [target, h, weight, bias] =
        ["target", "h", "weight", "bias"].map(|name| reference.matrix(name));
    for states in ["raw", "layernorm"] {
        let target = prepared(states, target.clone());
        let projected = Cpu::linear(h.leaky_trace(), &weight, &bias, Precision::F32);
        let (loss, value) = Cpu::hidden_mse(prepared(states, projected), &target, false);
        let expected = reference.number(&[&format!("{states}.projected")]);
        assert_close(states, &[value], &[expected], TOLERANCE);
        let found = gradients(loss, &[&h, &weight, &bias]);
        for (part, gradient) in ["h", "weight", "bias"].into_iter().zip(found) {
            let expected = reference.values(&format!("{states}.projected.gradient.{part}"));
            let what = format!("{states}: gradient of {part}");
            assert_close(&what, &gradient, expected, TOLERANCE);
        }
    }
}
