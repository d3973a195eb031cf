//! Model folders as transformers writes them, of every kind that is read, against what transformers
//! computes with them; `tests/reference/checkpoints/` holds them.
//!
//! The values come from float64 with the weights as stored, so f16 and bf16 files have the same
//! tolerance as f32 ones: their numbers are exact in f32. PyTorch's own f32 is within 3e-6 of them
//! in the gradients, and these models are so narrow that a layer norm has few numbers to average
//! over.

use std::path::PathBuf;

use kdpipe::eval::{Decoder, Sampler, Sampling, generate};
use kdpipe::model::{Gpt2, ModelFolder, Weights, validation_nll};
use kdpipe::ops::{Cpu, NoneTape, OwnedTape, tape};

use super::TOLERANCE;
use super::arrays::{Reference, assert_close};
use super::models::check_model;

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
        check_model(name, &model, &reference);
        assert_eq!(
            model.parameters().len(),
            reference.arrays_under("gradient.").len(),
            "{name}: every array has a gradient"
        );
        let context = reference.number(&["context"]) as usize;
        let inputs = reference.tokens("inputs");
        let with_tape = model.forward(OwnedTape::default(), inputs, context, &[]);
        let without = model.forward(NoneTape, inputs, context, &[]);
        assert_eq!(
            tape::read(&without.last),
            tape::read(&with_tape.last),
            "{name}: without a tape"
        );
    }
}

#[test]
fn folders_of_every_kind_go_on_as_transformers_does() {
    for name in NAMES {
        let (checkpoint, reference) = open(name);
        let (prompt, expected) = (
            reference.token_list(&["prompt"]),
            reference.token_list(&["continuation"]),
        );
        let weights = Weights::from_checkpoint(&checkpoint);
        let mut decoder = Decoder::new(&checkpoint.config, &weights);
        let found = generate(
            &mut decoder,
            &prompt,
            expected.len(),
            &mut Sampler::new(Sampling::Greedy),
            &[],
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
