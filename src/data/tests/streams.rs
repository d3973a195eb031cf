//! Tests of the streams: what is in them, and where they are cut.

use std::fs;

use super::*;
use crate::data::source::wikitext;

#[test]
fn synthetic_documents_come_back_from_the_streams() {
    let cache = tempfile::tempdir().unwrap();
    let prepared = quiet(&synthetic(None), &TRAINED, cache.path()).unwrap();
    assert_eq!((prepared.vocabulary, prepared.end_of_text), (600, 599));
    for (split, part, words) in [
        (&prepared.train, "train", 20_000),
        (&prepared.validation, "validation", 2_000),
        (&prepared.test, "test", 3_000),
    ] {
        let (mut total_words, mut total_bytes) = (0, 0);
        for index in 0..split.documents.len() {
            let document = split.document(index);
            let text = grammar::generate(3, part, index as u64).text;
            assert_eq!(
                prepared.tokenizer.decode(document),
                text.clone() + "<|endoftext|>"
            );
            assert!(
                total_words < words,
                "no document follows once the words are reached"
            );
            total_words += text.split_whitespace().count() as u64;
            total_bytes += text.len() as u64;
        }
        assert!(total_words >= words);
        assert_eq!((split.words, split.bytes), (total_words, total_bytes));
        let ends = split.tokens().iter().filter(|&&token| token == 599).count();
        assert_eq!(ends, split.documents.len());
    }
}

#[test]
fn the_source_knows_its_text_better_than_word_frequencies_do() {
    let cache = tempfile::tempdir().unwrap();
    let prepared = quiet(&synthetic(None), &TRAINED, cache.path()).unwrap();
    let exact = prepared.exact.unwrap();
    let tokens = prepared.test.tokens();
    let nats: f64 = (0..prepared.test.documents.len() as u64)
        .map(|index| -grammar::generate(3, "test", index).log_probability)
        .sum();
    assert!((exact.nats_per_token - nats / tokens.len() as f64).abs() < 1e-12);
    assert!(
        (exact.nats_per_token / exact.entropy_nats_per_token - 1.0).abs() < 0.1,
        "{exact:?}"
    );
    assert!(
        prepared.unigram_nats_per_token > 2.0 * exact.nats_per_token,
        "{} and {exact:?}",
        prepared.unigram_nats_per_token
    );

    let mut counts = vec![1u64; 600];
    prepared
        .train
        .tokens()
        .iter()
        .for_each(|&token| counts[token as usize] += 1);
    let total = counts.iter().sum::<u64>() as f64;
    let unigram = tokens
        .iter()
        .map(|&token| -(counts[token as usize] as f64 / total).ln())
        .sum::<f64>()
        / tokens.len() as f64;
    assert!((prepared.unigram_nats_per_token - unigram).abs() < 1e-12);
}

#[test]
fn the_bytes_are_the_same_for_any_number_of_threads() {
    let file = |threads| {
        let cache = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let key = pool.install(|| quiet(&synthetic(None), &TRAINED, cache.path()).unwrap().key);
        fs::read(cache.path().join(format!("{key}.kdtokens"))).unwrap()
    };
    let one = file(1);
    assert!(one == file(2) && one == file(3));
}

#[test]
fn train_tokens_cuts_the_training_stream_alone() {
    let cache = tempfile::tempdir().unwrap();
    let whole = quiet(&synthetic(None), &TRAINED, cache.path()).unwrap();
    for limit in [
        1,
        5_000,
        whole.train.documents[1],
        whole.train.documents[1] - 1,
    ] {
        let cut = quiet(&synthetic(Some(limit)), &TRAINED, cache.path()).unwrap();
        assert_eq!(cut.train.tokens(), &whole.train.tokens()[..limit as usize]);
        let started = whole
            .train
            .documents
            .iter()
            .filter(|&&start| start < limit)
            .count();
        assert_eq!(cut.train.documents, whole.train.documents[..started]);
        let ends = cut
            .train
            .tokens()
            .iter()
            .filter(|&&token| token == cut.end_of_text)
            .count() as u64;
        assert_eq!(
            cut.train.bytes + 13 * ends,
            cut.tokenizer.decode_bytes(cut.train.tokens()).len() as u64
        );
        assert_eq!(cut.test.tokens(), whole.test.tokens());
        assert_ne!(cut.key, whole.key);
    }
    let more = quiet(&synthetic(Some(u64::MAX)), &TRAINED, cache.path()).unwrap();
    assert_eq!(more.train.tokens(), whole.train.tokens());
}

#[test]
fn a_long_document_is_tokenized_as_if_it_were_not_cut() {
    let folder = tempfile::tempdir().unwrap();
    let line = |i: usize| {
        format!(
            " It 's line {i} , with 1 @,@ 000 words \u{a0} and   spaces\t. \n{}",
            if i.is_multiple_of(5) { "\n  \n" } else { "" }
        )
    };
    let content: String = (0..8_000).map(line).collect();
    for name in ["train.txt", "valid.txt", "test.txt"] {
        fs::write(folder.path().join(name), &content).unwrap();
    }
    for detokenize in [Detokenize::None, Detokenize::Wikitext] {
        let tokenizer = TokenizerSpec::Train { vocab_size: 290 };
        let prepared = quiet(
            &text(folder.path(), &["train.txt"], detokenize),
            &tokenizer,
            &folder.path().join("cache"),
        )
        .unwrap();
        let whole = match detokenize {
            Detokenize::None => content.clone(),
            Detokenize::Wikitext => wikitext(&content),
        };
        let mut expected = prepared.tokenizer.encode(&whole).unwrap();
        expected.push(prepared.end_of_text);
        assert!(prepared.train.tokens() == expected);
        assert_eq!(prepared.train.documents, [0]);
        assert_eq!(
            prepared.train.words,
            content.split_whitespace().count() as u64
        );
        assert_eq!(prepared.train.bytes, whole.len() as u64);
    }
}

#[test]
fn what_is_prepared_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Prepared>();
    shared::<Order>();
}
