//! Tests of `targeted.rs`.

use super::*;
use crate::eval::test_gpt2_f64::{log_softmax, logits, sharp_weights};
use crate::model::{Config, Weights};
use crate::ops::Cpu;

const END: u32 = 0;

fn model() -> (Config, Weights) {
    let config = Config::new(2, 12, 2, 29, 16);
    let weights = sharp_weights(&config, 4);
    (config, weights)
}

fn text(length: u32, step: u32) -> Vec<u32> {
    (0..length).map(|i| (i * step + 3) % 29).collect()
}

/// log p of the last `scored` tokens of a text by the plain formulas.
fn expected(config: &Config, weights: &Weights, text: &[u32], scored: usize) -> f64 {
    let logits = logits(config, weights, &text[..text.len() - 1]);
    let from = text.len() - scored;
    (from..text.len())
        .map(|at| log_softmax(&logits[at - 1])[text[at] as usize])
        .sum()
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-4, "{found} {expected}");
}

#[test]
fn a_pair_is_right_where_the_plain_formulas_hold_its_right_text_more_probable() {
    let (config, weights) = model();
    let gpt2 = Gpt2::from_weights(&Cpu::default(), &config, &weights).unwrap();
    let pairs: Vec<[Vec<u32>; 2]> = (1..9)
        .map(|step| {
            let right = text(6 + step % 3, step);
            let mut wrong = right.clone();
            let at = 2 + step as usize % 4;
            wrong[at] = (wrong[at] + 11) % 29;
            if step % 2 == 0 {
                wrong.push(7);
            }
            [right, wrong]
        })
        .collect();
    let items: Vec<Item> = pairs
        .iter()
        .map(|[right, wrong]| Item::Pair {
            right: right.clone(),
            wrong: wrong.clone(),
        })
        .collect();
    let found = items_answered(&gpt2, &items, END, 16);
    let mut seen = [false; 2];
    for ([right, wrong], (is_right, nats)) in pairs.iter().zip(found) {
        let whole = |text: &[u32]| {
            let all = [&[END], text].concat();
            expected(&config, &weights, &all, text.len())
        };
        let margin = whole(right) - whole(wrong);
        close(nats, margin);
        assert_eq!(is_right, margin > 0.0);
        seen[usize::from(is_right)] = true;
    }
    assert_eq!(seen, [true; 2], "both answers are seen");
}

#[test]
fn of_texts_that_are_too_long_both_keep_the_same_last_tokens_of_what_they_share() {
    let (config, weights) = model();
    let gpt2 = Gpt2::from_weights(&Cpu::default(), &config, &weights).unwrap();
    let same = text(30, 5);
    let (right, wrong) = ([&same[..], &[4]].concat(), [&same[..], &[9, 12]].concat());
    let items = [Item::Pair {
        right: right.clone(),
        wrong: wrong.clone(),
    }];
    let (_, nats) = items_answered(&gpt2, &items, END, 10)[0];
    // Ten tokens at most: two of the longer rest, and eight before.
    let cut = |text: &[u32], scored: usize| expected(&config, &weights, &text[30 - 8..], scored);
    close(nats, cut(&right, 1) - cut(&wrong, 2));
}

#[test]
fn a_word_is_found_where_greedy_decoding_by_the_plain_formulas_writes_it() {
    let (config, weights) = model();
    let gpt2 = Gpt2::from_weights(&Cpu::default(), &config, &weights).unwrap();
    let before = text(6, 4);
    let mut read = [&[END], &before[..]].concat();
    let mut word = Vec::new();
    for _ in 0..2 {
        let last = logits(&config, &weights, &read).pop().unwrap();
        let best = (0..29)
            .max_by(|&a, &b| last[a].total_cmp(&last[b]))
            .unwrap() as u32;
        word.push(best);
        read.push(best);
    }
    let other = vec![word[0], (word[1] + 1) % 29];
    let item = |word: &[u32]| Item::Cloze {
        before: before.clone(),
        word: word.to_vec(),
    };
    let found = items_answered(&gpt2, &[item(&word), item(&other)], END, 16);
    assert_eq!([found[0].0, found[1].0], [true, false]);
    close(found[0].1, expected(&config, &weights, &read, 2));
    let answers = TaskAnswers::new(&found);
    assert_eq!(answers.right, "10");
    assert_eq!(answers.scores().collect::<Vec<_>>(), [1.0, 0.0]);
}
