//! Tests on real texts, where the environment names a folder of them.

use std::fs;

use super::*;
use crate::data::source::wikitext;
use crate::data::tokenizer::END_OF_TEXT;

/// The folder with real corpora, if the environment names one.
fn test_data() -> Option<PathBuf> {
    let folder = std::env::var_os("KDPIPE_TEST_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: KDPIPE_TEST_DATA is not set");
    }
    folder
}

#[test]
fn wikitext_comes_back_from_its_tokens() {
    let Some(data) = test_data() else { return };
    let cache = tempfile::tempdir().unwrap();
    let wikitext = data.join("wikitext-2");
    let tokenizer = TokenizerSpec::Dir {
        path: InputPath::new("gpt2-tokenizer", &data),
    };
    let path = |name: &str| vec![InputPath::new(name, &wikitext)];
    let dataset = DatasetSpec::Text {
        train: path("train.txt"),
        validation: path("valid.txt").into(),
        test: path("test.txt").into(),
        cut: None,
        documents: TextDocuments::Files,
        detokenize: Detokenize::None,
        train_tokens: Some(100_000),
    };
    let prepared = quiet(&dataset, &tokenizer, cache.path()).unwrap();
    let content = fs::read_to_string(wikitext.join("test.txt")).unwrap();
    assert_eq!(
        prepared.tokenizer.decode(prepared.test.document(0)),
        content.clone() + "<|endoftext|>"
    );
    assert!(
        prepared.test.tokens()[..prepared.test.tokens().len() - 1]
            == prepared.tokenizer.encode(&content).unwrap()
    );
    assert_eq!(
        (prepared.test.documents.len(), prepared.train.tokens().len()),
        (1, 100_000)
    );
    assert_eq!((prepared.vocabulary, prepared.end_of_text), (50257, 50256));
    assert_eq!(prepared.tokenizer.encode("The dog").unwrap(), [464, 3290]);
    assert_same(
        &prepared,
        &quiet(&dataset, &tokenizer, cache.path()).unwrap(),
    );
    // Tokens of the two files as several implementations of GPT-2's tokenizer count them, and the
    // end of the document.
    assert_eq!(
        (
            prepared.validation.tokens().len(),
            prepared.test.tokens().len()
        ),
        (258_659 + 1, 295_877 + 1)
    );
    assert_eq!(prepared.test.words, 241_211);
}

#[test]
fn gpt2_tokens_are_those_of_other_implementations_from_either_form_of_its_files() {
    let Some(data) = test_data() else { return };
    let published = data.join("gpt2-tokenizer");
    let older = tempfile::tempdir().unwrap();
    for name in ["vocab.json", "merges.txt"] {
        fs::copy(published.join(name), older.path().join(name)).unwrap();
    }
    let vectors: Vec<serde_json::Value> =
        serde_json::from_slice(&fs::read(published.join("vectors.json")).unwrap()).unwrap();
    assert!(vectors.len() >= 200);
    let (whole, parts) = (
        Tokenizer::open(&published).unwrap(),
        Tokenizer::open(older.path()).unwrap(),
    );
    assert_eq!(
        whole.sha256(),
        parts.sha256(),
        "the two forms are one tokenizer"
    );
    for tokenizer in [whole, parts] {
        for vector in &vectors {
            let text = vector["text"].as_str().unwrap();
            let ids: Vec<u32> = serde_json::from_value(vector["ids"].clone()).unwrap();
            assert_eq!(tokenizer.decode(&ids), text);
            assert_eq!(
                tokenizer.encode_with_specials(text).unwrap(),
                ids,
                "{text:?}"
            );
            // In a document, a special token's text is text.
            let plain = tokenizer.encode(text).unwrap();
            assert_eq!(plain == ids, !text.contains(END_OF_TEXT));
            assert_eq!(tokenizer.decode(&plain), text);
        }
    }
}

#[test]
fn wikitext_is_detokenized_to_plain_english() {
    let Some(data) = test_data() else { return };
    let content = fs::read_to_string(data.join("wikitext-2/test.txt")).unwrap();
    let plain = wikitext(&content);
    assert_eq!(plain.matches('\n').count(), content.matches('\n').count());
    for gone in [" ,", " .\n", "@-@", "@,@", "@.@", "( ", " )", " 's ", "  "] {
        assert!(!plain.contains(gone), "{gone:?}");
    }
    let letters = |text: &str| {
        text.chars()
            .filter(|c| !c.is_whitespace() && *c != '@')
            .collect::<String>()
    };
    assert!(
        letters(&plain) == letters(&content),
        "nothing but spaces and marks changes"
    );
}

#[test]
fn wikitext_has_as_many_articles_as_its_authors_say_and_the_same_words() {
    let Some(data) = test_data() else { return };
    let cache = tempfile::tempdir().unwrap();
    let wikitext = data.join("wikitext-2");
    let path = |name: &str| vec![InputPath::new(name, &wikitext)];
    let dataset = |documents| DatasetSpec::Text {
        train: path("train.txt"),
        validation: path("valid.txt").into(),
        test: path("test.txt").into(),
        cut: None,
        documents,
        detokenize: Detokenize::None,
        train_tokens: None,
    };
    let tokenizer = TokenizerSpec::Dir {
        path: InputPath::new("gpt2-tokenizer", &data),
    };
    let prepared = |documents| quiet(&dataset(documents), &tokenizer, cache.path()).unwrap();
    let (whole, articles) = (
        prepared(TextDocuments::Files),
        prepared(TextDocuments::Articles),
    );
    let counts = |prepared: &Prepared| {
        [&prepared.train, &prepared.validation, &prepared.test].map(|split| split.documents.len())
    };
    assert_eq!(counts(&whole), [1, 1, 1]);
    assert_eq!(counts(&articles), [600, 60, 60]);
    // Nothing differs but an end of text behind every article.
    assert_eq!(articles.test.tokens().len(), whole.test.tokens().len() + 59);
    assert_eq!(articles.test.words, whole.test.words);
    let first = articles.tokenizer.decode(articles.test.document(1));
    assert!(first.starts_with(" = Du Fu = \n"), "{}", &first[..40]);
}
