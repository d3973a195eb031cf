//! States, logits, loss and gradients of whole models against transformers.

use kdpipe::model::Gpt2;
use kdpipe::ops::{Backend, Cpu, LogitTerm, Losses, Mat, OwnedTape, tape};
use kdpipe::plan::run::HiddenState;

use super::TOLERANCE;
use super::arrays::{Reference, assert_close};

/// Compares every hidden state, the logits, the language-modelling loss, and its gradient for every
/// parameter.
pub fn check_model(name: &str, model: &Gpt2<Cpu>, reference: &Reference) {
    let (inputs, targets) = (reference.tokens("inputs"), reference.tokens("targets"));
    let context = reference.number(&["context"]) as usize;
    let keep: Vec<HiddenState> = (0..=model.config.layers).map(HiddenState::Layer).collect();
    let states = model.forward(OwnedTape::default(), inputs, context, &keep);
    let check = |what: &str, found: &[f32], expected: &[f32]| {
        assert_close(&format!("{name}: {what}"), found, expected, TOLERANCE);
    };
    for (state, array) in &states.kept {
        let expected = reference.values(&format!("state.{state}"));
        check(&format!("state {state}"), &tape::read(array), expected);
    }
    let (last, tape) = states.last.split_tape();
    let expected = reference.values("state.final");
    check("final state", &tape::read(&last), expected);
    assert_close(
        &format!("{name}: logits"),
        &logits(&last, model.head().matrix),
        reference.values("logits"),
        TOLERANCE,
    );
    let terms = [(LogitTerm::Lm, 1.0)];
    let (loss, values) =
        Cpu::logit_losses(last.put_tape(tape), model.head(), targets, None, &terms);
    assert_close(
        &format!("{name}: loss"),
        &values,
        &[reference.number(&["loss"])],
        TOLERANCE,
    );
    let mut gradients = loss.backward();
    for (parameter, tensor) in model.parameters() {
        let gradient = Cpu::take_gradient(&mut gradients, tensor);
        let expected = reference.values(&format!("gradient.{parameter}"));
        check(&format!("gradient of {parameter}"), &gradient, expected);
    }
}

/// hidden·headᵀ.
fn logits(hidden: &Mat<Cpu>, head: &Mat<Cpu>) -> Vec<f64> {
    let (columns, hidden, head) = (head.shape().1, tape::read(hidden), tape::read(head));
    let dot = |x: &[f32], w: &[f32]| {
        x.iter()
            .zip(w)
            .map(|(&x, &w)| f64::from(x) * f64::from(w))
            .sum()
    };
    hidden
        .chunks(columns)
        .flat_map(|x| head.chunks(columns).map(move |w| dot(x, w)))
        .collect()
}

#[test]
fn states_logits_and_gradients_are_those_of_transformers() {
    for name in ["teacher", "student"] {
        let reference = Reference::read(name);
        let (config, weights) = reference.model();
        let model = Gpt2::from_weights(&Cpu::default(), &config, &weights).unwrap();
        check_model(name, &model, &reference);
    }
}
