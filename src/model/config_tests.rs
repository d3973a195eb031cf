//! Tests of `config.rs`.

use super::*;

#[test]
fn gpt2_has_124_million_parameters() {
    assert_eq!(
        Config::new(12, 768, 12, 50257, 1024).parameters(),
        124_439_808
    );
}

#[test]
fn parameters_are_those_of_the_shapes() {
    for (inner, tied) in [(60, true), (7, true), (7, false)] {
        let config = Config {
            inner,
            tied,
            ..Config::new(3, 15, 3, 101, 32)
        };
        let counted: usize = config
            .shapes()
            .iter()
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum();
        assert_eq!(config.parameters(), counted as u64);
    }
}

#[test]
fn scores_are_scaled_by_width_and_layer_as_the_config_says() {
    let config = Config::new(3, 48, 3, 101, 32);
    assert_eq!(
        [config.attention_scale(0), config.attention_scale(2)],
        [0.25, 0.25]
    );
    assert_eq!(
        Config {
            scale_by_layer: true,
            ..config.clone()
        }
        .attention_scale(1),
        0.125
    );
    assert_eq!(
        Config {
            scale_by_width: false,
            ..config
        }
        .attention_scale(1),
        1.0
    );
}
