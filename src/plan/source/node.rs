//! A value of a spec with its place in the text.

use std::ops::Range;

use super::{float_text, key_text, string_text};

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

impl SpecNode {
    /// Moves every place by `offset` bytes.
    pub(super) fn shift(&mut self, offset: isize) {
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

    /// The elements of a list, or the one value that stands without one.
    pub fn one_or_many(&self) -> Vec<&SpecNode> {
        match &self.content {
            Content::List(elements) => elements.iter().collect(),
            Content::Table(_)
            | Content::String(_)
            | Content::Integer(_)
            | Content::Float(_)
            | Content::Boolean(_) => vec![self],
        }
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
