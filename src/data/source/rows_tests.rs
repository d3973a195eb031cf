//! Tests of `rows.rs`.

use super::*;
use crate::data::source::document::Piece;
use crate::plan::run::Detokenize;

/// The documents that files of one kind give.
fn documents(files: &[(&str, &str)], rows: Rows) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = files
        .iter()
        .map(|(name, text)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        })
        .collect();
    let (mut documents, mut text) = (Vec::new(), String::new());
    let mut visitor = |piece: Piece| {
        match piece {
            Piece::Text { text: more, .. } => text.push_str(more),
            Piece::End { .. } => documents.push(std::mem::take(&mut text)),
        }
        Ok(Flow::Continue(()))
    };
    let column = TextColumn::new("text", rows, Detokenize::None);
    let mut in_turn = paths.into_iter().map(Ok);
    let format = if files[0].0.ends_with("txt") {
        DataFormat::Text
    } else {
        DataFormat::Json
    };
    let mut cutter = Cutter::of_all(Detokenize::None, &mut visitor);
    visit(format, &mut in_turn, &column, &mut cutter).unwrap();
    documents
}

#[test]
fn every_row_is_a_document_or_all_are_lines_of_one() {
    let files = [("a.txt", "one\n\ntwo\n"), ("b.txt", "three")];
    assert_eq!(
        documents(&files, Rows::Documents),
        ["one", "", "two", "three"]
    );
    assert_eq!(documents(&files, Rows::Lines), ["one\n\ntwo\nthree"]);
    let json = [(
        "a.jsonl",
        "{\"text\": \"a b\"}\n{\"text\": null}\n{\"text\": \"c\"}\n{\"other\": 1}\n",
    )];
    assert_eq!(documents(&json, Rows::Documents), ["a b", "c"]);
    assert_eq!(documents(&json, Rows::Lines), ["a b\nc"]);
}

#[test]
fn lines_that_bring_their_ends_are_joined_unchanged() {
    let json = [(
        "a.jsonl",
        "{\"text\": \"\"}\n{\"text\": \" = a = \\n\"}\n{\"text\": \"\"}\n{\"text\": \"b\\n\"}\n",
    )];
    assert_eq!(documents(&json, Rows::Lines), [" = a = \nb\n"]);
    let empty_first = [("a.txt", "\n\na\n\nb")];
    assert_eq!(documents(&empty_first, Rows::Lines), ["\n\na\n\nb"]);
}
