//! Patterns over the paths of a repo, and the names that say what split a file belongs to, as the
//! `datasets` library (5.2) has them.
//!
//! `*` and `?` stay within a name, `**` is any number of folders, `[a-z]` and `[!a-z]` are classes;
//! there are no braces. A path with a part that begins with a dot, or in a folder that begins with
//! `__`, is matched only where the pattern has such a part too.

use anyhow::{Result, bail, ensure};

/// What a part is called, and the words that its files or folders are known by.
const KEYWORDS: [(&str, &[&str]); 3] = [
    ("train", &["train", "training"]),
    ("validation", &["validation", "valid", "dev", "val"]),
    ("test", &["test", "testing", "eval", "evaluation"]),
];
/// What may stand beside a keyword in a name.
const SEPARATORS: &str = "[-._ 0-9]";
const SHARDED: &str = "data/{split}-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9]*.*";
/// Files that are never data, unless they are asked for by name.
const NO_DATA: [&str; 6] = [
    "README.md",
    "config.json",
    "dataset_info.json",
    "dataset_infos.json",
    "dummy_data.zip",
    "dataset_dict.json",
];

/// Splits, each with its patterns.
pub type SplitPatterns = Vec<(String, Vec<String>)>;

/// The paths below `folder` that a pattern matches, in their order.
///
/// # Errors
/// A pattern that leads out of the repo, or is none.
pub fn matches<'a>(pattern: &str, folder: &str, paths: &[&'a str]) -> Result<Vec<&'a str>> {
    ensure!(
        !pattern.contains("::") && !pattern.contains("://") && !pattern.starts_with('/'),
        "the pattern {pattern:?} of the card leads out of the repo"
    );
    let full = joined(folder, pattern);
    let parts: Vec<&str> = full.split('/').collect();
    if parts
        .iter()
        .any(|part| *part != "**" && part.contains("**"))
    {
        bail!("the pattern {pattern:?} of the card has a `**` that is no name by itself");
    }
    let fixed =
        parts
            .iter()
            .take_while(|part| !has_magic(part))
            .fold(String::new(), |fixed, part| {
                if fixed.is_empty() {
                    (*part).to_owned()
                } else {
                    format!("{fixed}/{part}")
                }
            });
    let last = parts.last().copied().unwrap_or_default();
    let own = hidden_parts(&full);
    let is_match = |path: &&&str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        path.starts_with(&fixed)
            && (name == last || !NO_DATA.contains(&name))
            && hidden_parts(path) == own
            && parts_match(&parts, &path.split('/').collect::<Vec<_>>())
    };
    Ok(paths.iter().filter(is_match).copied().collect())
}

/// Whether a pattern is more than a path.
pub fn has_magic(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

/// The splits that the names of files and folders give, by the first rule that finds any; none
/// where there is no file at all.
pub fn by_name(folder: &str, paths: &[&str]) -> Result<SplitPatterns> {
    let sharded = matches(&SHARDED.replace("{split}", "*"), folder, paths)?;
    let mut found: Vec<&str> = sharded
        .iter()
        .filter_map(|path| sharded_split(path))
        .collect();
    if !found.is_empty() {
        found.sort_unstable();
        found.dedup();
        let pattern = |split: &str| vec![SHARDED.replace("{split}", &escaped(split))];
        let split = |split: &str| (split.to_owned(), pattern(split));
        return Ok(found.into_iter().map(split).collect());
    }
    let one = |split: &str, patterns: &[&str]| {
        let patterns = patterns.iter().map(|pattern| (*pattern).to_owned());
        (split.to_owned(), patterns.collect())
    };
    let rules: [SplitPatterns; 5] = [
        vec![one("logs", &["**/*.eval"])],
        vec![one("test", &["**/task.toml", "**/instruction.md"])],
        by_keyword(&["**/K/**", "**/KS/**", "**/SK/**", "**/SKS/**"]),
        by_keyword(&["**/KF", "**/SKF"]),
        vec![one("train", &["**"])],
    ];
    for rule in rules {
        let mut found = SplitPatterns::new();
        for (split, patterns) in rule {
            for pattern in &patterns {
                if !matches(pattern, folder, paths)?.is_empty() {
                    found.push((split, patterns));
                    break;
                }
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(SplitPatterns::new())
}

/// Patterns for each split and keyword: `K` is the keyword, `S` before it what may stand before it,
/// `S` behind it and `F` what a folder's or file's name goes on with.
fn by_keyword(forms: &[&str]) -> SplitPatterns {
    let pattern = |form: &str, keyword: &str| {
        form.replace("SK", &format!("*{SEPARATORS}K"))
            .replace("KS", &format!("K{SEPARATORS}*"))
            .replace("KF", &format!("K{SEPARATORS}*"))
            .replace('K', keyword)
    };
    let patterns = |keywords: &[&str]| {
        let of = |keyword: &&str| forms.iter().map(|form| pattern(form, keyword)).collect();
        keywords.iter().flat_map::<Vec<String>, _>(of).collect()
    };
    KEYWORDS
        .iter()
        .map(|(split, keywords)| ((*split).to_owned(), patterns(keywords)))
        .collect()
}

/// `train` of `data/train-00000-of-00001-0123.parquet`.
fn sharded_split(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let is_number =
        |text: &str| text.len() >= 5 && text.as_bytes()[..5].iter().all(u8::is_ascii_digit);
    let place = name.match_indices("-of-").filter(|(at, of)| {
        let before = at.checked_sub(6).and_then(|from| name.get(from..*at));
        before.is_some_and(|number| number.starts_with('-') && is_number(&number[1..]))
            && is_number(&name[at + of.len()..])
    });
    place.last().map(|(at, _)| &name[..at - 6])
}

/// A name in which nothing is a wildcard.
fn escaped(name: &str) -> String {
    let escape = |c: char| match c {
        '*' | '?' | '[' => format!("[{c}]"),
        c => c.to_string(),
    };
    name.chars().map(escape).collect()
}

/// A path below a folder, without `./`.
pub fn joined(folder: &str, path: &str) -> String {
    let plain = |path: &str| {
        let parts = path.split('/').filter(|part| *part != ".");
        parts.collect::<Vec<_>>().join("/")
    };
    let (folder, path) = (plain(folder.trim_matches('/')), plain(path));
    if folder.is_empty() {
        path
    } else {
        format!("{folder}/{path}")
    }
}

/// How many parts of a path are hidden, and in how many folders for special use it lies.
fn hidden_parts(path: &str) -> (usize, usize) {
    let hidden = |part: &&str| part.starts_with('.') && part.bytes().any(|byte| byte != b'.');
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    (
        path.split('/').filter(hidden).count(),
        folders
            .split('/')
            .filter(|part| part.starts_with("__"))
            .count(),
    )
}

/// Matches parts of a path against those of a pattern, of which `**` is any number.
fn parts_match(pattern: &[&str], path: &[&str]) -> bool {
    // reached[n]: the parts of the pattern so far match the first n of the path.
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for (number, part) in pattern.iter().enumerate() {
        let mut next = vec![false; path.len() + 1];
        if *part == "**" {
            // At the end at least the file's own name.
            let least = usize::from(number + 1 == pattern.len());
            let mut any = false;
            for (at, after) in next.iter_mut().enumerate().skip(least) {
                any |= reached[at - least];
                *after = any;
            }
        } else {
            for (at, name) in path.iter().enumerate() {
                next[at + 1] = reached[at] && name_matches(part, name);
            }
        }
        reached = next;
    }
    reached[path.len()]
}

/// Matches one name against a pattern without `/`.
fn name_matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut from) = (0, 0);
    // Where the last star is, and how far it reaches.
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match one_matches(&pattern[at..], name[from]) {
            Some(length) => (at, from) = (at + length, from + 1),
            None if pattern.get(at) == Some(&'*') => {
                star = Some((at, from));
                at += 1;
            }
            None => match star {
                Some((place, reach)) => {
                    star = Some((place, reach + 1));
                    (at, from) = (place + 1, reach + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// The length of the first element of a pattern where it takes a character; none where it does not,
/// or is a star.
fn one_matches(pattern: &[char], c: char) -> Option<usize> {
    match *pattern.first()? {
        '*' => None,
        '?' => Some(1),
        '[' => {
            let negated = pattern.get(1) == Some(&'!');
            let first = if negated { 2 } else { 1 };
            // A bracket right at the beginning is one of the class.
            let length = pattern.iter().skip(first + 1).position(|c| *c == ']');
            let Some(length) = length else {
                return (c == '[').then_some(1);
            };
            let end = first + 1 + length;
            (in_class(&pattern[first..end], c) != negated).then_some(end + 1)
        }
        plain => (plain == c).then_some(1),
    }
}

fn in_class(class: &[char], c: char) -> bool {
    let mut at = 0;
    while at < class.len() {
        if class.get(at + 1) == Some(&'-') && at + 2 < class.len() {
            if (class[at]..=class[at + 2]).contains(&c) {
                return true;
            }
            at += 3;
        } else {
            if class[at] == c {
                return true;
            }
            at += 1;
        }
    }
    false
}

#[cfg(test)]
#[path = "data_patterns_tests.rs"]
mod tests;
