//! Files that say in their names how many they are: `train-00000-of-00004.parquet`.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::hub::{HubError, Listing};

/// More files than this are never looked for one by one.
const MOST_SHARDS: u64 = 1 << 20;

/// Refuses a split of which the hub lacks files, or has some twice: what an upload leaves that was
/// interrupted or done again.
pub fn check(paths: &[String], listing: &Listing, split: &dyn Fn() -> String) -> Result<()> {
    let (mut counts, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for (stem, index, of) in paths.iter().filter_map(|path| numbered(path)) {
        if !seen.insert((stem, index, of)) {
            bail!(
                "{} has two files that say that they are number {index} of {of}; name a revision \
                 that has one",
                split()
            );
        }
        counts.insert((stem, of));
    }
    let mut stems: Vec<&str> = counts.iter().map(|(stem, _)| *stem).collect();
    stems.dedup();
    if stems.len() < counts.len() {
        bail!("the files of {} do not agree on how many they are", split());
    }
    // A card may leave files out; what the hub does not have is another matter.
    let there: BTreeSet<_> = listing
        .files
        .iter()
        .filter_map(|entry| numbered(&entry.path))
        .filter(|(stem, _, of)| counts.contains(&(*stem, *of)))
        .collect();
    for (stem, of) in counts {
        // Some count from one.
        let from = u64::from(there.contains(&(stem, of, of)));
        let missing: Vec<u64> = (from..of.min(MOST_SHARDS) + from)
            .filter(|index| !there.contains(&(stem, *index, of)))
            .collect();
        let Some(first) = missing.first() else {
            continue;
        };
        if !listing.whole {
            return Err(HubError::NotHere {
                what: format!("number {first} of the {of} files of {}", split()),
            }
            .into());
        }
        bail!(
            "{} of the {of} files of {} are not on the hub, number {first} the first",
            missing.len(),
            split()
        );
    }
    Ok(())
}

/// Whether every file says how many there are.
pub fn are_counted(paths: &[String]) -> bool {
    paths.iter().all(|path| numbered(path).is_some())
}

/// What stands before the number of a file that says how many there are.
pub fn stem(path: &str) -> Option<&str> {
    numbered(path).map(|(stem, ..)| stem)
}

/// What stands before the number, the number, and how many there are; a hash may stand behind.
fn numbered(path: &str) -> Option<(&str, u64, u64)> {
    let (before, rest) = path.rsplit_once("-of-")?;
    let (stem, index) = before.rsplit_once('-')?;
    let (rest, _) = rest.split_once('.')?;
    let (of, hash) = rest.split_once('-').unwrap_or((rest, ""));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_hash = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    (digits(index) && digits(of) && is_hash && !stem.is_empty()).then_some(())?;
    Some((stem, index.parse().ok()?, of.parse().ok()?))
}
