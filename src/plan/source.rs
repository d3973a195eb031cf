//! Spec text as a tree that remembers where everything stands: files, environment variables and
//! `--set` arguments alike.

use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml_edit::{Document, Item, Table, Value};

use super::diagnostics::{Diagnostic, Place};

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

/// A value with its place.
#[derive(Debug, Clone)]
pub struct SpecNode {
    /// Bytes of the key that names it; the value's own where it has none (elements of a list).
    pub key: Range<usize>,
    /// Bytes of the value; the key's where the value has none of its own (tables written as
    /// headers).
    pub value: Range<usize>,
    pub content: Content,
}

#[derive(Debug, Clone)]
pub enum Content {
    /// In the order of the text.
    Table(Vec<(String, SpecNode)>),
    List(Vec<SpecNode>),
    String(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
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
        let mut wrong = Vec::new();
        let node = self.table(document.as_table(), 0..0, &mut wrong);
        if wrong.is_empty() {
            Ok(node)
        } else {
            Err(wrong)
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
            Err(wrong) if text.trim_start().starts_with(['[', '{', '"', '\'']) => {
                Err(wrong.into_iter().map(|one| one.at(place())).collect())
            }
            Err(_) => Ok(bare()),
        }
    }

    /// An error of syntax, with what to do about the common ones.
    fn not_toml(&self, message: &str, span: Option<Range<usize>>) -> Diagnostic {
        let message = message.trim().replace('\n', ", ");
        let marked = span
            .clone()
            .and_then(|span| self.text.get(span))
            .unwrap_or_default()
            .trim();
        let hint = match message.as_str() {
            text if text.starts_with("string values must be quoted") && marked.is_empty() => {
                "write a value behind the =".to_owned()
            }
            text if text.starts_with("string values must be quoted") => {
                format!("write {}", string_text(marked))
            }
            text if text.starts_with("duplicate key") => {
                "a key stands once in its table, and a table has one header: put the two together"
                    .to_owned()
            }
            text if text.contains("overflow") => {
                "the largest whole number is 9223372036854775807".to_owned()
            }
            text if text.contains("visible characters") => {
                "take the control character out".to_owned()
            }
            text if text.contains("comment character") => {
                "take the control character out of the comment".to_owned()
            }
            text if text.starts_with("unclosed") || text.ends_with("`\"`") => {
                "close it on this line, or where it ends".to_owned()
            }
            text if text.starts_with("key with no value") => "write key = value".to_owned(),
            text if text.contains("unquoted key") => {
                "write key = value, with a key of letters, digits, - and _".to_owned()
            }
            text if text.contains("date") || text.contains("time") => {
                "write it in quotes if it is a text".to_owned()
            }
            text if text.contains("recurs") => {
                "lists and tables of a spec are a few levels deep".to_owned()
            }
            _ => "see https://toml.io for how it is written".to_owned(),
        };
        Diagnostic::new(format!("this is not TOML: {message}"))
            .at(span.map(|span| self.place(span)))
            .hint(hint)
    }

    fn table(&self, table: &Table, key: Range<usize>, wrong: &mut Vec<Diagnostic>) -> SpecNode {
        let mut entries = Vec::with_capacity(table.len());
        for (name, item) in table.iter() {
            let key = table
                .key(name)
                .and_then(toml_edit::Key::span)
                .unwrap_or(key.clone());
            if let Some(node) = self.item(item, key, wrong) {
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
        wrong: &mut Vec<Diagnostic>,
    ) -> Option<SpecNode> {
        match item {
            Item::None => None,
            Item::Value(value) => self.value(value, key, wrong),
            Item::Table(table) => Some(self.table(table, key, wrong)),
            Item::ArrayOfTables(tables) => {
                let elements = tables
                    .iter()
                    .map(|table| self.table(table, table.span().unwrap_or(key.clone()), wrong))
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
        wrong: &mut Vec<Diagnostic>,
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
                        self.value(element, element.span().unwrap_or(key.clone()), wrong)
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
                    if let Some(node) = self.value(value, key, wrong) {
                        entries.push((name.to_owned(), node));
                    }
                }
                Content::Table(entries)
            }
            Value::Float(_) => {
                wrong.push(
                    Diagnostic::new("numbers in a spec are finite")
                        .at(self.place(span))
                        .hint("write a number such as 1.0"),
                );
                return None;
            }
            Value::Datetime(_) => {
                wrong.push(
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

impl SpecNode {
    /// Moves every place by `offset` bytes.
    fn shift(&mut self, offset: isize) {
        let moved = |span: &Range<usize>| {
            span.start.saturating_add_signed(offset)..span.end.saturating_add_signed(offset)
        };
        (self.key, self.value) = (moved(&self.key), moved(&self.value));
        match &mut self.content {
            Content::Table(entries) => entries.iter_mut().for_each(|(_, node)| node.shift(offset)),
            Content::List(elements) => elements.iter_mut().for_each(|node| node.shift(offset)),
            _ => {}
        }
    }

    /// A table without a place of its own, around `inner` at the dotted `path`.
    pub fn nested(path: &[(String, Range<usize>)], inner: SpecNode) -> SpecNode {
        path.iter().rev().fold(inner, |inner, (name, key)| {
            let inner = SpecNode {
                key: key.clone(),
                ..inner
            };
            SpecNode {
                key: key.clone(),
                value: inner.value.clone(),
                content: Content::Table(vec![(name.clone(), inner)]),
            }
        })
    }

    /// The entries of a table; of anything else, none.
    pub fn entries(&self) -> &[(String, SpecNode)] {
        match &self.content {
            Content::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The entry `key` of a table.
    pub fn get(&self, key: &str) -> Option<&SpecNode> {
        self.entries()
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, node)| node)
    }

    /// The value as TOML on one line.
    pub fn toml(&self) -> String {
        match &self.content {
            Content::Table(entries) => {
                let inner: Vec<String> = entries
                    .iter()
                    .map(|(key, node)| format!("{} = {}", key_text(key), node.toml()))
                    .collect();
                if inner.is_empty() {
                    "{}".to_owned()
                } else {
                    format!("{{ {} }}", inner.join(", "))
                }
            }
            Content::List(elements) => format!(
                "[{}]",
                elements
                    .iter()
                    .map(SpecNode::toml)
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            Content::String(text) => string_text(text),
            Content::Integer(number) => number.to_string(),
            Content::Float(number) => float_text(*number),
            Content::Boolean(truth) => truth.to_string(),
        }
    }

    /// The value as an axis shows it: strings bare, everything else as TOML.
    pub fn text(&self) -> String {
        match &self.content {
            Content::String(text) => text.clone(),
            _ => self.toml(),
        }
    }
}

/// A key as TOML.
pub fn key_text(key: &str) -> String {
    let bare = !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if bare {
        key.to_owned()
    } else {
        string_text(key)
    }
}

/// A string as TOML, on one line.
pub fn string_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A number as TOML: it always reads back as a float, and very large or small ones have an
/// exponent.
pub fn float_text(number: f64) -> String {
    format!("{number:?}")
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
