//! Tests of `perplexity.rs`.

use super::super::watch::Unwatched;
use super::*;
use crate::eval::test_gpt2_f64;
use crate::model::{Config, validation_nll};
use crate::ops::Cpu;
use crate::random::Stream;

/// The definition, position by position: the windows that hold p, the first of them that may
/// score it.
#[test]
fn windows_score_what_the_definition_says() {
    for tokens in 0..30 {
        for context in 1..9 {
            for stride in 1..=context {
                let found: Vec<(usize, usize)> = windows(tokens, context, stride)
                    .flat_map(|w| (w.first_scored..w.end).map(move |p| (p, w.begin)))
                    .collect();
                let mut expected = Vec::new();
                let (mut begin, mut before) = (0, 0);
                while begin < tokens {
                    let end = tokens.min(begin + context);
                    expected.extend(
                        (begin + 1..end)
                            .filter(|&p| p >= before)
                            .map(|p| (p, begin)),
                    );
                    if end == tokens {
                        break;
                    }
                    before = end;
                    begin += stride;
                }
                assert_eq!(found, expected, "n {tokens} C {context} S {stride}");
            }
        }
    }
}

fn setting() -> (Gpt2<Cpu>, Gpt2<Cpu>, Vec<u32>) {
    let device = Cpu::default();
    let (student, teacher) = (Config::new(2, 12, 2, 29, 16), Config::new(3, 18, 3, 29, 16));
    let model = |config: &Config, seed| {
        Gpt2::from_weights(&device, config, &test_gpt2_f64::sharp_weights(config, seed)).unwrap()
    };
    let mut stream = Stream::new(1, "test", 0);
    (
        model(&student, 1),
        model(&teacher, 2),
        (0..75).map(|_| stream.below(29) as u32).collect(),
    )
}

#[test]
fn scores_equal_those_of_the_plain_formulas() {
    let (student, teacher, tokens) = setting();
    let documents = [0, 10, 50];
    let text = Text {
        tokens: &tokens,
        documents: &documents,
        words: 60,
        bytes: 200,
    };
    for (context, stride) in [(16, 16), (16, 5), (11, 10)] {
        let (found, closeness) = perplexity_and_closeness(
            &student,
            Some(&teacher),
            &text,
            (context, stride),
            &Unwatched,
        );
        let (mut sums, mut kl, mut agreed) = ([(0.0, 0u64); 3], 0.0, 0);
        for window in windows(75, context, stride) {
            let read = &tokens[window.begin..window.end];
            let own = test_gpt2_f64::logits(&student.config, &student.to_weights(), read);
            let other = test_gpt2_f64::logits(&teacher.config, &teacher.to_weights(), read);
            for position in window.first_scored..window.end {
                let s = test_gpt2_f64::log_softmax(&own[position - window.begin - 1]);
                let t = test_gpt2_f64::log_softmax(&other[position - window.begin - 1]);
                let group =
                    &mut sums[documents.iter().filter(|&&start| start <= position).count() - 1];
                group.0 -= s[tokens[position] as usize];
                group.1 += 1;
                kl += t
                    .iter()
                    .zip(&s)
                    .map(|(t, s)| t.exp() * (t - s))
                    .sum::<f64>();
                let best = |x: &[f64]| (0..29).max_by(|&a, &b| x[a].total_cmp(&x[b])).unwrap();
                agreed += u64::from(best(&s) == best(&t));
            }
        }
        let scored: u64 = sums.iter().map(|sum| sum.1).sum();
        let nll = sums.iter().map(|sum| sum.0).sum::<f64>() / scored as f64;
        assert_eq!((found.tokens, found.scored_tokens), (75, scored));
        for (found, expected) in found.documents.iter().zip(&sums) {
            assert!(
                (found.0 - expected.0).abs() < 1e-3 && found.1 == expected.1,
                "{found:?} {expected:?}"
            );
        }
        assert!((found.nll_nats_per_token - nll).abs() < 1e-4);
        assert!((found.perplexity.unwrap() / nll.exp() - 1.0).abs() < 1e-4);
        assert!((found.word_perplexity.unwrap() / (nll * 75.0 / 60.0).exp() - 1.0).abs() < 1e-3);
        assert!((found.bits_per_byte.unwrap() - nll * 75.0 / 200.0 / 2f64.ln()).abs() < 1e-4);
        let closeness = closeness.unwrap();
        assert!((closeness.kl_nats_per_token.unwrap() - kl / scored as f64).abs() < 1e-4);
        assert!((closeness.top1 - agreed as f64 / scored as f64).abs() < 1e-12);
    }
}

#[test]
fn validation_is_the_perplexity_with_windows_side_by_side() {
    let (student, _, tokens) = setting();
    let text = Text {
        tokens: &tokens,
        documents: &[0],
        words: 60,
        bytes: 200,
    };
    let found = validation_nll(&student, &tokens, 16);
    assert!(
        (found - perplexity(&student, &text, 16, 16, &Unwatched).nll_nats_per_token).abs() < 1e-12
    );
}

#[test]
fn a_model_agrees_with_itself() {
    let (student, _, tokens) = setting();
    let text = Text {
        tokens: &tokens,
        documents: &[0],
        words: 60,
        bytes: 200,
    };
    let closeness = perplexity_and_closeness(&student, Some(&student), &text, (16, 8), &Unwatched)
        .1
        .unwrap();
    assert!(closeness.kl_nats_per_token.unwrap().abs() < 1e-7);
    assert_eq!(closeness.top1, 1.0);
}

#[test]
fn scores_are_the_same_bits_for_any_number_of_threads_and_any_batch() {
    let (student, teacher, _) = setting();
    let mut stream = Stream::new(2, "test", 0);
    let tokens: Vec<u32> = (0..6000).map(|_| stream.below(29) as u32).collect();
    let run = |threads, tokens: &[u32]| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let mut all = Vec::new();
        pool.install(|| {
            score_windows(
                &student,
                Some(&teacher),
                tokens,
                windows(tokens.len(), 16, 16),
                |p, score| all.push((p, score.log_probability.to_bits(), score.kl.to_bits())),
            )
        });
        all
    };
    let whole = run(1, &tokens);
    assert_eq!(whole, run(3, &tokens));
    assert_eq!(whole[..60], run(2, &tokens[..64])[..]);
}

#[test]
fn long_splits_put_neighbouring_documents_together() {
    let starts: Vec<usize> = (0..25_001).map(|i| 4 * i).collect();
    let mut sums = DocumentSums::new(&starts);
    (0..100_004).for_each(|position| sums.add(position, 1.0));
    assert_eq!(sums.groups.len(), 8334);
    assert_eq!((sums.groups[0], sums.groups[8333]), ((12.0, 12), (8.0, 8)));
}

#[test]
fn what_no_number_holds_is_absent_with_its_reason() {
    let text = |words, bytes| Text {
        tokens: &[0; 2001],
        documents: &[0],
        words,
        bytes,
    };
    let of_words = |words| summarise(&text(words, 4000), vec![(10_000.0, 2000)]);
    assert!(of_words(100).absent().is_empty());
    let found = of_words(2);
    assert_eq!(
        (found.word_perplexity, found.perplexity),
        (None, Some(5f64.exp()))
    );
    assert_eq!(
        found.absent().into_iter().collect::<Vec<_>>(),
        [(
            "word_perplexity",
            "it is larger than any number of 64 bits: the 2001 tokens of the text are 2 words, by \
             white space"
                .to_owned()
        )]
    );
    assert_eq!(
        of_words(0).absent()["word_perplexity"],
        "the text has no words: all of it is white space"
    );
    let found = summarise(&text(1, 0), vec![(2e6, 2000)]);
    assert_eq!((found.perplexity, found.bits_per_byte), (None, None));
    assert_eq!(found.nll_nats_per_token, 1000.0);
}
