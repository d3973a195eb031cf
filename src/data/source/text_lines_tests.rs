//! Tests of `text_lines.rs`.

use super::*;

fn lines(bytes: &[u8]) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::write(&path, bytes).unwrap();
    let read = || -> Result<Vec<String>> {
        let mut read = TextLines::open(&path)?;
        let mut lines = Vec::new();
        while let Some(line) = read.next_line()? {
            lines.push(line);
        }
        Ok(lines)
    };
    read().map_err(|error| {
        error
            .to_string()
            .replace(&path.display().to_string(), "FILE")
    })
}

#[test]
fn lines_are_those_that_the_datasets_library_gives() {
    let all: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/reference/layouts.json")).unwrap();
    let mut read = 0;
    for case in all["rows"].as_array().unwrap() {
        let Some(rows) = case["rows"].as_array().filter(|_| case["ending"] == ".txt") else {
            continue;
        };
        let digits = case["bytes"].as_str().unwrap();
        let bytes: Vec<u8> = (0..digits.len() / 2)
            .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        let rows: Vec<&str> = rows.iter().map(|row| row.as_str().unwrap()).collect();
        assert_eq!(lines(&bytes).unwrap(), rows, "{}", case["name"]);
        read += 1;
    }
    assert!(read >= 9, "{read}");
}

#[test]
fn an_end_of_line_may_lie_where_two_blocks_meet() {
    for before in BLOCK - 2..=BLOCK + 1 {
        let text = format!("{}\r\nb\rc", "x".repeat(before));
        let found = lines(text.as_bytes()).unwrap();
        assert_eq!(found.len(), 3, "{before}");
        assert_eq!((found[0].len(), found[1].as_str()), (before, "b"));
    }
}

#[test]
fn what_is_not_utf_8_is_refused_with_its_byte() {
    assert_eq!(
        lines(b"ab\nc\xffd\n").unwrap_err(),
        "FILE is not UTF-8: byte 4 is no part of a character; convert the file (iconv -t UTF-8)"
    );
    assert_eq!(lines(b""), Ok(vec![]));
}
