//! Items of a task in files of JSON lines on this machine.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::Value;

use super::item_texts::RowResult;
use super::source::ItemRow;
use super::source::input_files::{named_by, named_twice};
use crate::digest;
use crate::files;
use crate::plan::path::InputPath;
use crate::plan::{InputFault, InputFaults};

/// More than any set of this kind takes.
const LIMIT: u64 = 256 << 20;

/// Calls `visit` on every line of the files that is not white space; `key` names them in the spec.
///
/// # Errors
/// Files that cannot be read or hold no lines; lines that are no objects, or that the visitor
/// refuses, with file and line.
pub fn visit_lines(
    key: &str,
    files: &[InputPath],
    visit: &mut dyn FnMut(&ItemRow) -> RowResult<()>,
) -> Result<()> {
    let mut count = 0;
    for path in paths(key, files)? {
        let text = files::read_text(&path, LIMIT)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let read = match serde_json::from_str(line) {
                Ok(Value::Object(line)) => visit(&line),
                Ok(_) => Err("it is no JSON object".to_owned()),
                Err(error) => Err(format!("it is no JSON: {error}")),
            };
            read.map_err(|problem| {
                let message = format!("{}, line {}: {problem}", path.display(), number + 1);
                fault(
                    key,
                    message,
                    "every line is an object of JSON; LOSSES.md beside README.md \
                                     has the forms under `[evaluate.tasks]`",
                )
            })?;
            count += 1;
        }
    }
    if count == 0 {
        let message = "the files of the task hold no lines".to_owned();
        return Err(fault(key, message, "name files of JSON lines, one item a line").into());
    }
    Ok(())
}

/// What identifies the content of files, whatever they are called.
///
/// # Errors
/// Files that cannot be read.
pub fn content(key: &str, files: &[InputPath]) -> Result<String> {
    let mut hashes = String::new();
    for path in paths(key, files)? {
        hashes += &files::sha256_of_file(&path)?;
        hashes.push('\n');
    }
    Ok(digest::sha256(hashes.as_bytes()))
}

fn fault(key: &str, message: String, hint: &str) -> InputFaults {
    InputFaults(vec![InputFault::of_key(key, message, hint)])
}

/// The files that the paths and patterns name, each once.
fn paths(key: &str, files: &[InputPath]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut known: BTreeMap<PathBuf, &str> = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        let key_of_entry = format!("{key}[{index}]");
        let named = named_by(file, key);
        let named = named.map_err(|error| InputFault::at_key(error, &key_of_entry))?;
        for path in named.paths {
            let place = path.canonicalize().unwrap_or_else(|_| path.clone());
            if let Some(before) = known.insert(place, &file.written) {
                // Items that count twice make intervals that are too narrow.
                let fault = named_twice(&path, &key_of_entry, key, before, &file.written);
                return Err(fault.into());
            }
            found.push(path);
        }
    }
    Ok(found)
}
