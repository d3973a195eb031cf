//! How a finished folder gets its place, once and whole; and what happens where somebody else was
//! faster.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::layout;
use crate::files::{self, CHECKSUMS, Checksum, Checksums, Placed};

/// What became of a finished folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Publication {
    /// It is at its place.
    New,
    /// The same was there already; ours is dropped.
    Same,
    /// The same was there with these files missing or damaged; they are restored.
    Restored(Vec<String>),
}

/// Files of measurements of time, which no checksum covers.
pub const UNCHECKED: [&str; 3] = [layout::TIMINGS, layout::EVENTS, layout::SPEED];

/// Publishes files that are in memory as `target`, with their `checksums.toml`.
pub(super) fn publish_files(target: &Path, content: &[(&str, &[u8])]) -> Result<Publication> {
    let checked = content.iter().filter(|(name, _)| !UNCHECKED.contains(name));
    let checksums: Checksums = checked
        .map(|(name, bytes)| ((*name).to_owned(), Checksum::of(bytes)))
        .collect();
    let text = files::checksums_text(&checksums)?;
    let mut all = content.to_vec();
    all.push((CHECKSUMS, text.as_bytes()));
    let restore = |file: &str| {
        let (_, bytes) = content
            .iter()
            .find(|(name, _)| *name == file)
            .context("a file of the checksums is not there")?;
        files::write_atomically(&target.join(file), bytes)
    };
    match place(
        target,
        &checksums,
        || files::write_folder(target, &all),
        restore,
    )? {
        Settled::As(publication) => Ok(publication),
        Settled::Different(difference) => bail!(
            "{difference}; remove {} to keep the new one",
            target.display()
        ),
    }
}

/// What [`place`] found.
pub(super) enum Settled {
    As(Publication),
    /// Something else is there; in words.
    Different(String),
}

/// Puts a folder at its place by `rename`, or compares it with what is there and mends that by
/// `restore`.
pub(super) fn place(
    target: &Path,
    ours: &Checksums,
    rename: impl Fn() -> Result<Placed>,
    restore: impl Fn(&str) -> Result<()>,
) -> Result<Settled> {
    if rename()? == Placed::Done {
        return Ok(Settled::As(Publication::New));
    }
    let theirs = match files::read_checksums(target) {
        Ok(theirs) => theirs,
        // The disk's own trouble says nothing of the content.
        Err(error)
            if error
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() != ErrorKind::NotFound) =>
        {
            return Err(error);
        }
        Err(error) => {
            // Nothing of ours is published without checksums, so this is damage.
            files::set_aside(target, &format!("{error:#}"))?;
            return match rename()? {
                Placed::Done => Ok(Settled::As(Publication::New)),
                Placed::TargetExists => {
                    bail!(
                        "{} was made by another process at the same moment; run the same command \
                         again",
                        target.display()
                    )
                }
            };
        }
    };
    if let Some(difference) = first_difference(ours, &theirs) {
        return Ok(Settled::Different(format!(
            "{} was finished before with another result: {difference}. The same run must always \
             give the same bytes, on one machine and with one version of kdpipe",
            target.display()
        )));
    }
    let mut restored = Vec::new();
    for mismatch in files::verify_checksums(target)? {
        restore(mismatch.file())?;
        restored.push(mismatch.file().to_owned());
    }
    Ok(Settled::As(if restored.is_empty() {
        Publication::Same
    } else {
        Publication::Restored(restored)
    }))
}

fn first_difference(ours: &Checksums, theirs: &Checksums) -> Option<String> {
    for (file, entry) in ours {
        match theirs.get(file) {
            None => return Some(format!("{file} is new")),
            Some(other) if other != entry => {
                return Some(format!(
                    "{file} had {} bytes with sha256 {}…, now {} bytes with {}…",
                    other.bytes,
                    other.sha256.get(..12).unwrap_or(&other.sha256),
                    entry.bytes,
                    &entry.sha256[..12]
                ));
            }
            Some(_) => {}
        }
    }
    theirs
        .keys()
        .find(|file| !ours.contains_key(*file))
        .map(|file| format!("{file} is there no more"))
}
