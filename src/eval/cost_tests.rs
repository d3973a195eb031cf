//! Tests of `cost.rs`.

use super::*;
use crate::plan::run::BalanceSpec;

const SPEC: &str = r#"
        seed = 0
        [dataset]
        source = "synthetic"
        seed = 0
        train_words = 1
        validation_words = 1
        test_words = 1
        [tokenizer]
        source = "train"
        vocab_size = 100
        [teacher]
        source = "dir"
        path = "teacher"
        [student]
        layers = 2
        width = 8
        heads = 2
        init = "random"
        [match]
        strategy = "pairs"
        pairs = [[1, 2], [2, 4], ["final", "final"]]
        [loss.lm]
        kind = "lm"
        weight = 0.5
        [balance]
        mode = "none"
        [train]
        steps = 10
        batch = 4
        context = 16
        accumulate = 2
        shuffle = true
        betas = [0.9, 0.999]
        eps = 1e-8
        weight_decay = 0.01
        clip = 1.0
        keep = "last"
        checkpoint_every = 5
        evaluate_every = 5
        lr = { peak = 1e-3, warmup = "5%", decay = "cosine", floor = "10%" }
        [evaluate]
        context = 16
        stride = 16
        probe_tokens = 10
        directions = 4
        embed_tokens = 10
        samples = { prompts = 1, tokens = 4 }
    "#;

fn spec(more: &str) -> RunSpec {
    toml::from_str(&format!("{SPEC}{more}")).unwrap()
}

const WASSERSTEIN: &str = r#"
        [loss.hidden]
        kind = "hidden.wasserstein"
        weight = 1.0
        states = "raw"
        [loss.hidden.critic]
        width = 32
        depth = 2
        steps = 5
        slope = 0.2
        lipschitz = "gradient-penalty"
        penalty = 10.0
        lr = 1e-4
        betas = [0.0, 0.9]
        warmup = 100
    "#;

#[test]
fn a_language_model_alone_costs_three_forward_passes_a_token() {
    let (student, teacher) = (Config::new(2, 8, 2, 100, 16), Config::new(4, 8, 2, 100, 16));
    // A block 24·8² + 2·8·17 = 1808, the head 2·8·100 = 1600; 10 steps of 2·4·16 tokens.
    let cost = distillation(&spec(""), &student, &teacher);
    assert_eq!(
        cost,
        TrainingCost {
            student_flops: 3.0 * (2.0 * 1808.0 + 1600.0) * 1280.0,
            teacher_flops: 0.0,
            critic_flops: 0.0,
            tokens: 1280
        }
    );
    assert_eq!(cost, plain_training(&student, &spec("").train));
}

#[test]
fn teacher_projections_and_critics_count() {
    let (student, teacher) = (
        Config::new(2, 8, 2, 100, 16),
        Config::new(4, 12, 2, 100, 16),
    );
    let cost = distillation(&spec(WASSERSTEIN), &student, &teacher);
    let plain = plain_training(&student, &spec("").train).student_flops;
    assert_eq!(cost.student_flops, plain + 3.0 * 3.0 * 2.0 * 96.0 * 1280.0);
    // No term compares predictions, so the teacher's are never computed: four blocks of
    // 24·12² + 2·12·17.
    assert_eq!(cost.teacher_flops, 4.0 * 3864.0 * 1280.0);
    // A critic's forward pass F = 2·(12·32 + 32² + 32) = 2880; 64 tokens, 3 pairs, 5 updates on
    // the first of 2 micro-batches.
    let update = 64.0 * (2.0 * (3.0 * 2880.0 - 768.0) + 4.0 * 2880.0);
    assert_eq!(
        cost.critic_flops,
        3.0 * 10.0 * (5.0 * update + 2.0 * 3.0 * 64.0 * 2880.0)
    );
}

#[test]
fn a_training_without_critics_spends_zero_on_them_and_not_minus_zero() {
    let (student, teacher) = (Config::new(2, 8, 2, 100, 16), Config::new(4, 8, 2, 100, 16));
    let mut without = spec(WASSERSTEIN);
    without.loss.retain(|_, term| !term.is_hidden());
    let cost = distillation(&without, &student, &teacher);
    assert_eq!(cost.critic_flops.to_bits(), 0.0_f64.to_bits());
}

#[test]
fn measuring_the_balance_counts() {
    let (student, teacher) = (Config::new(2, 8, 2, 100, 16), Config::new(4, 8, 2, 100, 16));
    let without = distillation(&spec(WASSERSTEIN), &student, &teacher);
    let mut balanced = spec(WASSERSTEIN);
    balanced.balance = BalanceSpec::Gradient {
        every: None,
        batches: 8,
        reference: "lm".into(),
    };
    let with = distillation(&balanced, &student, &teacher);
    // 8 batches of 64 tokens, two terms of three forward passes' cost and one pass for the
    // critics; the same tokens are trained on.
    assert_eq!(
        with.student_flops - without.student_flops,
        8.0 * 7.0 * (2.0 * 1808.0 + 1600.0) * 64.0
    );
    assert!(with.critic_flops > without.critic_flops && with.tokens == without.tokens);
}
