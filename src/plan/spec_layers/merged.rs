//! Layers as one tree, in which every value knows the layer that set it.

use figment::value::{Dict, Map, Num, Tag, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::super::diagnostics::Place;
use super::super::schema;
use super::super::source::{Content, SpecNode, key_text};
use super::{On, Origin, PathStep, SpecLayer};

/// Layers as one tree.
#[derive(Debug)]
pub struct Merged {
    /// Lowest first; only the keys that the rule of variants leaves.
    pub layers: Vec<SpecLayer>,
    pub values: Dict,
    figment: Figment,
}

impl Merged {
    pub(super) fn new(mut layers: Vec<SpecLayer>) -> Self {
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
            figment = figment.merge(FigmentLayer { layer, index });
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
        self.layers.get(self.rank_of(value)?)
    }

    /// How high in the order of the layers the one is that set the value at `path`.
    pub fn rank(&self, path: &[PathStep]) -> Option<usize> {
        self.rank_of(self.find(path)?)
    }

    fn rank_of(&self, value: &Value) -> Option<usize> {
        self.figment
            .get_metadata(value.tag())?
            .source
            .as_ref()?
            .custom()?
            .parse()
            .ok()
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
                    format!("{} = {}", key_text(key), self.toml(&below))
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
struct FigmentLayer<'a> {
    layer: &'a SpecLayer,
    index: usize,
}

impl Provider for FigmentLayer<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.layer.name.clone())
            .source(figment::Source::Custom(self.index.to_string()))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(
            Profile::Default,
            figment_dict(self.layer.root.entries()),
        )]))
    }
}

fn figment_dict(entries: &[(String, SpecNode)]) -> Dict {
    entries
        .iter()
        .map(|(key, node)| (key.clone(), figment_value(node)))
        .collect()
}

/// A node as figment takes it; figment itself sets the tag when the layer is merged.
fn figment_value(node: &SpecNode) -> Value {
    let tag = Tag::Default;
    match &node.content {
        Content::Table(entries) => Value::Dict(tag, figment_dict(entries)),
        Content::List(elements) => Value::Array(tag, elements.iter().map(figment_value).collect()),
        Content::String(text) => Value::String(tag, text.clone()),
        Content::Integer(number) => Value::Num(tag, Num::I64(*number)),
        Content::Float(number) => Value::Num(tag, Num::F64(*number)),
        Content::Boolean(truth) => Value::Bool(tag, *truth),
    }
}
