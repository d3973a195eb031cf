//! Tests of `text.rs`.

use std::fs;

use super::super::sources::Piece;
use super::*;

fn documents(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut found = vec![String::new()];
    visit(files, Detokenize::None, &mut |piece| {
        match piece {
            Piece::Text { text, .. } => found.last_mut().unwrap().push_str(text),
            Piece::End { .. } => found.push(String::new()),
        }
        Ok(ControlFlow::Continue(()))
    })?;
    found.pop();
    Ok(found)
}

fn names(folder: &Path, written: &[&str]) -> Result<Vec<String>> {
    let inputs: Vec<InputPath> = written
        .iter()
        .map(|written| InputPath::new(*written, folder))
        .collect();
    Ok(expand(&inputs, Part::Train)?
        .iter()
        .map(|path| path.strip_prefix(folder).unwrap().display().to_string())
        .collect())
}

#[test]
fn globs_are_expanded_in_sorted_order_after_what_is_written_before_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("b/deep")).unwrap();
    for name in [
        "z.txt",
        "a.txt",
        "b/c.txt",
        "b/deep/d.txt",
        "b/e.md",
        "[odd].txt",
    ] {
        fs::write(folder.path().join(name), name).unwrap();
    }
    assert_eq!(
        names(folder.path(), &["z.txt", "b/*.txt"]).unwrap(),
        ["z.txt", "b/c.txt"]
    );
    assert_eq!(
        names(folder.path(), &["**/*.txt"]).unwrap(),
        ["[odd].txt", "a.txt", "b/c.txt", "b/deep/d.txt", "z.txt"]
    );
    assert_eq!(
        names(folder.path(), &["./{a,z}.txt"]).unwrap(),
        ["a.txt", "z.txt"]
    );
    assert_eq!(
        names(folder.path(), &["[odd].txt"]).unwrap(),
        ["[odd].txt"],
        "a file of that very name comes first"
    );
}

#[test]
fn inputs_that_name_no_file_are_errors_that_say_so() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let error = |written: &str| names(folder.path(), &[written]).unwrap_err().to_string();
    assert!(error("gone.txt").ends_with(
        "gone.txt of dataset.train does not exist; paths are relative to the file that sets \
             them"
    ));
    assert!(
        error("sub")
            .ends_with("sub of dataset.train is a folder; write a glob such as \"sub/*.txt\"")
    );
    assert!(error("sub/*.txt").starts_with("\"sub/*.txt\" of dataset.train matches no file below"));
    assert!(
        error("none/*.txt").starts_with("\"none/*.txt\" of dataset.train matches no file below")
    );
    assert!(error("[z.txt").starts_with("cannot expand \"[z.txt\" of dataset.train"));
    assert_eq!(
        names(folder.path(), &[]).unwrap_err().to_string(),
        "dataset.train names no files"
    );
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
    let files = expand(
        &[InputPath::new("*.txt{,.gz,.zst}", folder.path())],
        Part::Train,
    )
    .unwrap();
    assert!(documents(&files).unwrap() == ["plain", &text, &text]);
}
