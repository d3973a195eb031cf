//! Tests of datasets that are files: text, packed text and parquet.

use std::fs;

use super::*;
use crate::plan::run::Rows;

#[test]
fn text_files_are_documents_in_the_order_written() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("b.txt", "second  file\n"),
        ("a.txt", "first file"),
        ("empty.txt", ""),
        ("valid.txt", "file\n"),
        ("test.txt", "a ä € file"),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let tokenizer = TokenizerSpec::Train { vocab_size: 260 };
    let prepared = quiet(
        &text(
            folder.path(),
            &["b.txt", "empt*.txt", "a.txt"],
            Detokenize::None,
        ),
        &tokenizer,
        &folder.path().join("cache"),
    )
    .unwrap();
    assert_eq!(
        prepared.tokenizer.decode(prepared.train.tokens()),
        "second  file\n<|endoftext|>first file<|endoftext|>"
    );
    assert_eq!(
        prepared.train.documents.len(),
        2,
        "an empty file is no document"
    );
    assert_eq!((prepared.train.words, prepared.train.bytes), (4, 23));
    assert_eq!((prepared.test.words, prepared.test.bytes), (4, 13));
    assert_eq!(
        prepared.tokenizer.decode(prepared.test.document(0)),
        "a ä € file<|endoftext|>"
    );
    assert_eq!(prepared.exact, None);
}

#[test]
fn inputs_without_text_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("valid.txt"), "").unwrap();
    fs::write(folder.path().join("test.txt"), "text").unwrap();
    let tokenizer = TokenizerSpec::Train { vocab_size: 257 };
    let error = |train: &str| {
        quiet(
            &text(folder.path(), &[train], Detokenize::None),
            &tokenizer,
            folder.path(),
        )
        .unwrap_err()
    };
    let told = format!("{:#}", error("valid.txt"));
    assert!(
        told.contains("valid.txt of dataset.train is empty")
            && told.contains("valid.txt of dataset.validation is empty"),
        "{told}"
    );
    assert!(
        error("gone.txt")
            .to_string()
            .contains("gone.txt of dataset.train does not exist")
    );
    let none = DatasetSpec::Synthetic {
        seed: 0,
        train_words: 0,
        validation_words: 1,
        test_words: 1,
        train_tokens: None,
    };
    let error = quiet(&none, &tokenizer, folder.path())
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "the train split is empty; write dataset.train_words of at least 1"
    );
}

#[test]
fn lines_of_a_parquet_file_are_the_stream_of_the_text_file() {
    use polars::prelude::*;
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..300)
        .map(|i| format!(" line {i} , of \" text \" . \n"))
        .collect();
    for name in ["train.txt", "valid.txt", "test.txt"] {
        fs::write(folder.path().join(name), lines.concat()).unwrap();
    }
    let mut frame = df!("text" => &lines).unwrap();
    ParquetWriter::new(fs::File::create(folder.path().join("all.parquet")).unwrap())
        .with_row_group_size(Some(70))
        .finish(&mut frame)
        .unwrap();
    let paths = || vec![InputPath::new("*.parquet", folder.path())];
    let parquet = |rows| DatasetSpec::Parquet {
        train: paths(),
        validation: paths().into(),
        test: paths().into(),
        cut: None,
        column: "text".to_string(),
        rows,
        detokenize: Detokenize::Wikitext,
        train_tokens: None,
    };
    let tokenizer = TokenizerSpec::Train { vocab_size: 280 };
    let from_text = quiet(
        &text(folder.path(), &["train.txt"], Detokenize::Wikitext),
        &tokenizer,
        folder.path(),
    )
    .unwrap();
    let from_lines = quiet(&parquet(Rows::Lines), &tokenizer, folder.path()).unwrap();
    assert_eq!(from_lines.train.tokens(), from_text.train.tokens());
    assert_eq!(
        (from_lines.test.words, from_lines.test.bytes),
        (from_text.test.words, from_text.test.bytes)
    );
    let from_documents = quiet(&parquet(Rows::Documents), &tokenizer, folder.path()).unwrap();
    assert_eq!(from_documents.train.documents.len(), 300);
    assert_eq!(
        from_documents
            .tokenizer
            .decode(from_documents.train.document(7)),
        "line 7, of \"text\".\n<|endoftext|>"
    );
}

#[test]
fn articles_of_wikitext_are_documents_whether_blank_lines_are_lines_or_rows_without_text() {
    use polars::prelude::*;
    let folder = tempfile::tempdir().unwrap();
    // As the hub has them: a blank line is a row without text, which no end of line stands for.
    let rows: Vec<String> = (0..6)
        .flat_map(|article| {
            [
                String::new(),
                format!(" = Title {article} = \n"),
                String::new(),
                format!(" Text of {article} , \n"),
                " = no title = \n".to_owned(),
                " and more . \n".to_owned(),
                String::new(),
                " = = Part = = \n".to_owned(),
                String::new(),
                " The end . \n".to_owned(),
            ]
        })
        .collect();
    let lines = rows.iter().map(|row| match row.as_str() {
        "" => " \n",
        row => row,
    });
    let lines: String = lines.collect();
    fs::write(folder.path().join("all.txt"), &lines).unwrap();
    let mut frame = df!("text" => &rows).unwrap();
    ParquetWriter::new(fs::File::create(folder.path().join("all.parquet")).unwrap())
        .finish(&mut frame)
        .unwrap();
    let paths = |name: &str| vec![InputPath::new(name, folder.path())];
    let of_rows = DatasetSpec::Parquet {
        train: paths("all.parquet"),
        validation: paths("all.parquet").into(),
        test: paths("all.parquet").into(),
        cut: None,
        column: "text".to_owned(),
        rows: Rows::Articles,
        detokenize: Detokenize::None,
        train_tokens: None,
    };
    let of_text = DatasetSpec::Text {
        train: paths("all.txt"),
        validation: paths("all.txt").into(),
        test: paths("all.txt").into(),
        cut: None,
        documents: TextDocuments::Articles,
        detokenize: Detokenize::None,
        train_tokens: None,
    };
    let tokenizer = TokenizerSpec::Train { vocab_size: 280 };
    for dataset in [of_rows, of_text] {
        let prepared = quiet(&dataset, &tokenizer, folder.path()).unwrap();
        assert_eq!(prepared.test.documents.len(), 6, "{dataset:?}");
        let fourth = prepared.tokenizer.decode(prepared.test.document(3));
        assert!(fourth.starts_with(" = Title 3 = \n"), "{fourth}");
        assert!(fourth.contains("The end . \n"), "{fourth}");
    }
}

#[test]
fn packed_files_give_the_tokens_of_plain_ones() {
    let folder = tempfile::tempdir().unwrap();
    let content: String = (0..30_000)
        .map(|i| format!("line {i} of a text – packed\n"))
        .collect();
    for name in ["train.txt", "valid.txt", "test.txt"] {
        fs::write(folder.path().join(name), &content).unwrap();
    }
    fs::write(
        folder.path().join("train.txt.zst"),
        zstd::encode_all(content.as_bytes(), 1).unwrap(),
    )
    .unwrap();
    let of = |name: &str| {
        quiet(
            &text(folder.path(), &[name], Detokenize::None),
            &TRAINED_SMALL,
            &folder.path().join("cache"),
        )
        .unwrap()
    };
    let (plain, packed) = (of("train.txt"), of("train.txt.zst"));
    assert_eq!(plain.train.tokens(), packed.train.tokens());
    assert_ne!(
        plain.key, packed.key,
        "a packed file counts as it lies on the disk"
    );
}

#[test]
fn a_study_and_eval_read_separators_alike_and_shared_documents_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let story = |i: usize| format!("The {i}th story is of a line, and of words.\n");
    let end = "<|endoftext|>";
    let file = |stories: std::ops::Range<usize>| -> String {
        stories.map(|i| format!("{}{end}\n", story(i))).collect()
    };
    let write = |name: &str, content: &str| fs::write(folder.path().join(name), content).unwrap();
    write("train.txt", &file(0..40));
    write("valid.txt", &file(38..45));
    write("test.txt", &file(44..50));
    let dataset = text(folder.path(), &["train.txt"], Detokenize::None);
    let tokenizer = TokenizerSpec::Train { vocab_size: 270 };
    let prepared = quiet(&dataset, &tokenizer, folder.path()).unwrap();
    // The last end of line is a document of its own, which is none that could be shared.
    let documents =
        [&prepared.train, &prepared.validation, &prepared.test].map(|split| split.documents.len());
    assert_eq!(documents, [41, 8, 7]);
    assert_eq!(
        prepared.shared,
        SharedDocuments {
            validation_in_train: 2,
            test_in_train: 0,
            test_in_validation: 1,
        }
    );
    let alone = single(&folder.path().join("test.txt"), &prepared.tokenizer).unwrap();
    let (last, rest) = prepared.test.tokens().split_last().unwrap();
    assert_eq!((*last, rest), (prepared.end_of_text, &alone.tokens[..]));
    assert_eq!(
        (alone.words, alone.bytes),
        (prepared.test.words, prepared.test.bytes)
    );
    let whole = fs::read_to_string(folder.path().join("test.txt")).unwrap();
    assert_eq!(
        alone.tokens,
        prepared.tokenizer.encode_with_specials(&whole).unwrap()
    );
}
