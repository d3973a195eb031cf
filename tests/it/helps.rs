//! A help that can be written is what `kdpipe check` then accepts: of every complaint in
//! `tests/invalid` whose help begins with "write" and a value or a key, that is put where the
//! complaint points, and the complaint is gone without another one at that line.

use std::path::Path;

use crate::invalid::{folder, said_in};

/// Fewer than this and the texts are read wrongly.
const FEWEST: usize = 60;

/// Specs in which another mistake is made at the same place: an arm that would be compared with
/// itself, keys that would stand twice.
const MISTAKEN_TWICE: [&str; 3] = [
    "expect-arm",
    "grid-axis-inside-an-axis",
    "report-sensitivity",
];

/// A complaint of a text: what it says, where, and what help writes there.
#[derive(Debug)]
struct Complaint {
    message: String,
    /// Counted from 1.
    line: usize,
    /// Characters of that line.
    marked: std::ops::Range<usize>,
    writes: String,
}

/// The complaints about the file `name` with a help that can be written.
fn complaints(name: &str, text: &str) -> Vec<Complaint> {
    let parts = text.split("\n\n");
    parts.filter_map(|part| complaint(name, part)).collect()
}

fn complaint(name: &str, text: &str) -> Option<Complaint> {
    let lines: Vec<&str> = text.lines().collect();
    let message = lines.first()?.strip_prefix("error: ")?.to_owned();
    let place = lines
        .iter()
        .find_map(|line| line.trim_start().strip_prefix("--> "))?;
    let (line, column) = place
        .strip_prefix(name)?
        .strip_prefix(':')?
        .split_once(':')?;
    let carets = lines.iter().find_map(|line| {
        let marks = line.trim_start().strip_prefix('|')?.trim();
        (!marks.is_empty() && marks.chars().all(|c| c == '^')).then_some(marks.len())
    })?;
    let help = lines
        .iter()
        .find_map(|line| line.trim_start().strip_prefix("= help: write "))?;
    let column: usize = column.parse().ok()?;
    Some(Complaint {
        message,
        line: line.parse().ok()?,
        marked: column - 1..column - 1 + carets,
        writes: written(help)?,
    })
}

/// The value or the key that a help begins with; none of one that is words.
fn written(help: &str) -> Option<String> {
    let is_value = |text: &str| format!("x = {text}").parse::<toml::Table>().is_ok();
    let is_key = |text: &str| {
        let is_of_key = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        text.chars().all(is_of_key) && !text.is_empty()
    };
    // Where a name of the reader's stands, nobody can write it but the reader.
    if ["ARM", "NAME", "FOLDER"]
        .iter()
        .any(|word| help.contains(word))
    {
        return None;
    }
    let ends = [" without quotes", ", ", "; ", " or ", " with "];
    let cuts = ends.iter().filter_map(|end| help.find(end));
    let mut ends: Vec<usize> = cuts.chain([help.len()]).collect();
    // A list holds commas itself: the longest beginning that is a value counts.
    ends.sort_unstable_by(|a, b| b.cmp(a));
    let beginnings = || ends.iter().map(|&end| &help[..end]);
    let value = beginnings().find(|text| is_value(text));
    let key = beginnings().find(|text| is_key(text));
    value.or(key).map(str::to_owned)
}

/// The text with what the help writes in the marked place.
fn helped(text: &str, complaint: &Complaint) -> String {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let line = &mut lines[complaint.line - 1];
    let characters: Vec<char> = line.chars().collect();
    let part = |range: std::ops::Range<usize>| characters[range].iter().collect::<String>();
    let (before, after) = (
        part(0..complaint.marked.start),
        part(complaint.marked.end.min(characters.len())..characters.len()),
    );
    *line = format!("{before}{}{after}", complaint.writes);
    lines.join("\n")
}

fn check(folder: &Path, name: &str, text: &str) -> String {
    std::fs::write(folder.join(name), text).expect("a spec");
    said_in(folder, name).1
}

#[test]
fn what_a_help_writes_is_accepted() {
    let site = tempfile::tempdir().expect("a folder");
    let mut specs = Vec::new();
    for entry in std::fs::read_dir(folder()).expect("the folder of bad specs") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        std::fs::copy(&path, site.path().join(&name)).expect("a copy");
        specs.extend(name.strip_suffix(".toml").map(str::to_owned));
    }
    // Those of several mistakes have them on purpose where one helps another, or hides it.
    specs.retain(|spec| {
        let is_read = !spec.starts_with("hostile-") && !spec.contains("several");
        is_read && !MISTAKEN_TWICE.contains(&spec.as_str())
    });
    specs.sort();
    let (mut tried, mut refused) = (0, Vec::new());
    for spec in specs {
        let name = format!("{spec}.toml");
        let told = std::fs::read_to_string(folder().join(format!("{spec}.txt"))).expect("a text");
        let Ok(text) = std::fs::read_to_string(folder().join(&name)) else {
            continue;
        };
        for complaint in complaints(&name, &told) {
            tried += 1;
            let now = check(site.path(), &name, &helped(&text, &complaint));
            let marked = complaint.marked.start..complaint.marked.start + complaint.writes.len();
            let is_of_it = |part: &str| {
                let mut columns = part.lines().filter_map(|line| {
                    let place = line.trim_start().strip_prefix("--> ")?;
                    let (line, column) =
                        place.strip_prefix(&format!("{name}:"))?.split_once(':')?;
                    let column = column.parse::<usize>().ok()? - 1;
                    Some((line.parse::<usize>().ok()?, column))
                });
                columns.any(|(line, column)| line == complaint.line && marked.contains(&column))
            };
            // That a file is not there, or a key that goes with the value, is another matter.
            let is_other = |part: &str| part.contains("does not exist") || part.contains("missing");
            let mut wrong = now.split("\n\n").filter(|part| !is_other(part));
            if wrong.any(|part| part.contains(&complaint.message) || is_of_it(part)) {
                refused.push(format!("{name}: write {}\n{now}", complaint.writes));
            }
        }
        std::fs::write(site.path().join(&name), &text).expect("the spec again");
    }
    assert!(
        refused.is_empty(),
        "{} of {tried}:\n{}",
        refused.len(),
        refused.join("\n")
    );
    assert!(tried >= FEWEST, "{tried}");
}
