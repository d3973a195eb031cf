//! Tests of tokens that are added to a vocabulary, which no cut may tear.

use std::fs;

use super::*;
use crate::data::tokenizer::bpe;

/// A folder with a tokenizer that has added tokens which no cut may tear: 270 `two words`, 271
/// `<eats>` (with the white space around it), 272 `word7` (as a word alone), 273 `<s>` (special).
fn tokenizer_with_added_tokens(folder: &Path) -> TokenizerSpec {
    fs::write(
        folder.join("source.txt"),
        "it's the line of words number and so on <s> word7 two words \n".repeat(50),
    )
    .unwrap();
    let paths = || vec![InputPath::new("source.txt", folder)];
    let source = DatasetSpec::Text {
        train: paths(),
        validation: paths().into(),
        test: paths().into(),
        cut: None,
        documents: TextDocuments::Files,
        detokenize: Detokenize::None,
        train_tokens: None,
    };
    let trained = {
        let hub = no_hub();
        bpe::train(&Dataset::find(&source, &hub).unwrap(), 270).unwrap()
    };
    let mut content: serde_json::Value = serde_json::from_str(trained.json()).unwrap();
    for (id, (text, flag)) in (270..).zip([
        ("two words", ""),
        ("<eats>", "lstrip rstrip"),
        ("word7", "single_word"),
        ("<s>", "special"),
    ]) {
        let mut token = serde_json::json!({"id": id, "content": text, "normalized": false});
        for name in ["single_word", "lstrip", "rstrip", "special"] {
            token[name] = flag.contains(name).into();
        }
        content["added_tokens"].as_array_mut().unwrap().push(token);
    }
    fs::create_dir_all(folder.join("tokenizer")).unwrap();
    fs::write(folder.join("tokenizer/tokenizer.json"), content.to_string()).unwrap();
    TokenizerSpec::Dir {
        path: InputPath::new("tokenizer", folder),
    }
}

const SPACED: [&str; 10] = [
    "two words ",
    "two",
    " words",
    "<eats> ",
    "x\n",
    "<eats>\n\n",
    "word7 ",
    "word7x ",
    "<s> ",
    "it's ",
];
const DENSE: [&str; 7] = ["two", "words7", "<eats>", "word7", "<s>", "it's", "9"];

#[test]
fn added_tokens_are_never_torn_by_a_cut() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = tokenizer_with_added_tokens(folder.path());
    let read = Tokenizer::open(&folder.path().join("tokenizer")).unwrap();
    // Little but added tokens, so that many places to cut lie in one or beside one; with white
    // space and without.
    let text_of = |words: &[&str], prime: u64| -> String {
        (0..60_000)
            .map(|i| words[(i * i % prime) as usize % words.len()])
            .collect()
    };
    let spaced = text_of(&SPACED, 89);
    let dense = text_of(&DENSE, 97);
    for (name, content) in [("spaced", spaced), ("dense", dense)] {
        for file in ["train.txt", "valid.txt", "test.txt"] {
            fs::write(folder.path().join(file), &content).unwrap();
        }
        let prepared = quiet(
            &text(folder.path(), &["train.txt"], Detokenize::None),
            &tokenizer,
            &folder.path().join("cache"),
        )
        .unwrap();
        let mut expected = read.encode(&content).unwrap();
        assert!(
            expected.contains(&270) == (name == "spaced") && expected.contains(&271),
            "{name}"
        );
        expected.push(read.document_end().unwrap());
        assert!(prepared.train.tokens() == expected, "{name}");
        assert_eq!(
            (prepared.train.words, prepared.train.bytes),
            (
                content.split_whitespace().count() as u64,
                content.len() as u64
            )
        );

        let single = single(&folder.path().join("train.txt"), &read).unwrap();
        assert!(
            single.tokens == read.encode_with_specials(&content).unwrap()
                && single.tokens.contains(&273),
            "{name}"
        );
        assert_eq!(
            (single.words, single.bytes),
            (prepared.train.words, prepared.train.bytes)
        );
    }
}
