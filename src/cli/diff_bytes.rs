//! Whether two folders of results, or of runs, hold the same files, byte by byte; measurements of
//! time aside.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use safetensors::tensor::SafeTensors;

use crate::record::UNCHECKED;
use crate::table::{self, Table};

/// Folders of unfinished work, of event files and of jobs, which say nothing of what came out; nor
/// do files that hold measurements of time alone.
const LEFT_OUT: [&str; 3] = ["work", "tensorboard", "slurm"];

/// Lines of the report between these hold measurements of time.
const TIMES: (&str, &str) = ("<!-- times -->", "<!-- /times -->");

/// One difference, as a line to print.
type Difference = String;

/// Every file that differs between two folders, with the first place where it does.
///
/// # Errors
/// A folder or file that cannot be read.
pub fn differences(a: &Path, b: &Path) -> Result<Vec<Difference>> {
    let (left, right) = (files_below(a)?, files_below(b)?);
    let mut differences = Vec::new();
    for path in left.union(&right) {
        match (left.contains(path), right.contains(path)) {
            (true, false) => {
                differences.push(format!("{}: only in {}", path.display(), a.display()))
            }
            (false, true) => {
                differences.push(format!("{}: only in {}", path.display(), b.display()))
            }
            (true, true) | (false, false) => {
                if let Some(found) = diff_files(&a.join(path), &b.join(path))? {
                    differences.push(format!("{}: {found}", path.display()));
                }
            }
        }
    }
    Ok(differences)
}

/// Relative paths of all files that count.
fn files_below(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        let path = root.join(&folder);
        for entry in
            std::fs::read_dir(&path).with_context(|| format!("cannot list {}", path.display()))?
        {
            let entry = entry.with_context(|| format!("cannot list {}", path.display()))?;
            let name = entry.file_name();
            let left_out = LEFT_OUT.iter().chain(&UNCHECKED);
            if left_out.into_iter().any(|left_out| name == *left_out) {
                continue;
            }
            let relative = folder.join(&name);
            if entry
                .file_type()
                .with_context(|| format!("cannot read {}", entry.path().display()))?
                .is_dir()
            {
                open.push(relative);
            } else {
                found.insert(relative);
            }
        }
    }
    Ok(found)
}

fn diff_files(a: &Path, b: &Path) -> Result<Option<Difference>> {
    let read = |path: &Path| {
        std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let (left, right) = (read(a)?, read(b)?);
    if left == right {
        return Ok(None);
    }
    Ok(
        match a.extension().and_then(|extension| extension.to_str()) {
            Some("md" | "html") => diff_lines(&without_times(&left), &without_times(&right)),
            Some("parquet") => {
                Some(diff_tables(a, b).unwrap_or_else(|error| format!("bytes differ ({error:#})")))
            }
            Some("safetensors") => Some(
                diff_tensors(&left, &right)
                    .unwrap_or_else(|error| format!("bytes differ ({error:#})")),
            ),
            Some("toml" | "json" | "csv" | "svg" | "txt") => {
                let lines = diff_lines(
                    &String::from_utf8_lossy(&left),
                    &String::from_utf8_lossy(&right),
                );
                Some(lines.unwrap_or_else(|| "the ends of its lines differ".to_owned()))
            }
            _ => Some(format!(
                "bytes differ ({} and {} of them)",
                left.len(),
                right.len()
            )),
        },
    )
}

/// The first line that differs.
fn diff_lines(a: &str, b: &str) -> Option<Difference> {
    let (mut left, mut right) = (a.lines(), b.lines());
    for number in 1.. {
        let pair = (left.next(), right.next());
        if pair.0 != pair.1 {
            let show =
                |line: Option<&str>| line.map_or_else(|| "(the file ends)".to_owned(), shorten);
            return Some(format!(
                "line {number}: {} | {}",
                show(pair.0),
                show(pair.1)
            ));
        }
        if pair.0.is_none() {
            break;
        }
    }
    None
}

fn shorten(line: &str) -> String {
    let line = line.trim();
    if line.chars().count() <= 100 {
        line.to_owned()
    } else {
        format!("{}…", line.chars().take(100).collect::<String>())
    }
}

/// The text without the lines between the markers of times.
fn without_times(bytes: &[u8]) -> String {
    let mut inside = false;
    let mut kept = String::new();
    for line in String::from_utf8_lossy(bytes).lines() {
        inside |= line.contains(TIMES.0);
        if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
        inside &= !line.contains(TIMES.1);
    }
    kept
}

/// The first row that differs, and the first column in it; of equal values, what else may.
fn diff_tables(a: &Path, b: &Path) -> Result<Difference> {
    let (left, right) = (table::read(a)?, table::read(b)?);
    let names = |table: &Table| table.names().collect::<Vec<_>>().join(", ");
    if !left.names().eq(right.names()) {
        return Ok(format!(
            "columns differ: {} | {}",
            shorten(&names(&left)),
            shorten(&names(&right))
        ));
    }
    let columns = || left.columns().iter().zip(right.columns());
    for row in 0..left.rows().min(right.rows()) {
        for ((name, own), (_, other)) in columns() {
            let (x, y) = (own.cell(row), other.cell(row));
            if x != y {
                let (x, y) = (shorten(&x), shorten(&y));
                return Ok(format!("row {row}, column {name}: {x} | {y}"));
            }
        }
    }
    if left.rows() != right.rows() {
        return Ok(format!("{} | {} rows", left.rows(), right.rows()));
    }
    let other_kind = columns().find(|((_, own), (_, other))| own.kind() != other.kind());
    Ok(match other_kind {
        Some(((name, own), (_, other))) => format!(
            "column {name} holds {} | {}, of the same values",
            own.kind(),
            other.kind()
        ),
        None => "the same values, written in other bytes".to_owned(),
    })
}

/// The first array that differs, and by how much.
fn diff_tensors(a: &[u8], b: &[u8]) -> Result<Difference> {
    let (left, right) = (SafeTensors::deserialize(a)?, SafeTensors::deserialize(b)?);
    let mut names: Vec<String> = left.names().into_iter().map(ToString::to_string).collect();
    names.sort_unstable();
    for name in names {
        let x = left.tensor(&name)?;
        let Ok(y) = right.tensor(&name) else {
            return Ok(format!("{name} is in one file only"));
        };
        if x.shape() != y.shape() {
            return Ok(format!(
                "{name} has shapes {:?} | {:?}",
                x.shape(),
                y.shape()
            ));
        }
        if x.data() != y.data() {
            let differing = describe_values(&f32_values(x.data()), &f32_values(y.data()));
            return Ok(format!("{name} differs in {differing}"));
        }
    }
    Ok("the headers differ, or one file has more arrays".to_owned())
}

fn f32_values(data: &[u8]) -> Vec<f32> {
    let (words, _) = data.as_chunks::<4>();
    words.iter().map(|word| f32::from_le_bytes(*word)).collect()
}

/// How many values differ, and by how much.
fn describe_values(x: &[f32], y: &[f32]) -> String {
    let pairs = || x.iter().zip(y);
    let largest = pairs().map(|(x, y)| (x - y).abs()).fold(0.0f32, f32::max);
    let count = pairs().filter(|(x, y)| x.to_bits() != y.to_bits()).count();
    format!("{count} of {} values, by up to {largest:e}", x.len())
}

#[cfg(test)]
#[path = "diff_bytes_tests.rs"]
mod tests;
