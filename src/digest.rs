//! Hashes in lower-case hexadecimal digits, as checksums, keys and names of files are written.

use std::fmt::Write;
use std::io::{ErrorKind, Read, Result};

use sha2::{Digest, Sha256};

/// Bytes as hexadecimal digits, two for each byte.
pub fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string never fails.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// The sha256 of bytes.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Hashes everything that a reader gives, piece by piece, on top of what `hash` has taken in
/// already; with the number of bytes that were read.
///
/// # Errors
/// The reader's own.
pub fn of_reader<D: Digest>(mut reader: impl Read, mut hash: D) -> Result<(String, u64)> {
    // Small, as most files are: clearing a larger one costs more than hashing them.
    let mut piece = vec![0; 64 << 10];
    let mut bytes = 0;
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok((hex(&hash.finalize()), bytes)),
            Ok(count) => {
                hash.update(&piece[..count]);
                bytes += count as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
