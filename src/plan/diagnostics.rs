//! What is wrong in a spec, where, and what to write instead. Rendered like a compiler's messages;
//! nothing is printed here.

use std::fmt::{self, Write};

/// A stretch of one line of a spec file, of an environment variable or of a `--set` argument.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The line without its end; of a long one, what is around the mark.
    pub line_text: String,
    /// Characters of `line_text` before the mark.
    pub before: usize,
    /// Characters that are marked, at least 1.
    pub length: usize,
}

/// One mistake of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub message: String,
    pub place: Option<Place>,
    /// What to write instead.
    pub hint: Option<String>,
}

/// Every mistake that was found, in the order of the files' lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Place {
    /// The place of the bytes `span` of `text`; a span over several lines is marked to the end of
    /// its first one.
    pub fn new(file: &str, text: &str, span: std::ops::Range<usize>) -> Self {
        let start = floor_boundary(text, span.start);
        let end = floor_boundary(text, span.end.max(start));
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..]
            .find('\n')
            .map_or(text.len(), |newline| start + newline);
        let marked = &text[start..end.min(line_end)];
        let before = text[line_start..start].chars().count();
        // A place is kept for many values of a line, which may be a megabyte.
        let cut = before.saturating_sub(SHOWN / 2);
        let line = text[line_start..line_end].trim_end_matches('\r');
        Self {
            file: file.to_owned(),
            line: text[..start].matches('\n').count() + 1,
            column: before + 1,
            line_text: line.chars().skip(cut).take(SHOWN).collect(),
            before: before - cut,
            length: marked.trim_end().chars().count().max(1),
        }
    }
}

fn floor_boundary(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

impl Diagnostic {
    /// A mistake that has no place in a file.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place: None,
            hint: None,
        }
    }

    /// The same, marked at `place`.
    pub fn at(mut self, place: impl Into<Option<Place>>) -> Self {
        self.place = place.into();
        self
    }

    /// The same with advice.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Diagnostics {
    /// A single mistake.
    pub fn one(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }

    /// Sorted by place, those without one first, and each only once.
    pub fn sorted(mut self) -> Self {
        self.0.sort_by(|a, b| a.place.cmp(&b.place));
        let mut seen: Vec<Diagnostic> = Vec::with_capacity(self.0.len());
        for diagnostic in self.0 {
            let same = |other: &Diagnostic| {
                other.place == diagnostic.place && other.message == diagnostic.message
            };
            if !seen
                .iter()
                .rev()
                .take_while(|other| other.place == diagnostic.place)
                .any(same)
            {
                seen.push(diagnostic);
            }
        }
        Self(seen)
    }

    /// The text for a terminal (`colour`) or a file.
    pub fn render(&self, colour: bool) -> String {
        let paint = Paint { colour };
        let mut out = String::new();
        for (i, diagnostic) in self.0.iter().enumerate() {
            if i > 0 {
                out.push('\n');
            }
            paint.diagnostic(&mut out, diagnostic);
        }
        out
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Diagnostics {}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::one(diagnostic)
    }
}

/// Longest part of a source line that is shown.
const SHOWN: usize = 160;

struct Paint {
    colour: bool,
}

impl Paint {
    fn wrap(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn diagnostic(&self, out: &mut String, diagnostic: &Diagnostic) {
        let title = format!(
            "{}{}",
            self.wrap("1;31", "error"),
            self.wrap("1", &format!(": {}", printable(&diagnostic.message)))
        );
        out.push_str(&title);
        out.push('\n');
        let margin = match &diagnostic.place {
            Some(place) => {
                let margin = " ".repeat(place.line.to_string().len());
                let (text, before) = (printable(&place.line_text), place.before);
                let bar = self.wrap("1;34", "|");
                let marks = self.wrap(
                    "1;31",
                    &"^".repeat(
                        place
                            .length
                            .min(text.chars().count().saturating_sub(before))
                            .max(1),
                    ),
                );
                let _ = writeln!(
                    out,
                    "{margin}{} {}:{}:{}",
                    self.wrap("1;34", "-->"),
                    printable(&place.file),
                    place.line,
                    place.column
                );
                let _ = writeln!(out, "{margin} {bar}");
                let _ = writeln!(
                    out,
                    "{} {bar} {text}",
                    self.wrap("1;34", &place.line.to_string())
                );
                let _ = writeln!(out, "{margin} {bar} {}{marks}", " ".repeat(before));
                margin
            }
            None => String::new(),
        };
        if let Some(hint) = &diagnostic.hint {
            let _ = writeln!(
                out,
                "{margin} {} help: {}",
                self.wrap("1;34", "="),
                printable(hint)
            );
        }
    }
}

/// One character for each: a terminal must not obey what a file holds.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '\t' {
                ' '
            } else if c.is_control() || is_invisible(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// Characters that turn the direction of text around, or that nobody sees.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}

/// The candidate that `word` was probably meant to be.
pub fn similar<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 100 {
        return None;
    }
    let lower = word.to_lowercase();
    let mut candidates = candidates.into_iter().collect::<Vec<_>>();
    candidates.dedup();
    // "mse" for "hidden.mse", "lin" for "linear", where only one can be meant.
    let part = |candidate: &&&str| {
        candidate.split('.').any(|part| part == lower)
            || (lower.len() > 2 && candidate.starts_with(&lower))
    };
    let whole: Vec<&&str> = candidates.iter().filter(part).collect();
    if let [only] = whole.as_slice() {
        return Some(only);
    }
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(word.len()) / 5)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
#[path = "diagnostics_tests.rs"]
mod tests;
