//! The layers of a spec, lowest first: defaults, the chain of `extends`, the spec, then for a cell
//! its arm and its axes, the environment, `--set`.
//!
//! [`Stack::load`] reads the layers that every cell shares; [`Stack::run`] and [`Stack::study`]
//! merge them. figment merges key by key and knows for every value which layer it came from;
//! [`Merged`] gives its trees places, and applies the rule of variants before: a layer that sets
//! the tag of a table drops from the layers below the keys that the new variant has not.

mod chain;
mod key_path;
mod merged;
mod outside;

use std::path::Path;
use std::sync::Arc;

use super::diagnostics::{Diagnostics, Place};
use super::frozen::{FrozenLayer, FrozenOrigin, FrozenSpec};
use super::planned::Overrides;
use super::source::{Content, SpecNode, SpecText};

use chain::{frozen_chain, read_chain};
pub use outside::PREFIX;
use outside::read_outside;

pub use chain::DEFAULTS;
pub use key_path::{PathStep, dotted, key_path};
pub use merged::Merged;

/// Tables that belong to the study, not to a run.
pub const STUDY_TABLES: [&str; 7] = [
    "extends", "pipeline", "arms", "grid", "select", "report", "expect",
];

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

impl Origin {
    /// Whether a value comes from an axis, the environment or `--set`, and not from a file: such a
    /// value may be meant for some of the cells only.
    pub fn is_override(self) -> bool {
        match self {
            Self::Axis | Self::Environment | Self::Set => true,
            Self::Defaults | Self::File | Self::Arm => false,
        }
    }
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

    /// The same with some of its keys.
    fn with_keys(&self, keep: impl Fn(&str) -> bool) -> SpecLayer {
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

/// Which part of an entry is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    Key,
    Value,
}

/// The layers that every cell shares.
#[derive(Debug, Clone)]
pub struct Stack {
    /// The defaults, the chain of `extends` from its end, the spec.
    pub files: Vec<SpecLayer>,
    /// The environment by name, then `--set` in order.
    pub outside: Vec<SpecLayer>,
    /// The arm that `--set arm=NAME` chooses.
    pub arm: Option<(String, Place)>,
    /// What the spec was frozen from, where it is a frozen one.
    pub frozen_from: Option<FrozenOrigin>,
}

impl Stack {
    /// Reads the spec, what it extends, the environment and `--set`.
    ///
    /// # Errors
    /// Files that cannot be read, text that is not TOML, a circle of `extends`.
    pub fn load(spec: &Path, options: &Overrides) -> Result<Self, Diagnostics> {
        let mut mistakes = Vec::new();
        let frozen = FrozenSpec::read(spec)?;
        let (mut files, outside) = match &frozen {
            None => (
                read_chain(spec, &mut mistakes),
                read_outside(options, &mut mistakes),
            ),
            Some(frozen) => (
                frozen_chain(frozen, &mut mistakes),
                read_outside(&frozen.overrides(options), &mut mistakes),
            ),
        };
        if !mistakes.is_empty() {
            return Err(Diagnostics(mistakes).sorted());
        }
        // The losses of the defaults stand only where no file names any.
        let names_losses = |file: &SpecLayer| file.root.get("loss").is_some();
        if files.iter().skip(1).any(names_losses)
            && let Content::Table(entries) = &mut files[0].root.content
        {
            entries.retain(|(key, _)| key != "loss");
        }
        Ok(Self {
            files,
            outside: outside.layers,
            arm: outside.arm,
            frozen_from: frozen.map(|frozen| frozen.origin),
        })
    }

    /// The files, with folders of their own wherever they are read again from.
    pub fn frozen_layers(&self, working_folder: &Path) -> Vec<FrozenLayer> {
        let files = self.files.iter().filter(|file| file.origin == Origin::File);
        let layer = |file: &SpecLayer| FrozenLayer {
            name: file.source.name.clone(),
            base: working_folder.join(&file.source.base),
            text: file.source.text.clone(),
        };
        files.map(layer).collect()
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
            .map(|layer| layer.with_keys(|key| STUDY_TABLES.contains(&key)))
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
        let run_keys = |layer: &SpecLayer| layer.with_keys(|key| !STUDY_TABLES.contains(&key));
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
