//! Checkpoints of an unfinished run: folders named by their step, each with a manifest. There is no pointer to the newest: it is found by looking.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::FORMAT;
use crate::files::{publish_folder, read, remove_tree, set_aside, sha256, unique_name, write_atomically};

/// What a checkpoint belongs to. One of another run, of other numerics or another class of instructions is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub run: String,
    pub numerics: u32,
    /// Key of the tokenized data.
    pub data: String,
    /// The widest instructions that kernels choose by: results are the same within one class.
    pub instructions: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    step: u64,
    about: Manifest,
    files: BTreeMap<String, Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    bytes: u64,
    sha256: String,
}

const MANIFEST: &str = "manifest.toml";

/// Files of a checkpoint by name.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Saves a checkpoint below `folder`, reads it back, and only then removes the older ones.
pub(super) fn save(folder: &Path, step: u64, about: &Manifest, files: &[(String, Vec<u8>)]) -> Result<()> {
    let temporary = folder.join(unique_name(".tmp-"));
    let entry = |bytes: &Vec<u8>| Entry { bytes: bytes.len() as u64, sha256: sha256(bytes) };
    let written = Written { format: FORMAT, step, about: about.clone(), files: files.iter().map(|(name, bytes)| (name.clone(), entry(bytes))).collect() };
    for (name, bytes) in files {
        write_atomically(&temporary.join(name), bytes)?;
    }
    write_atomically(&temporary.join(MANIFEST), toml::to_string(&written)?.as_bytes())?;
    let target = folder.join(step.to_string());
    if target.exists() {
        remove_tree(&target)?;
    }
    if !publish_folder(&temporary, &target)? {
        bail!("{} appeared while it was written", target.display());
    }
    load(&target).with_context(|| format!("{} does not read back as it was written", target.display()))?;
    for (older, path) in steps(folder)? {
        if older < step {
            remove_tree(&path)?;
        }
    }
    Ok(())
}

/// The newest checkpoint below `folder` that is whole, with its step; broken ones are set aside with the reason.
///
/// # Errors
/// A whole one that belongs to something else: both values are named.
pub(super) fn newest(folder: &Path, expected: &Manifest) -> Result<Option<(u64, Files)>> {
    for (step, path) in steps(folder)?.into_iter().rev() {
        match load(&path) {
            Ok((written, files)) => {
                refuse_others(&written, expected).with_context(|| format!("the checkpoint {}", path.display()))?;
                return Ok(Some((step, files)));
            }
            Err(error) => drop(set_aside(&path, &format!("{error:#}"))?),
        }
    }
    Ok(None)
}

fn refuse_others(written: &Written, expected: &Manifest) -> Result<()> {
    let about = &written.about;
    let pairs = [
        ("format", written.format.to_string(), FORMAT.to_string()),
        ("run", about.run.clone(), expected.run.clone()),
        ("numerics", about.numerics.to_string(), expected.numerics.to_string()),
        ("data", about.data.clone(), expected.data.clone()),
        ("instructions", about.instructions.clone(), expected.instructions.clone()),
    ];
    for (name, found, own) in pairs {
        if found != own {
            bail!("was made with {name} {found}, and this is {own}; remove the folder to start the run anew");
        }
    }
    Ok(())
}

/// Step and path of everything below `folder` that is named like a checkpoint, ascending.
fn steps(folder: &Path) -> Result<Vec<(u64, std::path::PathBuf)>> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error).with_context(|| format!("cannot list {}", folder.display())),
    };
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        if let Some(step) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
            found.push((step, entry.path()));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Reads a checkpoint and checks every file of it.
fn load(path: &Path) -> Result<(Written, Files)> {
    let text = String::from_utf8(read(&path.join(MANIFEST))?).context("the manifest is not text")?;
    let written: Written = toml::from_str(&text).context("the manifest is broken")?;
    let mut files = Files::new();
    for (name, entry) in &written.files {
        if name.contains(['/', '\\']) || name.starts_with('.') {
            bail!("the manifest names {name}, which is no file of a checkpoint");
        }
        let path = path.join(name);
        let length = std::fs::metadata(&path).with_context(|| format!("{name} is missing"))?.len();
        if length != entry.bytes {
            bail!("{name} has {length} bytes, not {}", entry.bytes);
        }
        let bytes = read(&path)?;
        if sha256(&bytes) != entry.sha256 {
            bail!("{name} has another sha256 than it was written with");
        }
        files.insert(name.clone(), bytes);
    }
    Ok((written, files))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> Manifest {
        Manifest { run: "r".into(), numerics: 1, data: "d".into(), instructions: "avx2".into() }
    }

    fn saved(folder: &Path, step: u64) {
        save(folder, step, &about(), &[("state.bin".to_owned(), vec![step as u8; 100]), ("state.json".to_owned(), b"{}".to_vec())]).unwrap();
    }

    #[test]
    fn the_newest_replaces_the_older_ones() {
        let folder = tempfile::tempdir().unwrap();
        assert!(newest(folder.path(), &about()).unwrap().is_none());
        for step in [4, 8, 12] {
            saved(folder.path(), step);
        }
        let (step, files) = newest(folder.path(), &about()).unwrap().unwrap();
        assert_eq!((step, files["state.bin"][0]), (12, 12));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_broken_one_is_set_aside_and_the_one_before_it_used() {
        let folder = tempfile::tempdir().unwrap();
        saved(folder.path(), 9);
        std::fs::rename(folder.path().join("9"), folder.path().join("kept")).unwrap();
        saved(folder.path(), 10);
        std::fs::rename(folder.path().join("kept"), folder.path().join("9")).unwrap();
        let path = folder.path().join("10/state.bin");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[50] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(newest(folder.path(), &about()).unwrap().unwrap().0, 9);
        let reason = std::fs::read_to_string(folder.path().join("10.bad.reason.txt")).unwrap();
        assert_eq!(reason, "state.bin has another sha256 than it was written with\n");
    }

    #[test]
    fn one_of_other_numerics_is_refused_with_both_values() {
        let folder = tempfile::tempdir().unwrap();
        saved(folder.path(), 3);
        let error = newest(folder.path(), &Manifest { numerics: 2, ..about() }).unwrap_err();
        assert!(format!("{error:#}").ends_with("was made with numerics 1, and this is 2; remove the folder to start the run anew"), "{error:#}");
    }
}
