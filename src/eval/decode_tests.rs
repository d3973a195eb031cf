//! Tests of `decode.rs`.

use super::*;
use crate::eval::sampling::{Sampling, greedy};
use crate::eval::test_gpt2_f64;
use crate::ops::Activation;
use crate::random::Seed;

fn model() -> (Config, Weights) {
    let config = Config::new(3, 24, 3, 61, 32);
    let weights = test_gpt2_f64::sharp_weights(&config, 5);
    (config, weights)
}

#[test]
fn logits_equal_those_of_the_plain_formulas() {
    let (config, weights) = model();
    let tokens: Vec<u32> = (0..20).map(|i| (i * 7 + 3) % 61).collect();
    let expected = test_gpt2_f64::logits(&config, &weights, &tokens);
    let mut decoder = Decoder::new(&config, &weights);
    let close = |found: &[f32], at: usize| {
        found
            .iter()
            .zip(&expected[at])
            .for_each(|(x, e)| assert!((f64::from(*x) - e).abs() < 1e-4, "{x} {e} at {at}"))
    };
    close(decoder.read(&tokens[..9]), 8);
    for at in 9..12 {
        close(decoder.read(&tokens[at..at + 1]), at);
    }
    close(decoder.read(&tokens[12..]), 19);
}

#[test]
fn every_kind_of_gpt2_has_the_logits_of_the_plain_formulas() {
    let tokens: Vec<u32> = (0..12).map(|i| (i * 7 + 3) % 61).collect();
    for (activation, scale_by_width, scale_by_layer, tied, inner) in [
        (Activation::Gelu, false, true, false, 31),
        (Activation::QuickGelu, true, true, true, 5),
        (Activation::Relu, true, false, false, 64),
        (Activation::Silu, false, false, true, 96),
        (Activation::Tanh, true, true, false, 17),
    ] {
        let config = Config {
            inner,
            activation,
            scale_by_width,
            scale_by_layer,
            tied,
            ..Config::new(3, 15, 3, 61, 32)
        };
        let weights = test_gpt2_f64::sharp_weights(&config, 5);
        let expected = test_gpt2_f64::logits(&config, &weights, &tokens);
        let mut decoder = Decoder::new(&config, &weights);
        decoder.read(&tokens[..9]);
        for at in 9..12 {
            let found = decoder.read(&tokens[at..at + 1]);
            found.iter().zip(&expected[at]).for_each(|(x, e)| {
                assert!(
                    (f64::from(*x) - e).abs() < 1e-4,
                    "{config:?}: {x} {e} at {at}"
                )
            });
        }
    }
}

#[test]
fn greedy_text_equals_that_of_full_forward_passes() {
    let (config, weights) = model();
    let prompt = [1, 5, 9];
    let mut decoder = Decoder::new(&config, &weights);
    let found = generate(
        &mut decoder,
        &prompt,
        29,
        &mut Sampler::new(Sampling::Greedy),
        &[],
        |_| {},
    );
    let mut all = prompt.to_vec();
    for _ in 0..29 {
        let logits = test_gpt2_f64::logits(&config, &weights, &all)
            .pop()
            .unwrap();
        all.push(greedy(
            &logits.iter().map(|&x| x as f32).collect::<Vec<_>>(),
        ));
    }
    assert_eq!(found, all[3..]);
    assert!(
        found
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
            .len()
            > 3,
        "the text should not be one token again and again: {found:?}"
    );
}

#[test]
fn past_the_positions_the_last_half_is_read_anew() {
    let (config, weights) = model();
    let tokens: Vec<u32> = (0..33).map(|i| (i * 11 + 2) % 61).collect();
    let mut decoder = Decoder::new(&config, &weights);
    tokens[..32].chunks(5).for_each(|chunk| {
        decoder.read(chunk);
    });
    let slid = decoder.read(&tokens[32..]).to_vec();
    assert_eq!(slid, Decoder::new(&config, &weights).read(&tokens[17..]));
    assert_eq!(slid, Decoder::new(&config, &weights).read(&tokens));
    let long = generate(
        &mut decoder,
        &tokens[..3],
        100,
        &mut Sampler::new(Sampling::Greedy),
        &[],
        |_| {},
    );
    assert_eq!(long.len(), 100);
}

#[test]
fn text_ends_after_the_stop_token() {
    let (config, weights) = model();
    let mut decoder = Decoder::new(&config, &weights);
    let all = generate(
        &mut decoder,
        &[1, 5, 9],
        12,
        &mut Sampler::new(Sampling::Greedy),
        &[],
        |_| {},
    );
    let mut heard = Vec::new();
    let cut = generate(
        &mut decoder,
        &[1, 5, 9],
        12,
        &mut Sampler::new(Sampling::Greedy),
        &[all[6]],
        |token| heard.push(token),
    );
    let first = all.iter().position(|&token| token == all[6]).unwrap();
    assert_eq!(cut, all[..=first]);
    assert_eq!(heard, cut);
}

#[test]
fn logits_are_the_same_bits_for_any_number_of_threads() {
    let config = Config::new(2, 96, 4, 1500, 300);
    let weights = Weights::random(&config, Seed::Run(1));
    let tokens: Vec<u32> = (0..280).map(|i| (i * 37) % 1500).collect();
    let run = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| {
                let mut decoder = Decoder::new(&config, &weights);
                let read = decoder.read(&tokens).to_vec();
                (read, decoder.read(&[7]).to_vec())
            })
    };
    assert_eq!(run(1), run(3));
}
