//! Reading with a limit, so that a wrong file costs an error and not the memory.

use std::io::{ErrorKind, Read};
use std::path::Path;

use anyhow::{Result, bail};

use super::error::explain;
use super::system;

/// The whole of a file of at most `limit` bytes.
///
/// # Errors
/// A file that cannot be read, or a longer one.
pub fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let refuse = |error| explain(error, "read", path);
    let file = system::open_read(path).map_err(refuse)?;
    let about = file.metadata().map_err(refuse)?;
    if about.is_dir() {
        return Err(refuse(ErrorKind::IsADirectory.into()));
    }
    if about.len() > limit {
        bail!(
            "{} has {} bytes, more than the {limit} that such a file may have",
            path.display(),
            about.len()
        );
    }
    let mut bytes = Vec::with_capacity(about.len() as usize);
    // A file may grow, or have no length at all (a pipe): the limit holds for what is read, too.
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(refuse)?;
    if bytes.len() as u64 > limit {
        bail!(
            "{} has more than the {limit} bytes that such a file may have",
            path.display()
        );
    }
    Ok(bytes)
}

/// The same for a file of text.
///
/// # Errors
/// As [`read_limited`], and bytes that are not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String> {
    match String::from_utf8(read_limited(path, limit)?) {
        Ok(text) => Ok(text),
        Err(error) => bail!(
            "{} is not text: byte {} is not UTF-8",
            path.display(),
            error.utf8_error().valid_up_to()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_at_the_limit_is_read_and_one_byte_more_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"12345").unwrap();
        assert_eq!(read_limited(&path, 5).unwrap(), b"12345");
        let error = read_limited(&path, 4).unwrap_err().to_string();
        assert!(
            error.ends_with("has 5 bytes, more than the 4 that such a file may have"),
            "{error}"
        );
        assert!(
            read_limited(Path::new("/dev/zero"), 100)
                .unwrap_err()
                .to_string()
                .contains("more than the 100 bytes")
        );
    }

    #[test]
    fn folders_missing_files_and_bytes_that_are_no_text_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let message = |path: &Path| read_text(path, 9).unwrap_err().to_string();
        assert!(message(folder.path()).ends_with("it is a folder, not a file"));
        assert!(
            message(&folder.path().join("no"))
                .ends_with("it, or the folder it belongs in, does not exist")
        );
        std::fs::write(folder.path().join("b"), [b'a', 0xff]).unwrap();
        assert!(message(&folder.path().join("b")).ends_with("is not text: byte 1 is not UTF-8"));
    }
}
