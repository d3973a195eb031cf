//! Tests of `bpe.rs`.

use super::super::tests::no_hub;
use super::*;

fn text(folder: &std::path::Path, content: &str) -> DatasetSpec {
    std::fs::write(folder.join("text"), content).unwrap();
    let paths = || vec![crate::plan::path::InputPath::new("text", folder)];
    DatasetSpec::Text {
        train: paths(),
        validation: paths(),
        test: paths(),
        detokenize: crate::plan::run::Detokenize::None,
        train_tokens: None,
    }
}

#[test]
fn the_most_frequent_pair_is_joined_first() {
    let folder = tempfile::tempdir().unwrap();
    let content = format!("{}{}{}", "ab".repeat(9), " cd".repeat(5), " e");
    let json: Value = serde_json::from_str(
        train(&text(folder.path(), &content), &no_hub(), 258)
            .unwrap()
            .json(),
    )
    .unwrap();
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
    let dataset = text(folder.path(), &content);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| train(&dataset, &no_hub(), 300).unwrap().json().to_owned())
    };
    assert!(on(1) == on(1) && on(1) == on(2) && on(1) == on(3));
}

#[test]
fn a_trained_tokenizer_has_the_size_asked_for_and_gives_text_back() {
    let folder = tempfile::tempdir().unwrap();
    let content = "the quick brown fox jumps over the lazy dog; the dog's fox quickly jumped \
                       over it.\n"
        .repeat(50);
    let tokenizer = train(&text(folder.path(), &content), &no_hub(), 290).unwrap();
    assert_eq!(
        (tokenizer.vocabulary(), tokenizer.end_of_text()),
        (290, 289)
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
    let dataset = text(folder.path(), "few words");
    let error = |size| train(&dataset, &no_hub(), size).unwrap_err().to_string();
    assert!(error(256).starts_with(
        "tokenizer.vocab_size = 256 is too small: the 256 bytes and <|endoftext|> take 257"
    ));
    assert!(
        error(1000).contains("all its words give 26"),
        "{}",
        error(1000)
    );
    assert_eq!(train(&dataset, &no_hub(), 257).unwrap().vocabulary(), 257);
}
