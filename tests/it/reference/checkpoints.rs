//! Model folders as transformers writes them, of every kind that is read, against what transformers
//! computes with them; `tests/reference/checkpoints/` holds them.
//!
//! The values come from float64 with the weights as stored, so f16 and bf16 files have the same
//! tolerance as f32 ones: their numbers are exact in f32. PyTorch's own f32 is within 3e-6 of them
//! in the gradients, and these models are so narrow that a layer norm has few numbers to average
//! over.

use std::path::PathBuf;

use dfdx::prelude::*;
use kdpipe::eval::{Decoder, Sampler, Sampling, generate};
use kdpipe::model::{Gpt2, ModelFolder, Weights, validation_nll};
use kdpipe::ops::{Backend, LogitTerm, Losses, tape};
use kdpipe::plan::run::HiddenState;

use super::arrays::{Reference, assert_close};
use super::logits;

const NAMES: [&str; 8] = [
    "one-layer",
    "odd-width",
    "inner",
    "untied",
    "by-layer",
    "unscaled",
    "shards",
    "fast",
];

/// Relative to the largest entry of an array.
const TOLERANCE: f64 = 1e-5;

fn open(name: &str) -> (ModelFolder, Reference) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reference/checkpoints")
        .join(name);
    (
        ModelFolder::open(&folder).unwrap(),
        Reference::read(&format!("checkpoints/{name}")),
    )
}

#[test]
fn folders_of_every_kind_have_the_states_logits_and_gradients_of_transformers() {
    for name in NAMES {
        let (checkpoint, reference) = open(name);
        let model = Gpt2::from_checkpoint(&Cpu::default(), &checkpoint);
        let (inputs, targets) = (reference.tokens("inputs"), reference.tokens("targets"));
        let context = reference.number(&["context"]) as usize;
        let keep: Vec<HiddenState> = (0..=model.config.layers).map(HiddenState::Layer).collect();
        let states = model.forward(OwnedTape::default(), inputs, context, &keep);
        for (state, array) in &states.kept {
            assert_close(
                &format!("{name}: state {state}"),
                &tape::read(array),
                reference.values(&format!("state.{state}")),
                TOLERANCE,
            );
        }
        let (last, tape) = states.last.split_tape();
        assert_close(
            &format!("{name}: final state"),
            &tape::read(&last),
            reference.values("state.final"),
            TOLERANCE,
        );
        assert_close(
            &format!("{name}: logits"),
            &logits(&last, model.head().matrix),
            reference.values("logits"),
            TOLERANCE,
        );
        let alone = model.forward(NoneTape, inputs, context, &[]).last;
        assert_eq!(
            tape::read(&alone),
            tape::read(&last),
            "{name}: without a tape"
        );

        let (loss, values) = Cpu::logit_losses(
            last.put_tape(tape),
            model.head(),
            targets,
            None,
            &[(LogitTerm::Lm, 1.0)],
        );
        assert_close(
            &format!("{name}: loss"),
            &values,
            &[reference.number(&["loss"])],
            TOLERANCE,
        );
        let mut gradients = loss.backward();
        assert_eq!(
            model.parameters().len(),
            reference.arrays_under("gradient.").len(),
            "{name}: every array has a gradient"
        );
        for (parameter, tensor) in model.parameters() {
            let gradient = Cpu::take_gradient(&mut gradients, tensor);
            let expected = reference.values(&format!("gradient.{parameter}"));
            assert_close(
                &format!("{name}: gradient of {parameter}"),
                &gradient,
                expected,
                TOLERANCE,
            );
        }
    }
}

#[test]
fn folders_of_every_kind_go_on_as_transformers_does() {
    for name in NAMES {
        let (checkpoint, reference) = open(name);
        let tokens = |key: &str| -> Vec<u32> {
            reference
                .list(&[key])
                .into_iter()
                .map(|token| token as u32)
                .collect()
        };
        let (expected, weights) = (
            tokens("continuation"),
            Weights::from_checkpoint(&checkpoint),
        );
        let mut decoder = Decoder::new(&checkpoint.config, &weights);
        let found = generate(
            &mut decoder,
            &tokens("prompt"),
            expected.len(),
            &mut Sampler::new(Sampling::Greedy),
            None,
            |_| {},
        );
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn the_validation_loss_of_every_kind_is_that_of_transformers() {
    for name in NAMES {
        let (checkpoint, reference) = open(name);
        let model = Gpt2::from_checkpoint(&Cpu::default(), &checkpoint);
        let context = reference.number(&["context"]) as usize;
        let rows = reference
            .tokens("inputs")
            .chunks(context)
            .zip(reference.tokens("targets").chunks(context));
        // A window of context + 1 tokens predicts as many as a row of the reference.
        let losses: Vec<f64> = rows
            .map(|(inputs, targets)| {
                validation_nll(
                    &model,
                    &[inputs, &targets[context - 1..]].concat(),
                    context + 1,
                )
            })
            .collect();
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        assert_close(
            &format!("{name}: validation loss"),
            &[mean],
            &[reference.number(&["loss"])],
            TOLERANCE,
        );
    }
}
