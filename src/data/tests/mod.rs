//! Tests of the whole module: from a spec to the streams. Here is what they share.

mod added_tokens;
mod cached;
mod files;
mod one_file;
mod real_corpora;
mod streams;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::*;
use crate::hub::{Hub, Settings};
use crate::plan::path::InputPath;
use crate::plan::run::{DatasetSpec, Detokenize, TextDocuments, TokenizerSpec};

fn synthetic(train_tokens: Option<u64>) -> DatasetSpec {
    DatasetSpec::Synthetic {
        seed: 3,
        train_words: 20_000,
        validation_words: 2_000,
        test_words: 3_000,
        train_tokens,
    }
}

fn text(folder: &Path, train: &[&str], detokenize: Detokenize) -> DatasetSpec {
    let paths = |names: &[&str]| {
        names
            .iter()
            .map(|name| InputPath::new(*name, folder))
            .collect::<Vec<_>>()
    };
    DatasetSpec::Text {
        train: paths(train),
        validation: paths(&["valid.txt"]).into(),
        test: paths(&["test.txt"]).into(),
        cut: None,
        documents: TextDocuments::Files,
        detokenize,
        train_tokens: None,
    }
}

/// A hub that has nothing and is never asked.
pub(in crate::data) fn no_hub() -> Hub<'static> {
    let endpoint = "http://127.0.0.1:9".to_owned();
    let settings = Settings {
        endpoint,
        cache: PathBuf::from("no-cache"),
        token: None,
        offline: true,
        offline_datasets: true,
        pause: Duration::ZERO,
        problem: None,
    };
    Hub::quiet(settings, Vec::new())
}

const TRAINED: TokenizerSpec = TokenizerSpec::Train { vocab_size: 600 };

fn quiet(dataset: &DatasetSpec, tokenizer: &TokenizerSpec, cache: &Path) -> Result<Prepared> {
    prepare(dataset, tokenizer, &no_hub(), cache, &|_| {})
}

/// Every figure of the two is the same, to the bit.
fn assert_same(a: &Prepared, b: &Prepared) {
    for (a, b) in [
        (&a.train, &b.train),
        (&a.validation, &b.validation),
        (&a.test, &b.test),
    ] {
        assert_eq!(a.tokens(), b.tokens());
        assert_eq!(
            (&a.documents, a.words, a.bytes),
            (&b.documents, b.words, b.bytes)
        );
    }
    assert_eq!(
        (a.vocabulary, a.end_of_text, &a.key, a.tokenizer.json()),
        (b.vocabulary, b.end_of_text, &b.key, b.tokenizer.json())
    );
    assert_eq!(
        a.unigram_nats_per_token.to_bits(),
        b.unigram_nats_per_token.to_bits()
    );
    assert_eq!(
        a.exact.map(|exact| exact.nats_per_token.to_bits()),
        b.exact.map(|exact| exact.nats_per_token.to_bits())
    );
    assert_eq!(a.exact, b.exact);
}

const TRAINED_SMALL: TokenizerSpec = TokenizerSpec::Train { vocab_size: 280 };
