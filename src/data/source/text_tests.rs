//! Tests of `text.rs`.

use std::fs;
use std::path::PathBuf;

use super::super::document::Piece;
use super::*;
use crate::plan::path::InputPath;

fn documents(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut found = vec![String::new()];
    for file in files {
        let mut visitor = |piece: Piece| {
            match piece {
                Piece::Text { text, .. } => found.last_mut().unwrap().push_str(text),
                Piece::End { .. } => found.push(String::new()),
            }
            Ok(ControlFlow::Continue(()))
        };
        let mut cutter = Cutter::of_all(Detokenize::None, &mut visitor);
        let _ = visit(file, "<|end|>", &mut cutter)?;
    }
    found.pop();
    Ok(found)
}

#[test]
fn a_file_is_one_document_whatever_the_blocks_cut() {
    let folder = tempfile::tempdir().unwrap();
    let texts = [
        "ä€𝄞 ".repeat(100_000),
        "x".to_string() + &"€".repeat(200_000),
        "short\r\n".to_string(),
    ];
    let files: Vec<PathBuf> = texts
        .iter()
        .enumerate()
        .map(|(i, text)| {
            let path = folder.path().join(format!("{i}.txt"));
            fs::write(&path, text).unwrap();
            path
        })
        .collect();
    assert_eq!(documents(&files).unwrap(), texts);
}

#[test]
fn text_that_is_not_utf8_is_refused_with_file_and_byte() {
    let folder = tempfile::tempdir().unwrap();
    for (bytes, place) in [
        (b"abc\xff def".to_vec(), 3),
        (b"ab\xe2\x82".to_vec(), 2),
        (
            [b"a".repeat(BLOCK + 5), vec![0xc3, 0x28]].concat(),
            BLOCK + 5,
        ),
    ] {
        let path = folder.path().join("broken.txt");
        fs::write(&path, bytes).unwrap();
        let error = documents(std::slice::from_ref(&path))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(&format!("{} is not UTF-8: byte {place} is", path.display())),
            "{error}"
        );
    }
    let path = folder.path().join("broken.zst");
    fs::write(
        &path,
        zstd::encode_all(&[&b"a".repeat(BLOCK + 7)[..], b"\xff"].concat()[..], 1).unwrap(),
    )
    .unwrap();
    let error = documents(std::slice::from_ref(&path))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with(&format!(
            "{} is not UTF-8: byte {} of the unpacked text is",
            path.display(),
            BLOCK + 7
        )),
        "{error}"
    );
}

#[test]
fn packed_files_are_documents_beside_plain_ones() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let text = "ä€𝄞 ".repeat(100_000);
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    fs::write(folder.path().join("a.txt"), "plain").unwrap();
    fs::write(folder.path().join("b.txt.gz"), packer.finish().unwrap()).unwrap();
    fs::write(
        folder.path().join("c.txt.zst"),
        zstd::encode_all(text.as_bytes(), 1).unwrap(),
    )
    .unwrap();
    let files = ["a.txt", "b.txt.gz", "c.txt.zst"].map(|name| folder.path().join(name));
    assert!(documents(&files).unwrap() == ["plain", &text, &text]);
}

#[test]
fn separators_that_a_file_spells_end_documents() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    let long = "word ".repeat(100_000);
    fs::write(&path, format!("one\n<|end|>\n{long}<|end|><|end|>three\n")).unwrap();
    assert!(documents(&[path]).unwrap() == ["one\n", &format!("\n{long}"), "", "three\n"]);
}

#[test]
fn a_file_of_json_lines_is_read_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("a.txt", "{ this is no JSON }\ntext"),
        ("b.txt", "{\"text\": \"one\"}\n{\"text\": \"two\"}\n"),
        ("c.txt", "plain"),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let inputs = |name: &str| vec![InputPath::new(name, folder.path())];
    let found = |train| {
        let paths = SplitPaths {
            train: &inputs(train),
            validation: &inputs("c.txt").into(),
            test: &inputs("c.txt").into(),
            cut: None,
        };
        TextSource::find(&paths, TextDocuments::Files, Detokenize::None)
            .unwrap()
            .notes()
    };
    assert!(found("a.txt").is_empty());
    let notes = found("b.txt");
    assert!(
        notes.len() == 1 && notes[0].contains("b.txt holds JSON"),
        "{notes:?}"
    );
}

#[test]
fn a_table_is_read_with_a_note_that_says_how_it_becomes_parquet() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.CSV", "b.tsv", "c.txt", "csv", "d.csv.txt"] {
        fs::write(folder.path().join(name), "id,text\n1,one\n").unwrap();
    }
    let packed = zstd::encode_all(&b"id,text\n1,one\n"[..], 1).unwrap();
    fs::write(folder.path().join("e.csv.zst"), packed).unwrap();
    let found = |names: &[&str]| {
        let inputs = |names: &[&str]| -> Vec<InputPath> {
            let input = |name: &&str| InputPath::new(*name, folder.path());
            names.iter().map(input).collect()
        };
        fs::write(folder.path().join("other.txt"), "plain").unwrap();
        let paths = SplitPaths {
            train: &inputs(names),
            validation: &inputs(&["other.txt"]).into(),
            test: &inputs(&["other.txt"]).into(),
            cut: None,
        };
        let source = TextSource::find(&paths, TextDocuments::Files, Detokenize::None);
        source.unwrap().notes()
    };
    assert_eq!(found(&["c.txt"]), Vec::<String>::new());
    assert_eq!(found(&["csv"]), Vec::<String>::new());
    assert_eq!(found(&["d.csv.txt"]), Vec::<String>::new());
    for (name, tabs) in [
        ("a.CSV", ""),
        ("b.tsv", ", separator=\"\\t\""),
        ("e.csv.zst", ""),
    ] {
        let notes = found(&[name]);
        let line = format!("{name}\"{tabs}).write_parquet(\"texts.parquet\")");
        assert!(
            notes.len() == 1
                && notes[0].contains(&format!("{name} is a table by its name"))
                && notes[0].contains("in Python by polars.read_csv(\"")
                && notes[0].contains(&line),
            "{notes:?}"
        );
    }
}
