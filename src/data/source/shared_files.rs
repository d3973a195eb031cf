//! Whole files that two splits share: a model would be measured on what it was trained on, or
//! tested on what it was chosen by, and nothing would show it.

use std::collections::BTreeSet;

use super::document::Part;
use crate::plan::InputFault;

/// A file of a split that has something in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitFile {
    /// Its hash, which a copy has too.
    pub content: String,
    /// As a message names it.
    pub name: String,
    /// The key that names it.
    pub key: String,
}

/// A mistake for every file that is in a split before too, in the order train, validation, test.
///
/// Two things are allowed, since nobody takes them for a test: all three splits may be the very
/// same files, and test may be validation.
pub fn shared_files(splits: [&[SplitFile]; 3], remedy: &str) -> Vec<InputFault> {
    let contents = splits.map(|split| -> BTreeSet<&str> {
        split.iter().map(|file| file.content.as_str()).collect()
    });
    let [train, validation, test] = &contents;
    if train == validation && validation == test {
        return Vec::new();
    }
    let mut pairs = vec![(Part::Train, Part::Validation), (Part::Train, Part::Test)];
    if validation != test {
        pairs.push((Part::Validation, Part::Test));
    }
    let of = |part: Part| part.of(splits[0], splits[1], splits[2]);
    let mut faults = Vec::new();
    for (before, part) in pairs {
        for file in of(part) {
            let same = of(before)
                .iter()
                .find(|other| other.content == file.content);
            let Some(same) = same else { continue };
            let as_name = if same.name == file.name {
                String::new()
            } else {
                format!(" (there as {})", same.name)
            };
            let message = format!(
                "{} of dataset.{} is also in dataset.{}{as_name}, with the same content",
                file.name,
                part.name(),
                before.name()
            );
            faults.push(InputFault::of_key(&file.key, message, remedy));
        }
    }
    faults
}

#[cfg(test)]
#[path = "shared_files_tests.rs"]
mod tests;
