//! One file is enough: splits that are cut from it.

use std::collections::BTreeSet;
use std::fs;

use super::*;
use crate::plan::run::{HeldOut, LineBlocks, Rows};

const END: &str = "<|endoftext|>";

/// Stories, of which every third is told twice.
fn stories() -> Vec<String> {
    let story = |i: usize| format!("The {i}th story is of a line, and of words.\n");
    (0..600).map(|i| story(i - i % 3 / 2)).collect()
}

fn share(percent: &str) -> HeldOut {
    HeldOut::Share(percent.to_owned())
}

fn one_text(folder: &Path, name: &str, cut: Option<LineBlocks>) -> DatasetSpec {
    DatasetSpec::Text {
        train: vec![InputPath::new(name, folder)],
        validation: share("20%"),
        test: share("10%"),
        cut,
        documents: TextDocuments::Files,
        detokenize: Detokenize::None,
        train_tokens: None,
    }
}

fn rows(folder: &Path, name: &str, rows: Rows, cut: Option<LineBlocks>) -> DatasetSpec {
    let train = vec![InputPath::new(name, folder)];
    if name.ends_with("parquet") {
        return DatasetSpec::Parquet {
            train,
            validation: share("20%"),
            test: share("10%"),
            cut,
            column: "text".to_owned(),
            rows,
            detokenize: Detokenize::None,
            train_tokens: None,
        };
    }
    DatasetSpec::Jsonl {
        train,
        validation: share("20%"),
        test: share("10%"),
        cut,
        column: "text".to_owned(),
        rows,
        detokenize: Detokenize::None,
        train_tokens: None,
    }
}

/// The documents of the three splits, by their visible text.
fn splits(prepared: &Prepared) -> [Vec<String>; 3] {
    [&prepared.train, &prepared.validation, &prepared.test].map(|split| {
        let documents = (0..split.documents.len()).map(|index| {
            let text = prepared.tokenizer.decode(split.document(index));
            text.trim_end_matches(END).trim().to_owned()
        });
        documents.filter(|text| !text.is_empty()).collect()
    })
}

#[test]
fn one_file_of_documents_is_cut_alike_as_text_json_and_parquet_and_no_document_is_in_two_splits() {
    use polars::prelude::*;
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let stories = stories();
    let text: String = stories
        .iter()
        .map(|story| format!("{story}{END}\n"))
        .collect();
    fs::write(folder.join("all.txt"), &text).unwrap();
    let lines: String = stories
        .iter()
        .map(|story| serde_json::json!({ "id": 1, "text": story }).to_string() + "\n")
        .collect();
    fs::write(folder.join("all.jsonl"), &lines).unwrap();
    let packed = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    fs::write(folder.join("all.jsonl.zst"), packed).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(lines.as_bytes()).unwrap();
    fs::write(folder.join("all.jsonl.gz"), gzip.finish().unwrap()).unwrap();
    let mut frame = df!("text" => &stories).unwrap();
    ParquetWriter::new(fs::File::create(folder.join("all.parquet")).unwrap())
        .finish(&mut frame)
        .unwrap();
    let of = |spec: &DatasetSpec| {
        let prepared = quiet(spec, &TRAINED_SMALL, &folder.join("cache")).unwrap();
        assert_eq!(prepared.shared, SharedDocuments::default());
        splits(&prepared)
    };
    let from_text = of(&one_text(folder, "all.txt", None));
    let sets = from_text
        .each_ref()
        .map(|split| split.iter().collect::<BTreeSet<_>>());
    assert_eq!(from_text.iter().map(Vec::len).sum::<usize>(), 600);
    assert_eq!(sets.iter().map(BTreeSet::len).sum::<usize>(), 400);
    for (split, count) in sets.iter().zip([280, 80, 40]) {
        assert!(
            split.len().abs_diff(count) < 30,
            "{} of {count}",
            split.len()
        );
    }
    for name in ["all.jsonl", "all.jsonl.zst", "all.jsonl.gz", "all.parquet"] {
        let found = of(&rows(folder, name, Rows::Documents, None));
        assert_eq!(found, from_text, "{name}");
    }
}

#[test]
fn one_document_is_refused_by_documents_and_cut_by_blocks_of_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let stories: Vec<String> = (0..900)
        .map(|i| format!("Line {i} of one long tale.\n"))
        .collect();
    fs::write(folder.join("book.txt"), stories.concat()).unwrap();
    let lines: String = stories
        .iter()
        .map(|line| serde_json::json!({ "text": line.trim_end() }).to_string() + "\n")
        .collect();
    fs::write(folder.join("book.jsonl"), lines).unwrap();
    let cache = folder.join("cache");
    let whole = one_text(folder, "book.txt", None);
    let error = quiet(&whole, &TRAINED_SMALL, &cache).unwrap_err();
    assert!(
        error.to_string().contains("the text is 1 document")
            && error
                .to_string()
                .contains("cut = { lines = 200, gap = 10 }"),
        "{error}"
    );
    let cut = Some(LineBlocks { lines: 10, gap: 2 });
    let of = |spec: &DatasetSpec| quiet(spec, &TRAINED_SMALL, &cache).unwrap();
    let text = of(&one_text(folder, "book.txt", cut));
    let found = splits(&text);
    assert!(found.iter().all(|split| split.len() > 3), "{found:?}");
    let json = of(&rows(folder, "book.jsonl", Rows::Lines, cut));
    assert_eq!(splits(&json), found, "lines of one stream");
    let wider = Some(LineBlocks { lines: 10, gap: 3 });
    assert_ne!(of(&one_text(folder, "book.txt", wider)).key, text.key);
}

#[test]
fn a_limit_of_training_tokens_ends_what_shares_are_cut_from() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let stories = stories().join(END);
    fs::write(folder.join("all.txt"), stories).unwrap();
    let limited = DatasetSpec::Text {
        train: vec![InputPath::new("all.txt", folder)],
        validation: share("20%"),
        test: share("10%"),
        cut: None,
        documents: TextDocuments::Files,
        detokenize: Detokenize::None,
        train_tokens: Some(1_000),
    };
    let prepared = quiet(&limited, &TRAINED_SMALL, &folder.join("cache")).unwrap();
    assert_eq!(prepared.train.tokens().len(), 1_000);
    let [train, validation, test] = splits(&prepared).map(|split| split.len());
    assert!(
        validation < train && test < validation,
        "{train} {validation} {test}"
    );
}
