//! Tests of `reading.rs`.

use super::*;
use crate::model::{Config, Weights};
use crate::ops::{Cpu, Decoding, NoneTape};
use crate::random::Seed;

fn model() -> Gpt2<Cpu> {
    let config = Config::new(3, 24, 3, 61, 32);
    let weights = Weights::random(&config, Seed::Run(3));
    Gpt2::from_weights(&Cpu::default(), &config, &weights).expect("its own weights")
}

fn behind(model: &Gpt2<Cpu>, tokens: &[u32]) -> Vec<f32> {
    let states = model.forward(NoneTape, tokens, tokens.len(), &[]);
    Cpu::next_logits(&states.last, model.head())
}

fn assert_close(found: &[f32], expected: &[f32]) {
    for (x, y) in found.iter().zip(expected) {
        assert!((x - y).abs() < 1e-5, "{x} against {y}");
    }
}

#[test]
fn what_is_read_in_pieces_has_the_logits_of_one_pass() {
    let model = model();
    let tokens: Vec<u32> = (0..20).map(|i| (i * 7 + 3) % 61).collect();
    let mut reader = ReadingModel::new(&model);
    assert_close(reader.read(&tokens[..9]), &behind(&model, &tokens[..9]));
    for at in 9..12 {
        let expected = behind(&model, &tokens[..=at]);
        assert_close(reader.read(&tokens[at..=at]), &expected);
    }
    assert_close(reader.read(&tokens[12..]), &behind(&model, &tokens));
    reader.clear();
    assert_close(reader.read(&tokens[..1]), &behind(&model, &tokens[..1]));
}

#[test]
fn full_positions_start_anew_with_the_last_half() {
    let model = model();
    let tokens: Vec<u32> = (0..33).map(|i| (i * 5 + 1) % 61).collect();
    let mut reader = ReadingModel::new(&model);
    reader.read(&tokens[..32]);
    let found = reader.read(&tokens[32..]).to_vec();
    assert_close(&found, &behind(&model, &tokens[17..]));
}
