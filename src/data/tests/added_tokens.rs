//! Tests of tokens that are added to a vocabulary, which no cut may tear.

use std::fs;

use serde_json::{Value, json};

use super::*;
use crate::data::tokenizer::bpe;

/// The flags of an added token.
const FLAGS: [&str; 4] = ["single_word", "lstrip", "rstrip", "special"];

/// An added token with the flags that a text names.
fn added(id: u32, content: &str, flags: &str) -> Value {
    let mut token = json!({"id": id, "content": content, "normalized": false});
    for flag in FLAGS {
        token[flag] = flags.contains(flag).into();
    }
    token
}

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
    let mut content: Value = serde_json::from_str(trained.json()).unwrap();
    let tokens = content["added_tokens"].as_array_mut().unwrap();
    tokens.extend([
        added(270, "two words", ""),
        added(271, "<eats>", "lstrip rstrip"),
        added(272, "word7", "single_word"),
        added(273, "<s>", "special"),
    ]);
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

/// The tokens of a whole text as the tokenizers crate gives them, special ones too.
fn by_the_library(folder: &Path, text: &str) -> Vec<u32> {
    let file = folder.join("tokenizer/tokenizer.json");
    let library = tokenizers::Tokenizer::from_file(file).unwrap();
    library.encode_fast(text, false).unwrap().get_ids().to_vec()
}

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
        let mut expected = by_the_library(folder.path(), &content);
        assert!(
            expected.contains(&270) == (name == "spaced")
                && expected.contains(&271)
                && expected.contains(&273),
            "{name}"
        );
        assert!(read.encode(&content).unwrap() == expected, "{name}");
        let single = single(&folder.path().join("train.txt"), &read).unwrap();
        assert!(single.tokens == expected, "{name}");
        expected.push(read.document_end().unwrap());
        assert!(prepared.train.tokens() == expected, "{name}");
        assert_eq!(
            (prepared.train.words, prepared.train.bytes),
            (
                content.split_whitespace().count() as u64,
                content.len() as u64
            )
        );
        assert_eq!(
            (single.words, single.bytes),
            (prepared.train.words, prepared.train.bytes)
        );
    }
}

#[test]
fn a_study_and_eval_read_the_special_tokens_of_a_text_file_alike_whichever_ends_a_text() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let tokenizer = tokenizer_with_added_tokens(folder);
    let file = folder.join("tokenizer/tokenizer.json");
    let plain: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let content = "it's <s> two words </s>\n<|endoftext|> so on </s> of the line <s>\n";
    for name in ["train.txt", "valid.txt", "test.txt"] {
        fs::write(folder.join(name), content).unwrap();
    }
    // What takes white space along, or counts as a word alone, sets no documents apart.
    for (flags, documents) in [
        ("special", 3),
        ("special lstrip", 1),
        ("special lstrip rstrip", 1),
        ("special single_word", 1),
    ] {
        let mut whole = plain.clone();
        let tokens = whole["added_tokens"].as_array_mut().unwrap();
        tokens.push(added(274, "</s>", flags));
        fs::write(&file, whole.to_string()).unwrap();
        for (end, id, documents) in [("<|endoftext|>", 269, 2), ("</s>", 274, documents)] {
            let named = json!({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": end});
            let beside = folder.join("tokenizer/tokenizer_config.json");
            fs::write(beside, named.to_string()).unwrap();
            let expected = by_the_library(folder, content);
            let read = Tokenizer::open(&folder.join("tokenizer")).unwrap();
            let alone = single(&folder.join("test.txt"), &read).unwrap();
            assert_eq!(alone.tokens, expected, "{flags} {end}");
            let dataset = text(folder, &["train.txt"], Detokenize::None);
            let prepared = quiet(&dataset, &tokenizer, &folder.join("cache")).unwrap();
            let (last, rest) = prepared.test.tokens().split_last().unwrap();
            assert_eq!((*last, rest), (id, &expected[..]), "{flags} {end}");
            assert_eq!(prepared.test.documents.len(), documents, "{flags} {end}");
            assert!(expected.contains(&269) && expected.contains(&273) && expected.contains(&274));
        }
    }
}
