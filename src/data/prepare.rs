//! From a dataset and a tokenizer to their token streams, by way of the cache.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::prepared::Prepared;
use super::recipe::Recipe;
use super::source::Dataset;
use super::tokenizer::TokenizerInput;
use super::{cache, encode};
use crate::files::{self, Lock, LockClaim};
use crate::hub::{Hub, HubError};
use crate::plan::run::{DatasetSpec, TokenizerSpec};

/// How often a process that waits looks whether another is done.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// The token streams of a dataset: read from the folder `cache`, or built and left there.
///
/// The dataset's files are found and hashed once, before anything is read of them; when everything
/// is read it is asked whether they changed.
///
/// `progress` is told in plain lines what takes time, and when a broken cache file was set aside.
///
/// # Errors
/// Missing, empty or broken inputs, each named with what to do about it.
pub fn prepare(
    dataset: &DatasetSpec,
    tokenizer: &TokenizerSpec,
    hub: &Hub,
    cache: &Path,
    progress: &dyn Fn(&str),
) -> Result<Prepared> {
    let dataset = Dataset::find(dataset, hub)?;
    let tokenizer = TokenizerInput::find(tokenizer, hub)?;
    let key = streams_key(dataset.fingerprint(), &tokenizer.fingerprint());
    let kept = tokenizer.kept();
    let path = cache.join(format!("{key}.{}", cache::EXTENSION));
    let of_dataset = |prepared: Prepared| Prepared {
        notes: dataset.notes(),
        kept: kept.clone(),
        ..prepared
    };
    if let Ok(Some(prepared)) = cache::open(&path, &key) {
        return Ok(of_dataset(prepared));
    }
    // Whoever waited finds what the other made.
    let _lock = lock(&path, hub, progress)?;
    match cache::open(&path, &key) {
        Ok(Some(prepared)) => return Ok(of_dataset(prepared)),
        Ok(None) => {}
        Err(reason) => {
            let bad = files::set_aside(&path, &format!("{reason:#}"))?;
            progress(&format!(
                "{} is broken ({reason:#}); it is set aside as {} and built again",
                path.display(),
                bad.display()
            ));
        }
    }
    let tokenizer = tokenizer.into_tokenizer(&dataset, progress)?;
    tokenizer.document_end()?;
    encode::build(&dataset, &tokenizer, &key, &path, progress)?;
    let prepared = cache::open(&path, &key)?
        .with_context(|| format!("{} vanished as soon as it was written", path.display()))?;
    Ok(of_dataset(prepared))
}

/// Waits until no other process makes the streams at `path`, and keeps others from it: of several
/// that start together one makes them.
fn lock(path: &Path, hub: &Hub, progress: &dyn Fn(&str)) -> Result<Lock> {
    let lock = path.with_extension("lock");
    let mut is_told = false;
    loop {
        match Lock::acquire(&lock)? {
            LockClaim::Acquired(lock) => return Ok(lock),
            LockClaim::HeldBy(_) if hub.is_stopped() => return Err(HubError::Stopped.into()),
            LockClaim::HeldBy(owner) => {
                if !std::mem::replace(&mut is_told, true) {
                    progress(&format!("waiting for the text, which {owner} tokenizes"));
                }
                std::thread::sleep(LOOK_EVERY);
            }
        }
    }
}

/// The key of the token streams that a dataset and a tokenizer make, by their fingerprints.
fn streams_key(dataset: &str, tokenizer: &str) -> String {
    let mut recipe = Recipe::new("streams");
    recipe
        .add("format", cache::FORMAT)
        .add("dataset", dataset)
        .add("tokenizer", tokenizer);
    recipe.finish()[..32].to_string()
}

#[cfg(test)]
#[path = "prepare_tests.rs"]
mod tests;
