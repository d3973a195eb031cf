//! Windows over a text, and text that is written, against transformers.

use kdpipe::eval::{Decoder, Sampler, Sampling, Text, Unwatched, generate, perplexity};
use kdpipe::model::{Array, Config, Gpt2, Weights, score_windows, windows};
use kdpipe::ops::Cpu;

use super::TOLERANCE;
use super::arrays::{Reference, assert_close};

/// Tokens, context and stride of the reference's cases.
fn window_cases(reference: &Reference) -> Vec<[usize; 3]> {
    let keys = reference.numbers.as_object().unwrap().keys();
    let names = keys.filter_map(|key| key.strip_prefix("windows."));
    let case = |name: &str| -> [usize; 3] {
        let numbers = name.split('.').map(|number| number.parse().unwrap());
        numbers.collect::<Vec<_>>().try_into().unwrap()
    };
    names.map(case).collect()
}

#[test]
fn sliding_windows_score_every_token_as_transformers_does() {
    let (reference, (config, weights)) =
        (Reference::read("text"), Reference::read("teacher").model());
    let model = Gpt2::from_weights(&Cpu::default(), &config, &weights).unwrap();
    let text = reference.token_list(&["text"]);
    let cases = window_cases(&reference);
    assert_eq!(cases.len(), 15);
    for [count, context, stride] in cases {
        let name = format!("windows.{count}.{context}.{stride}");
        let text = &text[..count];
        let (mut positions, mut nll) = (Vec::new(), Vec::new());
        score_windows(
            &model,
            None,
            text,
            windows(count, context, stride),
            |position, score| {
                positions.push(position as f64);
                nll.push(-score.log_probability);
            },
        );
        assert_eq!(positions, reference.list(&[&name, "positions"]), "{name}");
        assert_close(&name, &nll, &reference.list(&[&name, "nll"]), TOLERANCE);

        let found = perplexity(
            &model,
            &Text {
                tokens: text,
                documents: &[0],
                words: 50,
                bytes: 400,
            },
            context,
            stride,
            &Unwatched,
        );
        assert_eq!(found.scored_tokens, nll.len() as u64, "{name}");
        assert_close(
            &name,
            &[found.nll_nats_per_token],
            &[reference.number(&[&name, "nll_per_token"])],
            1e-6,
        );
    }
}

#[test]
fn the_greedy_continuation_is_that_of_transformers() {
    let (reference, (config, weights)) =
        (Reference::read("text"), Reference::read("teacher").model());
    let tokens = |key: &str| reference.token_list(&["greedy", key]);
    let expected = tokens("continuation");
    let mut decoder = Decoder::new(&config, &weights);
    let found = generate(
        &mut decoder,
        &tokens("prompt"),
        expected.len(),
        &mut Sampler::new(Sampling::Greedy),
        &[],
        |_| {},
    );
    assert_eq!(found, expected);
}

/// Gives the model `repeats` times as many positions: its own again and again, each time one column
/// further and five times as large.
fn repeat_positions(config: &mut Config, weights: &mut Weights, repeats: usize) {
    let (own, width) = (&weights.arrays["wpe.weight"].values, config.width);
    let mut values = Vec::with_capacity(repeats * own.len());
    for shift in 0..repeats {
        for row in own.chunks(width) {
            values.extend((0..width).map(|j| 5.0 * row[(j + width - shift) % width]));
        }
    }
    config.positions *= repeats;
    let shape = vec![config.positions, width];
    weights
        .arrays
        .insert("wpe.weight".to_owned(), Array { shape, values });
}

#[test]
fn a_long_greedy_text_is_that_of_transformers_with_the_cache_and_without() {
    let (reference, (mut config, mut weights)) =
        (Reference::read("text"), Reference::read("teacher").model());
    let tokens = |key: &str| reference.token_list(&["long", key]);
    let repeats = reference.number(&["long", "positions"]) as usize / config.positions;
    repeat_positions(&mut config, &mut weights, repeats);

    let (prompt, expected) = (tokens("prompt"), tokens("continuation"));
    assert_eq!(expected.len(), 200);
    let greedy = || Sampler::new(Sampling::Greedy);
    let mut decoder = Decoder::new(&config, &weights);
    assert_eq!(
        generate(&mut decoder, &prompt, 200, &mut greedy(), &[], |_| {}),
        expected
    );
    // Every token from all before it anew.
    let mut all = prompt.clone();
    while all.len() < prompt.len() + 200 {
        decoder.clear();
        let next = greedy().choose(decoder.read(&all));
        all.push(next);
    }
    assert_eq!(all[prompt.len()..], expected);
}
