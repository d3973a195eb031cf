//! From a finished attempt to `runs/<id>`: whole, by one rename, never rewritten.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::files::{CHECKSUMS, publish_folder, read, remove_tree, write_atomically, write_checksums};

/// Files to publish by relative path.
pub type Files = Vec<(String, Vec<u8>)>;

/// Builds a folder at `out` of `files`, which the checksums cover, and `times`, which they do not, and renames it to `to`.
///
/// Where `to` exists already, somebody else has finished the same work: equal checksums mean that nothing is lost and ours is dropped.
///
/// # Errors
/// A folder that cannot be written, or a published one that differs: determinism is broken then.
pub fn publish_run(out: &Path, to: &Path, files: &Files, times: &Files) -> Result<()> {
    remove_tree(out)?;
    for (name, bytes) in files.iter().chain(times) {
        write_atomically(&out.join(name), bytes)?;
    }
    write_checksums(out, &files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>())?;
    if publish_folder(out, to)? {
        return Ok(());
    }
    let (own, theirs) = (read(&out.join(CHECKSUMS))?, read(&to.join(CHECKSUMS))?);
    if own != theirs {
        let differing = first_difference(&own, &theirs).unwrap_or_default();
        bail!(
            "{} was published by another process with other content ({differing}): the same run gave different results, so this build or machine is not deterministic; ours is kept in {}",
            to.display(),
            out.display()
        );
    }
    remove_tree(out).context("the copy that is not needed any more")
}

/// The first line of the checksums that differs.
fn first_difference(a: &[u8], b: &[u8]) -> Option<String> {
    let (a, b) = (String::from_utf8_lossy(a), String::from_utf8_lossy(b));
    let mut file = String::new();
    for (x, y) in a.lines().zip(b.lines()) {
        if x.starts_with('[') {
            file = x.trim_matches(['[', ']']).to_owned();
        }
        if x != y {
            return Some(file);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Files {
        vec![("spec.toml".to_owned(), text.as_bytes().to_vec()), ("student/config.json".to_owned(), b"{}".to_vec())]
    }

    #[test]
    fn two_that_finish_the_same_run_agree_or_say_loudly_that_they_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let (out, to) = (folder.path().join("work/out"), folder.path().join("runs/id"));
        let times = vec![("events.jsonl".to_owned(), b"now".to_vec())];
        publish_run(&out, &to, &files("a"), &times).unwrap();
        assert_eq!(crate::files::verify_checksums(&to).unwrap(), []);
        let later = vec![("events.jsonl".to_owned(), b"later".to_vec())];
        publish_run(&out, &to, &files("a"), &later).unwrap();
        assert_eq!(read(&to.join("events.jsonl")).unwrap(), b"now");
        assert!(!out.exists());
        let error = publish_run(&out, &to, &files("b"), &times).unwrap_err().to_string();
        assert!(error.contains("files.\"spec.toml\"") && error.contains("not deterministic"), "{error}");
    }
}
