//! Tests of `forward.rs`.

use super::*;
use crate::model::{Weights, decays};
use crate::ops::{Cpu, tape};
use crate::random::Seed;

#[test]
fn in_parts_a_text_has_the_states_that_it_has_as_a_whole_on_any_number_of_threads() {
    let config = Config::new(2, 24, 3, 50, 96);
    let model = Gpt2::from_weights(
        &Cpu::default(),
        &config,
        &Weights::random(&config, Seed::Run(3)),
    )
    .unwrap();
    let tokens: Vec<u32> = (0..96 * 12).map(|i| (i * i) as u32 % 50).collect();
    let keep = [HiddenState::Layer(1)];
    let all = |states: HiddenStates<Cpu>| {
        [
            tape::read(&states.kept[&HiddenState::Layer(1)]),
            tape::read(&states.last),
        ]
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| all(model.infer(&tokens, 96, &keep)))
    };
    let one = on(1);
    assert!([2, 3, 5].into_iter().all(|threads| on(threads) == one));
    let whole = all(model.forward(NoneTape, &tokens, 96, &keep));
    for (part, whole) in one.iter().zip(&whole) {
        assert_eq!(part.len(), whole.len());
        assert!(
            part.iter()
                .zip(whole)
                .all(|(a, b)| (a - b).abs() <= 1e-5 * b.abs().max(1.0))
        );
    }
}

#[test]
fn weight_decay_is_of_matrices_also_of_a_loss_that_is_called_like_a_norm() {
    for name in [
        "wte.weight",
        "h.0.attn.c_attn.weight",
        "projection.mse.1.weight",
        "projection.ln_mse.1.weight",
    ] {
        assert!(decays(name), "{name}");
    }
    for name in ["h.0.ln_1.weight", "ln_f.weight", "h.0.mlp.c_fc.bias"] {
        assert!(!decays(name), "{name}");
    }
}
