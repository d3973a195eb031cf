//! `checksums.toml`: length and sha256 of every file of a folder that is never to change again.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::write::write_atomically;

/// Name of the file.
pub const CHECKSUMS: &str = "checksums.toml";

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    bytes: u64,
    sha256: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sums {
    files: BTreeMap<String, Entry>,
}

/// A file that is not as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Mismatch {
    /// Relative to the folder.
    pub file: String,
    pub reason: String,
}

/// The sha256 of bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// The sha256 of a file, read piece by piece.
///
/// # Errors
/// What the operating system says, with the path.
pub fn sha256_of_file(path: &Path) -> Result<String> {
    let read = || {
        let mut file = std::fs::File::open(path)?;
        let mut hasher = Sha256::new();
        let mut piece = vec![0u8; 1 << 20];
        loop {
            match file.read(&mut piece)? {
                0 => return Ok::<String, std::io::Error>(hexadecimal(&hasher.finalize())),
                count => hasher.update(&piece[..count]),
            }
        }
    };
    read().with_context(|| format!("cannot read {}", path.display()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the checksums of `files` (relative paths) into the folder.
///
/// # Errors
/// A file that cannot be read, or the sums not written.
pub fn write_checksums(folder: &Path, files: &[String]) -> Result<()> {
    let mut sums = Sums { files: BTreeMap::new() };
    for file in files {
        let path = folder.join(file);
        let bytes = std::fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?.len();
        sums.files.insert(file.clone(), Entry { bytes, sha256: sha256_of_file(&path)? });
    }
    let text = toml::to_string(&sums).context("checksums are plain tables")?;
    write_atomically(&folder.join(CHECKSUMS), text.as_bytes())
}

/// Every file of a folder that is missing or not as it was written; empty if all is well.
///
/// # Errors
/// No readable `checksums.toml`.
pub fn verify_checksums(folder: &Path) -> Result<Vec<Mismatch>> {
    let path = folder.join(CHECKSUMS);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let sums: Sums = toml::from_str(&text).with_context(|| format!("{} is broken", path.display()))?;
    let mut mismatches = Vec::new();
    for (file, entry) in sums.files {
        let path = folder.join(&file);
        let reason = match std::fs::metadata(&path) {
            Err(error) => Some(format!("cannot be read: {error}")),
            Ok(about) if about.len() != entry.bytes => Some(format!("has {} bytes, not {}", about.len(), entry.bytes)),
            Ok(_) => {
                let found = sha256_of_file(&path)?;
                (found != entry.sha256).then(|| format!("has sha256 {found}, not {}", entry.sha256))
            }
        };
        mismatches.extend(reason.map(|reason| Mismatch { file, reason }));
    }
    Ok(mismatches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_sha256() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn changed_shortened_and_missing_files_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = ["a", "b/c", "d", "e"].map(str::to_owned).to_vec();
        for name in &names {
            write_atomically(&folder.path().join(name), b"four").unwrap();
        }
        write_checksums(folder.path(), &names).unwrap();
        assert_eq!(verify_checksums(folder.path()).unwrap(), []);
        std::fs::write(folder.path().join("a"), b"fous").unwrap();
        std::fs::write(folder.path().join("b/c"), b"fo").unwrap();
        std::fs::remove_file(folder.path().join("d")).unwrap();
        let found: Vec<String> = verify_checksums(folder.path()).unwrap().into_iter().map(|mismatch| mismatch.file).collect();
        assert_eq!(found, ["a", "b/c", "d"]);
    }
}
