//! Spec text as a tree that remembers where everything stands: files, environment variables and
//! `--set` arguments alike.

mod node;
mod syntax;
mod toml_text;

use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml_edit::{Document, Item, Table, Value};

use super::diagnostics::{Diagnostic, Place};

pub use node::{Content, SpecNode};
pub use toml_text::{float_text, key_text, string_text};

/// Largest spec file that is read.
const LARGEST: u64 = 256 << 10;
/// Most errors of syntax that are told at once: one of them may be the cause of many.
const MOST_ERRORS: usize = 20;

/// A text with its name in messages, and the folder that its relative paths start from.
#[derive(Debug)]
pub struct SpecText {
    pub name: String,
    pub text: String,
    pub base: PathBuf,
}

impl SpecText {
    pub fn new(name: impl Into<String>, text: impl Into<String>, base: &Path) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            text: text.into(),
            base: base.to_path_buf(),
        })
    }

    /// Reads a file; its name in messages is the path as given.
    ///
    /// # Errors
    /// A file that cannot be read, is too large to be a spec, or is not UTF-8.
    pub fn read(path: &Path) -> Result<Arc<Self>, Box<Diagnostic>> {
        let name = path.display().to_string();
        if path.is_dir() {
            return Err(Box::new(
                Diagnostic::new(format!("{name} is a folder")).hint("name a spec in it"),
            ));
        }
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Box::new(
                    Diagnostic::new(format!("{name} does not exist"))
                        .hint(format!("kdpipe init {name} writes a spec to start from")),
                ),
                _ => Box::new(Diagnostic::new(format!("{name} cannot be read: {error}"))),
            })?;
        if bytes.len() as u64 > LARGEST {
            return Err(Box::new(
                Diagnostic::new(format!(
                    "{name} is no spec: it is larger than {} KiB",
                    LARGEST >> 10
                ))
                .hint("name a file of TOML"),
            ));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes());
            let place = Place::new(&name, &text, at..at + '\u{fffd}'.len_utf8());
            Box::new(
                Diagnostic::new(format!("this is no spec: byte {at} is not UTF-8"))
                    .at(place)
                    .hint("save the file as UTF-8"),
            )
        })?;
        let base = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(Self::new(name, text, &base))
    }

    /// The place of some of its bytes.
    pub fn place(&self, span: Range<usize>) -> Place {
        Place::new(&self.name, &self.text, span)
    }

    /// The tree of the text.
    ///
    /// # Errors
    /// The errors of syntax, or every value that TOML has and a spec has not (dates, numbers that
    /// are not finite).
    pub fn parse(&self) -> Result<SpecNode, Vec<Diagnostic>> {
        // Errors come from this parser alone: it finds them all, and the other one panics at some
        // texts that have any.
        let (_, errors) = toml::de::DeTable::parse_recoverable(&self.text);
        if !errors.is_empty() {
            let mut all: Vec<_> = errors
                .iter()
                .take(MOST_ERRORS)
                .map(|error| self.not_toml(error.message(), error.span()))
                .collect();
            // A second error of a line follows from its first.
            all.sort_by(|a, b| a.place.cmp(&b.place));
            all.dedup_by_key(|error| error.place.as_ref().map(|place| place.line));
            return Err(all);
        }
        let document = Document::parse(self.text.as_str())
            .map_err(|error| vec![self.not_toml(error.message(), error.span())])?;
        let mut mistakes = Vec::new();
        let node = self.table(document.as_table(), 0..0, &mut mistakes);
        if mistakes.is_empty() {
            Ok(node)
        } else {
            Err(mistakes)
        }
    }

    /// The value in `span` of the text, of an assignment whose key is in `key`: TOML, or else a
    /// string, so that words need no quotes.
    ///
    /// # Errors
    /// A value that begins like a list, a table or a quoted string and is none.
    pub fn parse_assigned(
        &self,
        key: Range<usize>,
        span: Range<usize>,
    ) -> Result<SpecNode, Vec<Diagnostic>> {
        const BEFORE: &str = "v=";
        let text = &self.text[span.clone()];
        let alone = SpecText {
            name: self.name.clone(),
            text: format!("{BEFORE}{text}"),
            base: self.base.clone(),
        };
        let place = || self.place(span.clone());
        let bare = || SpecNode {
            key: key.clone(),
            value: span.clone(),
            content: Content::String(text.to_owned()),
        };
        match alone.parse() {
            Ok(root) => match root.entries() {
                [(name, node)] if name == "v" => {
                    let mut node = node.clone();
                    node.shift(span.start as isize - BEFORE.len() as isize);
                    node.key = key;
                    Ok(node)
                }
                _ => Ok(bare()),
            },
            Err(mistakes) if text.trim_start().starts_with(['[', '{', '"', '\'']) => {
                Err(mistakes.into_iter().map(|one| one.at(place())).collect())
            }
            Err(_) => Ok(bare()),
        }
    }

    fn table(&self, table: &Table, key: Range<usize>, mistakes: &mut Vec<Diagnostic>) -> SpecNode {
        let mut entries = Vec::with_capacity(table.len());
        for (name, item) in table.iter() {
            let key = table
                .key(name)
                .and_then(toml_edit::Key::span)
                .unwrap_or(key.clone());
            if let Some(node) = self.item(item, key, mistakes) {
                entries.push((name.to_owned(), node));
            }
        }
        SpecNode {
            value: key.clone(),
            key,
            content: Content::Table(entries),
        }
    }

    fn item(
        &self,
        item: &Item,
        key: Range<usize>,
        mistakes: &mut Vec<Diagnostic>,
    ) -> Option<SpecNode> {
        match item {
            Item::None => None,
            Item::Value(value) => self.value(value, key, mistakes),
            Item::Table(table) => Some(self.table(table, key, mistakes)),
            Item::ArrayOfTables(tables) => {
                let elements = tables
                    .iter()
                    .map(|table| self.table(table, table.span().unwrap_or(key.clone()), mistakes))
                    .collect();
                Some(SpecNode {
                    value: key.clone(),
                    key,
                    content: Content::List(elements),
                })
            }
        }
    }

    fn value(
        &self,
        value: &Value,
        key: Range<usize>,
        mistakes: &mut Vec<Diagnostic>,
    ) -> Option<SpecNode> {
        let span = value.span().unwrap_or(key.clone());
        let content = match value {
            Value::String(text) => Content::String(text.value().clone()),
            Value::Integer(number) => Content::Integer(*number.value()),
            Value::Float(number) if number.value().is_finite() => Content::Float(*number.value()),
            Value::Boolean(truth) => Content::Boolean(*truth.value()),
            Value::Array(array) => Content::List(
                array
                    .iter()
                    .filter_map(|element| {
                        self.value(element, element.span().unwrap_or(key.clone()), mistakes)
                    })
                    .collect(),
            ),
            Value::InlineTable(table) => {
                let mut entries = Vec::with_capacity(table.len());
                for (name, value) in table.iter() {
                    let key = table
                        .key(name)
                        .and_then(toml_edit::Key::span)
                        .unwrap_or(span.clone());
                    if let Some(node) = self.value(value, key, mistakes) {
                        entries.push((name.to_owned(), node));
                    }
                }
                Content::Table(entries)
            }
            Value::Float(_) => {
                mistakes.push(
                    Diagnostic::new("numbers in a spec are finite")
                        .at(self.place(span))
                        .hint("write a number such as 1.0"),
                );
                return None;
            }
            Value::Datetime(_) => {
                mistakes.push(
                    Diagnostic::new("dates have no meaning in a spec")
                        .at(self.place(span))
                        .hint("write it in quotes if it is a text"),
                );
                return None;
            }
        };
        Some(SpecNode {
            key,
            value: span,
            content,
        })
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
