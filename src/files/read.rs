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
#[path = "read_tests.rs"]
mod tests;
