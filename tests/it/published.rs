//! A published checkpoint with what others say it writes and how well it predicts; skipped where
//! `KDPIPE_TEST_DATA` names no folder.

use kdpipe::eval::{Decoder, Sampler, Sampling, generate};
use kdpipe::model::{Config, Gpt2, Weights, score_windows, windows};
use safetensors::SafeTensors;
use serde_json::Value;

struct PublishedModel {
    config: Config,
    weights: Weights,
    expected: Value,
    /// Token ids and logits.
    arrays: Vec<u8>,
}

fn published() -> Option<PublishedModel> {
    let Some(data) = std::env::var_os("KDPIPE_TEST_DATA") else {
        eprintln!("skipped: KDPIPE_TEST_DATA is not set");
        return None;
    };
    let folder = std::path::PathBuf::from(data).join("tiny-random-gpt2");
    let (config, weights) = Weights::read(&folder).unwrap();
    let expected =
        serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    Some(PublishedModel {
        config,
        weights,
        expected,
        arrays: std::fs::read(folder.join("expected_logits.safetensors")).unwrap(),
    })
}

fn tokens(list: &Value) -> Vec<u32> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_u64().unwrap() as u32)
        .collect()
}

#[test]
fn greedy_text_is_what_the_tests_of_onnxruntime_assert() {
    let Some(PublishedModel {
        config,
        weights,
        expected,
        ..
    }) = published()
    else {
        return;
    };
    for case in expected["greedy"].as_array().unwrap() {
        let (input, output) = (tokens(&case["input"]), tokens(&case["output"]));
        let mut decoder = Decoder::new(&config, &weights);
        let found = generate(
            &mut decoder,
            &input,
            output.len() - input.len(),
            &mut Sampler::new(Sampling::Greedy),
            &[],
            |_| {},
        );
        assert_eq!(found, output[input.len()..]);
    }
}

#[test]
fn the_likelihood_of_a_text_is_what_others_compute() {
    let Some(PublishedModel {
        config,
        weights,
        expected,
        arrays,
    }) = published()
    else {
        return;
    };
    let model = Gpt2::from_weights(&kdpipe::ops::Cpu::default(), &config, &weights).unwrap();
    let arrays = SafeTensors::deserialize(&arrays).unwrap();
    for case in ["beam", "greedy", "rand64"] {
        let ids = arrays.tensor(&format!("model.{case}.input_ids")).unwrap();
        let columns = ids.shape()[1];
        let all: Vec<u32> = ids
            .data()
            .chunks_exact(8)
            .map(|id| i64::from_le_bytes(id.try_into().unwrap()) as u32)
            .collect();
        let (mut nats, mut count) = (0.0, 0);
        for row in all.chunks(columns) {
            score_windows(
                &model,
                None,
                row,
                windows(columns, config.positions, config.positions),
                |_, score| {
                    nats -= score.log_probability;
                    count += 1;
                },
            );
        }
        let expected = expected["loss"][format!("model.{case}")]["mean_next_token_ce"]
            .as_f64()
            .unwrap();
        assert!(
            (nats / f64::from(count) / expected - 1.0).abs() < 1e-6,
            "{case}: {} against {expected}",
            nats / f64::from(count)
        );
    }
}
