//! Tests of `gpt2.rs`.

use super::*;

const GPT2: Gpt2Shape = Gpt2Shape {
    layers: 12,
    width: 768,
    inner: 3072,
    vocabulary: 50_257,
    positions: 1024,
    tied: true,
};

#[test]
fn gpt2_has_124_million_parameters_and_the_flops_of_its_matrices() {
    assert_eq!(GPT2.parameters(), 124_439_808.0);
    assert_eq!(GPT2.weight_bytes(), 4.0 * 124_439_808.0);
    let matrices = 2.0 * (12.0 * 12.0 * 768.0 * 768.0 + 50_257.0 * 768.0);
    let attention = 12.0 * 2.0 * 768.0 * 257.0;
    assert_eq!(GPT2.forward_flops(256), matrices + attention);
    assert_eq!(GPT2.training_flops(256), 3.0 * (matrices + attention));
}

#[test]
fn an_inner_width_and_a_head_of_its_own_count() {
    let other = Gpt2Shape {
        inner: 1000,
        tied: false,
        ..GPT2
    };
    assert_eq!(
        GPT2.parameters() - other.parameters(),
        12.0 * 2072.0 * (2.0 * 768.0 + 1.0) - 50_257.0 * 768.0
    );
    assert_eq!(
        GPT2.forward_flops(256) - other.forward_flops(256),
        12.0 * 4.0 * 768.0 * 2072.0
    );
}
