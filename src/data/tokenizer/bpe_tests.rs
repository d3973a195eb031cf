//! Tests of `bpe.rs`.

use super::*;
use crate::data::tests::no_hub;
use crate::plan::path::InputPath;
use crate::plan::run::{DatasetSpec, Detokenize, TextDocuments};

/// A tokenizer trained on the file `text` of a folder.
fn trained(folder: &std::path::Path, vocab_size: usize) -> Result<Tokenizer> {
    let paths = || vec![InputPath::new("text", folder)];
    let spec = DatasetSpec::Text {
        train: paths(),
        validation: paths().into(),
        test: paths().into(),
        cut: None,
        documents: TextDocuments::Files,
        detokenize: Detokenize::None,
        train_tokens: None,
    };
    train(&Dataset::find(&spec, &no_hub())?, vocab_size)
}

#[test]
fn the_most_frequent_pair_is_joined_first() {
    let folder = tempfile::tempdir().unwrap();
    let content = format!("{}{}{}", "ab".repeat(9), " cd".repeat(5), " e");
    std::fs::write(folder.path().join("text"), content).unwrap();
    let tokenizer = trained(folder.path(), 258).unwrap();
    let json: Value = serde_json::from_str(tokenizer.json()).unwrap();
    assert_eq!(json["model"]["merges"].as_array().unwrap().len(), 1);
    assert_eq!(json["model"]["vocab"]["ab"], 256);
    assert_eq!(json["model"]["vocab"][END_OF_TEXT], 257);
}

#[test]
fn training_repeats_itself_whatever_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let content: String = (0..400)
        .map(|i| {
            format!(
                "{} the {} of words number {i}. ",
                ["one", "two"][i % 2],
                ["cat", "dog", "bird"][i % 3]
            )
        })
        .collect();
    std::fs::write(folder.path().join("text"), content).unwrap();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| trained(folder.path(), 300).unwrap().json().to_owned())
    };
    assert!(on(1) == on(1) && on(1) == on(2) && on(1) == on(3));
}

#[test]
fn a_trained_tokenizer_has_the_size_asked_for_and_gives_text_back() {
    let folder = tempfile::tempdir().unwrap();
    let content = "the quick brown fox jumps over the lazy dog; the dog's fox quickly jumped \
                       over it.\n"
        .repeat(50);
    std::fs::write(folder.path().join("text"), &content).unwrap();
    let tokenizer = trained(folder.path(), 290).unwrap();
    assert_eq!(
        (tokenizer.vocabulary(), tokenizer.text_end()),
        (290, Some(289))
    );
    let tokens = tokenizer.encode(&content).unwrap();
    assert_eq!(tokenizer.decode(&tokens), content);
    assert!(
        tokens.len() < content.len() / 2,
        "{} of {}",
        tokens.len(),
        content.len()
    );
    assert_eq!(tokenizer.encode(" the").unwrap().len(), 1);
}

#[test]
fn sizes_that_cannot_be_are_errors_with_the_numbers() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("text"), "few words").unwrap();
    let error = |size| trained(folder.path(), size).unwrap_err().to_string();
    assert!(error(256).starts_with(
        "tokenizer.vocab_size = 256 is too small: the 256 bytes and <|endoftext|> take 257"
    ));
    assert!(
        error(1000).contains("all its words give 26"),
        "{}",
        error(1000)
    );
    assert_eq!(trained(folder.path(), 257).unwrap().vocabulary(), 257);
}

#[test]
fn the_version_of_the_trainer_is_the_one_that_is_built_and_other_ones_are_in_every_key() {
    let lock = include_str!("../../../Cargo.lock");
    let built = lock.split("[[package]]").find_map(|package| {
        let version = package.strip_prefix("\nname = \"tokenizers\"\nversion = \"")?;
        version.split('"').next()
    });
    assert_eq!(built, Some(CRATE), "write it to CRATE");
    assert_eq!(
        crate::plan::identity::TOKENIZER_TRAINER.is_none(),
        CRATE == UNNAMED_CRATE,
        "a study's ids name a trainer of another version"
    );
}
