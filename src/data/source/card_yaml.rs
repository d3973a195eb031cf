//! YAML as a tree of bounded size and depth, as much of it as dataset cards need.
//!
//! Every scalar stays the text that was written: the name `2019` or `no` is a name. Anchors,
//! aliases and merge keys are followed.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use saphyr_parser::{Event, Parser};

use crate::panics::panic_as_error;

/// Nodes of a tree, those counted that an alias repeats: a few lines of aliases can stand for more
/// than any memory.
const MOST_NODES: usize = 1 << 20;
const DEEPEST: usize = 64;

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Yaml {
    Nothing,
    Text(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// Reads the first document of a text.
    ///
    /// # Errors
    /// What is no YAML; a key that is no text or stands twice; a tree that is too large.
    pub fn read(text: &str) -> Result<Self> {
        panic_as_error(
            || TreeBuilder::default().read(text),
            |words| format!("it makes the YAML parser panic ({words})"),
        )
    }

    /// The value of a key of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value)
                .filter(|value| **value != Self::Nothing),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Nodes and depth.
    fn measure(&self) -> (usize, usize) {
        let of_all = |below: &mut dyn Iterator<Item = &Self>| {
            below.fold((1, 1), |(nodes, depth), node| {
                let (more, down) = node.measure();
                (nodes + more, depth.max(down + 1))
            })
        };
        match self {
            Self::Nothing | Self::Text(_) => (1, 1),
            Self::List(items) => of_all(&mut items.iter()),
            Self::Map(entries) => of_all(&mut entries.iter().map(|(_, value)| value)),
        }
    }
}

/// A list or map that is not at its end.
enum OpenNode {
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>, Option<String>),
}

#[derive(Default)]
struct TreeBuilder {
    open: Vec<(OpenNode, usize)>,
    /// What an anchor names, with its nodes and its depth.
    anchors: HashMap<usize, (Yaml, usize, usize)>,
    nodes: usize,
    root: Option<Yaml>,
}

impl TreeBuilder {
    fn read(mut self, text: &str) -> Result<Yaml> {
        for event in Parser::new_from_str(text) {
            let (event, _) = event.context("it is not YAML")?;
            match event {
                Event::Scalar(text, style, anchor, _) => {
                    let empty = ["", "~", "null", "Null", "NULL"].contains(&&*text);
                    let plain = style == saphyr_parser::ScalarStyle::Plain;
                    let node = if plain && empty {
                        Yaml::Nothing
                    } else {
                        Yaml::Text(text.into_owned())
                    };
                    self.add(node, anchor, 1)?;
                }
                Event::Alias(anchor) => {
                    let (node, nodes, depth) = self
                        .anchors
                        .get(&anchor)
                        .context("it has an alias of what is not complete")?
                        .clone();
                    ensure!(
                        self.open.len() + depth <= DEEPEST,
                        "it is more than {DEEPEST} levels deep"
                    );
                    self.add(node, 0, nodes)?;
                }
                Event::SequenceStart(anchor, _) => self.begin(OpenNode::List(vec![]), anchor)?,
                Event::MappingStart(anchor, _) => {
                    self.begin(OpenNode::Map(vec![], None), anchor)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.end()?,
                Event::DocumentEnd | Event::StreamEnd => break,
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
            }
        }
        Ok(self.root.unwrap_or(Yaml::Nothing))
    }

    fn begin(&mut self, node: OpenNode, anchor: usize) -> Result<()> {
        ensure!(
            self.open.len() < DEEPEST,
            "it is more than {DEEPEST} levels deep"
        );
        self.open.push((node, anchor));
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        let node = match self.open.pop() {
            Some((OpenNode::List(items), anchor)) => (Yaml::List(items), anchor),
            Some((OpenNode::Map(entries, _), anchor)) => (Yaml::Map(merged(entries)), anchor),
            None => bail!("it is not YAML"),
        };
        self.add(node.0, node.1, 1)
    }

    /// Puts a complete node where it belongs; `nodes` are those that it adds.
    fn add(&mut self, node: Yaml, anchor: usize, nodes: usize) -> Result<()> {
        self.nodes += nodes;
        ensure!(
            self.nodes <= MOST_NODES,
            "it has more than {MOST_NODES} values"
        );
        if anchor > 0 {
            let (nodes, depth) = node.measure();
            self.nodes += nodes;
            self.anchors.insert(anchor, (node.clone(), nodes, depth));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some((OpenNode::List(items), _)) => items.push(node),
            Some((OpenNode::Map(entries, key), _)) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => {
                    let name = match node {
                        Yaml::Text(name) => name,
                        Yaml::Nothing => String::new(),
                        _ => bail!("it has a key that is no text"),
                    };
                    ensure!(
                        name == MERGE || !entries.iter().any(|(known, _)| *known == name),
                        "it has the key {name:?} twice in one place"
                    );
                    *key = Some(name);
                }
            },
        }
        Ok(())
    }
}

/// The key whose maps' entries stand in the map itself, behind its own.
const MERGE: &str = "<<";

fn merged(entries: Vec<(String, Yaml)>) -> Vec<(String, Yaml)> {
    let (merges, mut own): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(key, _)| key == MERGE);
    for (_, value) in merges {
        let maps = match value {
            Yaml::List(maps) => maps,
            one => vec![one],
        };
        for map in maps {
            let Yaml::Map(more) = map else { continue };
            for (key, value) in more {
                if !own.iter().any(|(known, _)| *known == key) {
                    own.push((key, value));
                }
            }
        }
    }
    own
}

#[cfg(test)]
#[path = "card_yaml_tests.rs"]
mod tests;
