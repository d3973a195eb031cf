//! Text files: which ones a spec names, and their content as documents. They may be packed
//! ([`super::archive`]).

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use globset::{GlobBuilder, GlobMatcher};

use super::archive::Archive;
use super::sources::{Part, Segments, Visitor};
use crate::spec::path::InputPath;
use crate::spec::run::Detokenize;

/// Folders that a `**` goes down at most.
const DEEPEST: usize = 64;

/// The files that `inputs` name: paths and globs in the order written, the matches of a glob sorted
/// by path.
///
/// # Errors
/// A path without a file, a folder, a glob without a match, no input at all.
pub fn expand(inputs: &[InputPath], part: Part) -> Result<Vec<PathBuf>> {
    let key = format!("dataset.{}", part.name());
    ensure!(!inputs.is_empty(), "{key} names no files");
    let mut files = Vec::new();
    for input in inputs {
        let path = input.resolve();
        if path.is_file() {
            files.push(path);
        } else if path.is_dir() {
            bail!(
                "{} of {key} is a folder; write a glob such as \"{}/*.txt\"",
                path.display(),
                input.written.trim_end_matches('/')
            );
        } else if is_glob(&input.written) {
            let found = matches(input)
                .with_context(|| format!("cannot expand \"{}\" of {key}", input.written))?;
            ensure!(
                !found.is_empty(),
                "\"{}\" of {key} matches no file below {}",
                input.written,
                fixed_folder(&path).display()
            );
            files.extend(found);
        } else {
            bail!(
                "{} of {key} does not exist; paths are relative to the file that sets them",
                path.display()
            );
        }
    }
    Ok(files)
}

fn is_glob(written: &str) -> bool {
    written.contains(['*', '?', '[', '{'])
}

/// The folder before the first component with a wildcard.
fn fixed_folder(pattern: &Path) -> PathBuf {
    pattern
        .components()
        .take_while(|component| !is_glob(&component.as_os_str().to_string_lossy()))
        .collect()
}

fn matches(input: &InputPath) -> Result<Vec<PathBuf>> {
    // Only what the user wrote is a pattern: the spec's own folder may hold any character.
    let written = input.written.strip_prefix("./").unwrap_or(&input.written);
    let glob = GlobBuilder::new(written)
        .literal_separator(true)
        .empty_alternates(true)
        .build()?
        .compile_matcher();
    let start = fixed_folder(Path::new(written));
    let mut found = Vec::new();
    collect(&input.base, &start, &glob, 0, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(
    base: &Path,
    folder: &Path,
    glob: &GlobMatcher,
    depth: usize,
    found: &mut Vec<PathBuf>,
) -> Result<()> {
    let path = base.join(folder);
    if depth > DEEPEST || !path.is_dir() && path != Path::new("") {
        return Ok(());
    }
    let listed = if path == Path::new("") {
        Path::new(".")
    } else {
        &path
    };
    for entry in
        std::fs::read_dir(listed).with_context(|| format!("cannot list {}", listed.display()))?
    {
        let entry = entry.with_context(|| format!("cannot list {}", listed.display()))?;
        let below = folder.join(entry.file_name());
        // A link to a folder is not followed: it may lead back.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(base, &below, glob, depth + 1, found)?;
        } else if glob.is_match(&below) && entry.path().is_file() {
            found.push(base.join(below));
        }
    }
    Ok(())
}

/// Hands every file to the visitor as one document.
///
/// # Errors
/// A file that cannot be read or unpacked, is not UTF-8 (with the byte at which it stops being so),
/// or has no place to cut in a very long stretch.
pub fn visit(files: &[PathBuf], detokenize: Detokenize, visitor: &mut Visitor) -> Result<()> {
    for file in files {
        let mut segments = Segments::new(detokenize);
        let mut push = |text: &str| {
            segments
                .push(text, visitor)
                .with_context(|| format!("while reading {}", file.display()))
        };
        if read(file, &mut push)?.is_break() || segments.end(visitor)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Bytes read at a time.
const BLOCK: usize = 256 * 1024;

fn read(
    path: &Path,
    receive: &mut dyn FnMut(&str) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let mut file = Archive::open(path)?;
    let mut buffer = vec![0; BLOCK];
    // The first `held` bytes are the beginning of a character that the block before ended in;
    // `offset` is their place in the text.
    let (mut held, mut offset) = (0, 0);
    loop {
        let count = file.read(&mut buffer[held..])?;
        let block = &buffer[..held + count];
        let valid = match std::str::from_utf8(block) {
            Ok(_) => block.len(),
            Err(error) if error.error_len().is_none() && count > 0 => error.valid_up_to(),
            Err(error) => bail!(
                "{} is not UTF-8: byte {}{} is no part of a character; convert the file (iconv -t \
                 UTF-8) or take it out of the dataset",
                path.display(),
                offset + error.valid_up_to(),
                file.of_what()
            ),
        };
        let text = std::str::from_utf8(&block[..valid]).expect("checked above");
        if receive(text)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if count == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        held = block.len() - valid;
        offset += valid;
        buffer.copy_within(valid..valid + held, 0);
    }
}

#[cfg(test)]
mod tests {
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
        assert!(
            error("sub/*.txt").starts_with("\"sub/*.txt\" of dataset.train matches no file below")
        );
        assert!(
            error("none/*.txt")
                .starts_with("\"none/*.txt\" of dataset.train matches no file below")
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
}
