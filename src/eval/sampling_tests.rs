//! Tests of `sampling.rs`.

use super::*;

fn draws(sampling: Sampling, logits: &[f32], count: usize) -> Vec<u32> {
    let mut sampler = Sampler::new(sampling);
    (0..count).map(|_| sampler.choose(logits)).collect()
}

#[test]
fn greedy_takes_the_first_of_the_largest() {
    assert_eq!(greedy(&[0.0, 3.0, f32::NAN, 3.0, -1.0]), 1);
    assert_eq!(greedy(&[f32::NAN, 1.0]), 1);
}

#[test]
fn draws_follow_the_tempered_softmax() {
    let logits = [1.0f32, 0.0, 2.0];
    let found = draws(
        Sampling::Random {
            temperature: 2.0,
            top_k: None,
            top_p: None,
            seed: 1,
        },
        &logits,
        40_000,
    );
    let weights: Vec<f64> = logits.iter().map(|&x| (f64::from(x) / 2.0).exp()).collect();
    let total: f64 = weights.iter().sum();
    for (token, weight) in weights.iter().enumerate() {
        let share = found.iter().filter(|&&t| t as usize == token).count() as f64 / 40_000.0;
        assert!(
            (share - weight / total).abs() < 0.01,
            "token {token}: {share}"
        );
    }
}

#[test]
fn cuts_leave_the_most_probable_tokens() {
    let logits = [0.0f32, 1.0, 2.0, 3.0];
    let by_rank = draws(
        Sampling::Random {
            temperature: 1.0,
            top_k: Some(2),
            top_p: None,
            seed: 1,
        },
        &logits,
        500,
    );
    assert!(by_rank.iter().all(|&t| t >= 2) && by_rank.contains(&2));
    // Shares are 0.644, 0.237, 0.087 and 0.032: the first two hold 0.88.
    let by_mass = draws(
        Sampling::Random {
            temperature: 1.0,
            top_k: None,
            top_p: Some(0.8),
            seed: 1,
        },
        &logits,
        500,
    );
    assert!(by_mass.iter().all(|&t| t >= 2) && by_mass.contains(&2));
    assert!(
        draws(
            Sampling::Random {
                temperature: 1.0,
                top_k: None,
                top_p: Some(0.0),
                seed: 1
            },
            &logits,
            50
        )
        .iter()
        .all(|&t| t == 3)
    );
    // Equals of the last one stay.
    let equal = draws(
        Sampling::Random {
            temperature: 1.0,
            top_k: Some(1),
            top_p: None,
            seed: 1,
        },
        &[1.0, 0.0, 1.0, -0.0],
        100,
    );
    assert!(equal.iter().all(|&t| t == 0 || t == 2) && equal.contains(&0) && equal.contains(&2));
}

#[test]
fn probabilities_are_those_of_transformers() {
    let cases: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../../tests/reference/sampling.json")).unwrap();
    for case in &cases {
        let numbers = |name: &str| {
            case[name]
                .as_array()
                .unwrap()
                .iter()
                .map(|x| x.as_f64().unwrap())
                .collect::<Vec<f64>>()
        };
        let logits: Vec<f32> = numbers("logits").iter().map(|&x| x as f32).collect();
        let top_k = case["top_k"].as_u64().map(|k| k as usize);
        let kept = candidates(
            &logits,
            case["temperature"].as_f64().unwrap(),
            top_k,
            case["top_p"].as_f64(),
        );
        let total: f64 = kept.iter().map(|(_, mass)| mass).sum();
        let mut found = vec![0.0; logits.len()];
        kept.iter()
            .for_each(|&(token, mass)| found[token as usize] = mass / total);
        for (token, (found, expected)) in found.iter().zip(numbers("probabilities")).enumerate() {
            assert!(
                (found - expected).abs() < 1e-9,
                "{case} token {token}: {found} {expected}"
            );
        }
    }
    assert_eq!(cases.len(), 16);
}

#[test]
fn the_same_seed_draws_the_same_tokens() {
    let sampling = |seed| Sampling::Random {
        temperature: 1.0,
        top_k: None,
        top_p: None,
        seed,
    };
    let logits = [0.0f32; 50];
    assert_eq!(
        draws(sampling(3), &logits, 20),
        draws(sampling(3), &logits, 20)
    );
    assert_ne!(
        draws(sampling(3), &logits, 20),
        draws(sampling(4), &logits, 20)
    );
}
