//! The layers of a spec, lowest first: defaults, the chain of `extends`, the spec, then for a cell
//! its arm and its axes, the environment, `--set`.
//!
//! figment merges them key by key and knows for every value which layer it came from; this module
//! gives it trees with places, and applies the rule of variants before: a layer that sets the tag
//! of a table drops from the layers below the keys that the new variant has not.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use figment::value::{Dict, Map, Num, Tag, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::diagnostics::{Diagnostic, Diagnostics, Place};
use super::planned::Overrides;
use super::schema;
use super::source::{Content, SpecNode, SpecText};

/// The lowest layer: every key with its default.
pub const DEFAULTS: &str = include_str!("../../pipelines/default.toml");

/// Longest chain of `extends`.
const LONGEST_CHAIN: usize = 32;

/// Tables that belong to the study, not to a run.
pub const STUDY: [&str; 6] = ["extends", "pipeline", "arms", "grid", "report", "expect"];

/// Where a layer stands in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Defaults,
    File,
    Arm,
    Axis,
    Environment,
    Set,
}

/// A tree of keys from one place.
#[derive(Debug, Clone)]
pub struct SpecLayer {
    pub source: Arc<SpecText>,
    pub root: SpecNode,
    pub origin: Origin,
    /// As `explain` shows it.
    pub name: String,
}

/// A step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathStep {
    Key(String),
    Index(usize),
}

/// The way to a value, as `train.betas[0]`.
pub fn dotted(path: &[PathStep]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            PathStep::Key(key) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(&super::source::key_text(key));
            }
            PathStep::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
    out
}

/// The way that a dotted key of plain names says.
pub fn way(key: &str) -> Vec<PathStep> {
    key.split('.')
        .map(|name| PathStep::Key(name.to_owned()))
        .collect()
}

impl SpecLayer {
    /// The node at `path`.
    pub fn find(&self, path: &[PathStep]) -> Option<&SpecNode> {
        path.iter()
            .try_fold(&self.root, |node, step| match (step, &node.content) {
                (PathStep::Key(key), Content::Table(_)) => node.get(key),
                (PathStep::Index(index), Content::List(elements)) => elements.get(*index),
                _ => None,
            })
    }

    /// The place of a node of this layer.
    pub fn place(&self, node: &SpecNode, on: On) -> Place {
        self.source.place(match on {
            On::Key => node.key.clone(),
            On::Value => node.value.clone(),
        })
    }
}

/// Which part of an entry is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    Key,
    Value,
}

/// The layers that every cell shares.
#[derive(Debug)]
pub struct Stack {
    /// The defaults, the chain of `extends` from its end, the spec.
    pub files: Vec<SpecLayer>,
    /// The environment by name, then `--set` in order.
    pub outside: Vec<SpecLayer>,
    /// The arm that `--set arm=NAME` chooses.
    pub arm: Option<(String, Place)>,
}

impl Stack {
    /// Reads the spec, what it extends, the environment and `--set`.
    ///
    /// # Errors
    /// Files that cannot be read, text that is not TOML, a circle of `extends`.
    pub fn load(spec: &Path, options: &Overrides) -> Result<Self, Diagnostics> {
        let mut wrong = Vec::new();
        let mut files = read_chain(spec, &mut wrong);
        let mut outside = Vec::new();
        let mut variables: Vec<_> = options
            .environment
            .iter()
            .filter(|(name, _)| sets_a_key(name))
            .collect();
        variables.sort();
        for (name, value) in variables {
            let keys: Vec<String> = name["KDPIPE_".len()..]
                .split("__")
                .map(str::to_lowercase)
                .collect();
            let path = keys
                .into_iter()
                .map(|key| (key, 0..name.len()))
                .collect::<Vec<_>>();
            let source = SpecText::new(
                "environment",
                format!("{name}={value}"),
                &options.working_folder,
            );
            match source.parse_assigned(0..name.len(), name.len() + 1..source.text.len()) {
                Ok(node) => outside.push(SpecLayer {
                    root: SpecNode::nested(&path, node),
                    source,
                    origin: Origin::Environment,
                    name: format!("the environment's {name}"),
                }),
                Err(more) => wrong.extend(more),
            }
        }
        let mut arm = None;
        for argument in &options.set {
            match read_set(argument, &options.working_folder) {
                Ok(layer) => match layer.root.get("arm") {
                    Some(node) => arm = Some((node.text(), layer.place(node, On::Value))),
                    None => outside.push(layer),
                },
                Err(more) => wrong.extend(more),
            }
        }
        for layer in &outside {
            if let Some(node) = layer.root.get("extends") {
                let message = "extends can be set in a spec only";
                wrong.push(
                    Diagnostic::new(message)
                        .at(layer.place(node, On::Key))
                        .hint("write extends = \"base.toml\" in the spec"),
                );
            }
        }
        if !wrong.is_empty() {
            return Err(Diagnostics(wrong).tidy());
        }
        if files
            .iter()
            .skip(1)
            .any(|file| file.root.get("loss").is_some())
            && let Content::Table(entries) = &mut files[0].root.content
        {
            entries.retain(|(key, _)| key != "loss");
        }
        Ok(Self {
            files,
            outside,
            arm,
        })
    }

    /// The spec itself.
    pub fn spec(&self) -> &SpecLayer {
        &self.files[self.files.len() - 1]
    }

    /// The keys of the study as a whole, merged.
    pub fn study(&self) -> Merged {
        let layers = self
            .files
            .iter()
            .chain(&self.outside)
            .map(|layer| layer.only(|key| STUDY.contains(&key)))
            .collect();
        Merged::new(layers)
    }

    /// The names of the arms in the order of the files.
    pub fn arms(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for layer in self.files.iter().chain(&self.outside) {
            for (name, _) in layer.root.get("arms").map_or(&[][..], SpecNode::entries) {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        names
    }

    /// The keys of a run, merged: with an arm, and with the values of a cell's axes.
    pub fn run(&self, arm: Option<&str>, axes: &[SpecLayer]) -> Merged {
        let run_keys = |layer: &SpecLayer| layer.only(|key| !STUDY.contains(&key));
        let arm_of = |layer: &SpecLayer| {
            let root = layer.root.get("arms")?.get(arm?)?.clone();
            let name = format!("arm {} of {}", arm?, layer.name);
            Some(SpecLayer {
                source: layer.source.clone(),
                root,
                origin: Origin::Arm,
                name,
            })
        };
        let mut layers: Vec<SpecLayer> = self.files.iter().map(run_keys).collect();
        layers.extend(self.files.iter().chain(&self.outside).filter_map(arm_of));
        layers.extend(axes.iter().cloned());
        layers.extend(self.outside.iter().map(run_keys));
        Merged::new(layers)
    }
}

/// Environment names with `__` after the prefix set keys; the others are settings.
fn sets_a_key(name: &str) -> bool {
    name.strip_prefix("KDPIPE_")
        .is_some_and(|rest| rest.contains("__"))
}

/// The defaults and the files from the end of the chain to the spec.
fn read_chain(spec: &Path, wrong: &mut Vec<Diagnostic>) -> Vec<SpecLayer> {
    let mut chain: Vec<SpecLayer> = Vec::new();
    let mut seen: Vec<(PathBuf, String)> = Vec::new();
    let mut next = Some((spec.to_path_buf(), None));
    while let Some((path, place)) = next.take() {
        let identity = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        let shown = path.display().to_string();
        if let Some(first) = seen.iter().position(|(earlier, _)| *earlier == identity) {
            let circle: Vec<&str> = seen[first..]
                .iter()
                .map(|(_, name)| name.as_str())
                .chain([shown.as_str()])
                .collect();
            let message = format!("extends goes round in a circle: {}", circle.join(" -> "));
            wrong.push(
                Diagnostic::new(message)
                    .at(place)
                    .hint("a spec at the end of the chain extends nothing"),
            );
            break;
        }
        if seen.len() >= LONGEST_CHAIN {
            wrong.push(
                Diagnostic::new(format!(
                    "extends is a chain of more than {LONGEST_CHAIN} files"
                ))
                .at(place),
            );
            break;
        }
        seen.push((identity, shown));
        let source = match SpecText::read(&path) {
            Ok(source) => source,
            Err(one) => {
                // A file that is not there is a mistake of the line that names it; what is wrong
                // inside a file is not.
                wrong.push(match &place {
                    Some(place) if one.place.is_none() => one
                        .at(place.clone())
                        .hint("extends is a path from the folder of the file that it stands in"),
                    _ => *one,
                });
                break;
            }
        };
        match source.parse() {
            Err(more) => {
                wrong.extend(more);
                break;
            }
            Ok(root) => {
                if let Some(node) = root.get("extends") {
                    let place = source.place(node.value.clone());
                    match &node.content {
                        Content::String(base) if !base.is_empty() => {
                            next = Some((source.base.join(base), Some(place)))
                        }
                        _ => wrong.push(
                            Diagnostic::new("extends is not the path of a spec")
                                .at(place)
                                .hint("write extends = \"base.toml\""),
                        ),
                    }
                }
                chain.push(SpecLayer {
                    name: source.name.clone(),
                    source,
                    root,
                    origin: Origin::File,
                });
            }
        }
    }
    chain.push(defaults());
    chain.reverse();
    chain
}

/// The embedded defaults.
fn defaults() -> SpecLayer {
    static ROOT: LazyLock<(Arc<SpecText>, SpecNode)> = LazyLock::new(|| {
        let source = SpecText::new("pipelines/default.toml", DEFAULTS, Path::new(""));
        let root = source
            .parse()
            .expect("the embedded defaults are TOML, as a test shows");
        (source, root)
    });
    let (source, root) = &*ROOT;
    SpecLayer {
        source: source.clone(),
        root: root.clone(),
        origin: Origin::Defaults,
        name: "the defaults".to_owned(),
    }
}

/// `key=value`, with dotted keys.
fn read_set(argument: &str, working_folder: &Path) -> Result<SpecLayer, Vec<Diagnostic>> {
    let source = SpecText::new("--set", argument, working_folder);
    let malformed = || {
        let place = source.place(0..argument.len());
        vec![
            Diagnostic::new("--set takes key=value")
                .at(place)
                .hint("write --set train.steps=10"),
        ]
    };
    let equals = argument.find('=').ok_or_else(malformed)?;
    let keys = toml_edit::Key::parse(argument[..equals].trim()).map_err(|_| malformed())?;
    let key = 0..argument[..equals].trim_end().len();
    let path: Vec<_> = keys
        .iter()
        .map(|name| (name.get().to_owned(), key.clone()))
        .collect();
    let node = source.parse_assigned(key.clone(), equals + 1..argument.len())?;
    Ok(SpecLayer {
        root: SpecNode::nested(&path, node),
        origin: Origin::Set,
        name: format!("--set {argument}"),
        source,
    })
}

impl SpecLayer {
    /// The same with some of its keys.
    fn only(&self, keep: impl Fn(&str) -> bool) -> SpecLayer {
        let entries = self
            .root
            .entries()
            .iter()
            .filter(|(key, _)| keep(key))
            .cloned()
            .collect();
        SpecLayer {
            root: SpecNode {
                content: Content::Table(entries),
                ..self.root.clone()
            },
            ..self.clone()
        }
    }
}

/// Layers as one tree.
#[derive(Debug)]
pub struct Merged {
    /// Lowest first; only the keys that the rule of variants leaves.
    pub layers: Vec<SpecLayer>,
    pub values: Dict,
    figment: Figment,
}

impl Merged {
    fn new(mut layers: Vec<SpecLayer>) -> Self {
        let schema = schema::layered();
        for lower in 0..layers.len() {
            let (below, above) = layers.split_at_mut(lower + 1);
            let this = &mut below[lower];
            if this.origin == Origin::Defaults {
                // Defaults belong to variants: those of the variant that is chosen in the end
                // stand, whatever was chosen in between.
                let mut last = SpecNode {
                    content: Content::Table(Vec::new()),
                    ..this.root.clone()
                };
                above
                    .iter()
                    .for_each(|layer| overlay(&mut last, &layer.root));
                schema::drop_foreign(schema, &mut this.root, &last);
            } else {
                above
                    .iter()
                    .for_each(|layer| schema::drop_foreign(schema, &mut this.root, &layer.root));
            }
        }
        let mut figment = Figment::new();
        for (index, layer) in layers.iter().enumerate() {
            figment = figment.merge(Indexed { layer, index });
        }
        let values = figment
            .data()
            .ok()
            .and_then(|mut profiles| profiles.remove(&Profile::Default))
            .unwrap_or_default();
        Self {
            layers,
            values,
            figment,
        }
    }

    /// The layer that a value came from.
    pub fn layer_of(&self, value: &Value) -> Option<&SpecLayer> {
        let index = self
            .figment
            .get_metadata(value.tag())?
            .source
            .as_ref()?
            .custom()?
            .parse::<usize>()
            .ok()?;
        self.layers.get(index)
    }

    /// The value at `path`.
    pub fn find(&self, path: &[PathStep]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        let PathStep::Key(first) = first else {
            return None;
        };
        rest.iter()
            .try_fold(self.values.get(first)?, |value, step| match (step, value) {
                (PathStep::Key(key), Value::Dict(_, dict)) => dict.get(key),
                (PathStep::Index(index), Value::Array(_, elements)) => elements.get(*index),
                _ => None,
            })
    }

    /// The layer that set the value at `path`, and what stands there.
    pub fn origin(&self, path: &[PathStep]) -> Option<(&SpecLayer, &SpecNode)> {
        let layer = self.layer_of(self.find(path)?)?;
        Some((layer, layer.find(path)?))
    }

    /// The value at `path` as TOML on one line; keys of a table that came from several layers
    /// together.
    pub fn toml(&self, path: &[PathStep]) -> String {
        match self.find(path) {
            Some(Value::Dict(_, dict)) => {
                let entries = dict.keys().map(|key| {
                    let mut below = path.to_vec();
                    below.push(PathStep::Key(key.clone()));
                    format!("{} = {}", super::source::key_text(key), self.toml(&below))
                });
                format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
            }
            Some(_) => self
                .origin(path)
                .map(|(_, node)| node.toml())
                .unwrap_or_default(),
            None => String::new(),
        }
    }

    /// Where the value at `path` was set; of a value that is not there, the table around it.
    pub fn place(&self, path: &[PathStep], on: On) -> Option<Place> {
        let mut path = path;
        let mut on = on;
        loop {
            if let Some((layer, node)) = self.origin(path) {
                return Some(layer.place(node, on));
            }
            path = path.split_last()?.1;
            on = On::Key;
        }
    }
}

/// Puts `upper` on `lower` key by key.
fn overlay(lower: &mut SpecNode, upper: &SpecNode) {
    match (&mut lower.content, &upper.content) {
        (Content::Table(below), Content::Table(above)) => {
            for (key, node) in above {
                match below.iter_mut().find(|(name, _)| name == key) {
                    Some((_, known)) => overlay(known, node),
                    None => below.push((key.clone(), node.clone())),
                }
            }
        }
        _ => *lower = upper.clone(),
    }
}

/// A layer as figment takes it.
struct Indexed<'a> {
    layer: &'a SpecLayer,
    index: usize,
}

impl Provider for Indexed<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.layer.name.clone())
            .source(figment::Source::Custom(self.index.to_string()))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(
            Profile::Default,
            dict(self.layer.root.entries()),
        )]))
    }
}

fn dict(entries: &[(String, SpecNode)]) -> Dict {
    entries
        .iter()
        .map(|(key, node)| (key.clone(), value(node)))
        .collect()
}

/// The tag is set by figment when the layer is merged.
fn value(node: &SpecNode) -> Value {
    let tag = Tag::Default;
    match &node.content {
        Content::Table(entries) => Value::Dict(tag, dict(entries)),
        Content::List(elements) => Value::Array(tag, elements.iter().map(value).collect()),
        Content::String(text) => Value::String(tag, text.clone()),
        Content::Integer(number) => Value::Num(tag, Num::I64(*number)),
        Content::Float(number) => Value::Num(tag, Num::F64(*number)),
        Content::Boolean(truth) => Value::Bool(tag, *truth),
    }
}
