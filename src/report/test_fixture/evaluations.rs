//! Evaluations whose numbers follow from a cell.

use crate::record::evaluation::{
    Agreement, Evaluation, LayerDistance, Perplexity, Protocol, Size, SourceNll, TrainingCost,
};
use crate::record::study::Cell;

fn place(names: &[&str], name: &str) -> f64 {
    names.iter().position(|listed| *listed == name).unwrap_or(0) as f64
}

/// The loss of a cell: the arms differ by about 0.02, strategies by 0.01, seeds by 0.008, with a
/// little interaction.
pub fn loss(cell: &Cell) -> f64 {
    let arms = [
        "wasserstein",
        "mse",
        "cosine",
        "none",
        "unpaired",
        "wasserstein-unpaired",
    ];
    let arm = place(&arms, &cell.at["arm"]);
    let strategy = if arm == 3.0 {
        0.0
    } else {
        place(
            &["uniform", "last", "first", "reverse", "shuffled"],
            &cell.at["match.strategy"],
        )
    };
    let layers: f64 = cell.at["student.layers"].parse().unwrap();
    let seed: f64 = cell.at["seed"].parse().unwrap();
    3.3 + 0.02 * arm + 0.01 * strategy - 0.05 * layers
        + 0.008 * (1.7 * seed).sin()
        + 0.002 * (2.3 * seed + arm + 0.5 * strategy).cos()
}

pub fn student(cell: &Cell) -> Evaluation {
    let layers: usize = cell.at["student.layers"].parse().unwrap();
    let is_critic = cell.at["arm"] == "wasserstein";
    let close = 0.9 - loss(cell) / 30.0;
    let distances = (1..=layers)
        .map(|layer| LayerDistance {
            student: layer,
            teacher: (2 * layer * 8 + layers) / (2 * layers),
            cka: Some(close - 0.03 * layer as f64),
            sliced_w2: Some(1.0 + 0.2 * layer as f64 - if is_critic { 0.3 } else { 0.0 }),
        })
        .collect();
    Evaluation {
        teacher: Some(Agreement {
            kl_nats_per_token: Some(loss(cell) - 2.9),
            top1: 0.62,
            layers: distances,
        }),
        training: Some(TrainingCost {
            student_flops: 3e12 * layers as f64,
            teacher_flops: 8e12,
            critic_flops: if is_critic { 2.5e12 } else { 0.0 },
            tokens: 1_000_000,
        }),
        ..evaluation(loss(cell), layers)
    }
}

pub fn teacher() -> Evaluation {
    Evaluation {
        training: Some(TrainingCost {
            student_flops: 2e14,
            teacher_flops: 0.0,
            critic_flops: 0.0,
            tokens: 5_000_000,
        }),
        ..evaluation(2.95, 8)
    }
}

fn evaluation(nll: f64, layers: usize) -> Evaluation {
    let parameters = 100_000 + 50_000 * layers as u64;
    let perplexity = |nll: f64| Perplexity {
        tokens: 5001,
        scored_tokens: 5000,
        words: 3000,
        bytes: 20_000,
        nll_nats_per_token: nll,
        perplexity: Some(nll.exp()),
        word_perplexity: Some((nll * 5001.0 / 3000.0).exp()),
        bits_per_byte: Some(nll * 5001.0 / (20_000.0 * std::f64::consts::LN_2)),
        documents: (0..50)
            .map(|document| {
                (
                    100.0
                        * nll
                        * (1.0
                            + 0.1 * f64::from(document).sin()
                            + 0.002 * (f64::from(document) * nll).cos()),
                    100,
                )
            })
            .collect(),
    };
    Evaluation {
        format: 1,
        protocol: Protocol {
            context: 256,
            stride: 128,
            rows: "documents".to_owned(),
            detokenize: "none".to_owned(),
            tokenizer: "ab".repeat(32),
            trained_on_train_split: Some(true),
        },
        model: Size {
            layers,
            width: 64,
            heads: 4,
            vocabulary: 512,
            positions: 256,
            parameters,
            parameters_without_embeddings: parameters - 49_152,
            bytes: 4 * parameters,
            forward_flops_per_token: 2.0 * parameters as f64,
        },
        test: perplexity(nll),
        validation: perplexity(nll + 0.01),
        teacher: None,
        training: None,
        source: Some(SourceNll {
            exact_nats_per_token: Some(2.71),
            entropy_nats_per_token: Some(2.7),
            unigram_nats_per_token: Some(5.6),
        }),
        treatment: None,
        tasks: Default::default(),
        shared: None,
    }
}
