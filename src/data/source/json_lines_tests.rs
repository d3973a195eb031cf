//! Tests of `json_lines.rs`.

use std::io::Write;

use super::*;

/// The texts of a file's rows, or what is said.
fn texts(name: &str, bytes: &[u8], column: &str) -> Result<Vec<Option<String>>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let read = || -> Result<Vec<Option<String>>> {
        let mut rows = JsonLines::open(&path, column)?;
        let mut texts = Vec::new();
        while let Some(text) = rows.next_row()? {
            texts.push(text);
        }
        Ok(texts)
    };
    read().map_err(|error| format!("{error:#}").replace(&path.display().to_string(), "FILE"))
}

#[test]
fn rows_are_those_that_the_datasets_library_gives() {
    // From tests/reference/layouts.py; these are read here although they are refused there.
    const READ_HERE: [&str; 2] = ["strings", "empty file"];
    let all: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/reference/layouts.json")).unwrap();
    let mut read = 0;
    for case in all["rows"].as_array().unwrap() {
        let (name, ending) = (
            case["name"].as_str().unwrap(),
            case["ending"].as_str().unwrap(),
        );
        if !ending.starts_with(".json") || READ_HERE.contains(&name) || name == "only blank" {
            continue;
        }
        let digits = case["bytes"].as_str().unwrap();
        let bytes: Vec<u8> = (0..digits.len() / 2)
            .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        let found = texts(&format!("train{ending}"), &bytes, "text");
        // A text that is none is no text here.
        let expected: Option<Vec<Option<String>>> = case["rows"].as_array().and_then(|rows| {
            rows.iter()
                .map(|row| match row {
                    serde_json::Value::Null => Some(None),
                    row => row.as_str().map(|text| Some(text.to_owned())),
                })
                .collect()
        });
        match expected {
            Some(expected) => assert_eq!(found, Ok(expected), "{name}"),
            None => assert!(found.is_err(), "{name}: {found:?}"),
        }
        read += 1;
    }
    assert!(read > 25, "{read}");
}

#[test]
fn what_is_no_row_is_refused_with_its_line_and_the_keys_there_are() {
    let refusal = |text: &str| texts("a.jsonl", text.as_bytes(), "text").unwrap_err();
    assert_eq!(
        refusal("{\"text\": \"a\"}\n{\"text\": 3}\n"),
        "FILE, line 2: invalid type: integer `3`, expected a text or null; mend the \
         row, or take it out"
    );
    assert_eq!(
        refusal("{\"text\": [\"a\"]}\n"),
        "FILE, line 1: the text is in parts: a list; write what is to be read of every row \
         into a key of its own, as one text"
    );
    assert_eq!(
        refusal("{\"text\": \"a\", \"text\": \"b\"}"),
        "FILE, line 1: the key `text` stands twice; mend the row, or take it out"
    );
    assert_eq!(
        refusal("{\"text\": \"a\"}\n\nhello\n"),
        "FILE, line 3: expected value; mend the row, or take it out"
    );
    assert_eq!(
        refusal("[\"1\", \"a\"]\n[\"2\", \"b\"]\n"),
        "FILE, line 2: invalid type: sequence, expected an object with the key \
         `text`; mend the row, or take it out"
    );
    assert_eq!(
        refusal("{\"id\": 1, \"content\": \"a\"}\n{\"x\": null}\n"),
        "no row of FILE has a key `text`; write one of those there are: content, id, x"
    );
    assert_eq!(
        texts("a.json", b"[\"a\"]", "content").unwrap_err(),
        "FILE, line 1: the row is a text by itself, which is the column `text` and not `content`; \
         mend the row, or take it out"
    );
    // Null in every row is a column without text.
    assert_eq!(
        texts("a.jsonl", b"{\"text\": null}", "text"),
        Ok(vec![None])
    );
}

#[test]
fn packed_files_are_read_and_damaged_ones_refused() {
    let rows = b"{\"text\": \"a\"}\n{\"text\": \"b\"}\n";
    let both = Ok(vec![Some("a".to_owned()), Some("b".to_owned())]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(rows).unwrap();
    let gzip = gzip.finish().unwrap();
    assert_eq!(texts("a.jsonl.gz", &gzip, "text"), both);
    let zstd = zstd::encode_all(&rows[..], 1).unwrap();
    assert_eq!(texts("a.jsonl.zst", &zstd, "text"), both);
    let error = texts("a.jsonl.gz", &gzip[..gzip.len() - 10], "text").unwrap_err();
    assert!(
        error.starts_with("FILE is no whole gzip archive"),
        "{error}"
    );
}
