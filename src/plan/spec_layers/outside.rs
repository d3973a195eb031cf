//! What reaches a spec from outside its files: environment variables and `--set`.

use std::path::Path;

use super::super::diagnostics::{Diagnostic, Place, similar};
use super::super::planned::Overrides;
use super::super::source::{SpecNode, SpecText};
use super::{On, Origin, SpecLayer};

/// The layers of the environment and of `--set`.
#[derive(Debug, Default)]
pub(super) struct OutsideLayers {
    /// The environment by name, then `--set` in order.
    pub layers: Vec<SpecLayer>,
    /// The arm that `--set arm=NAME` chooses.
    pub arm: Option<(String, Place)>,
}

/// Reads the environment and the arguments.
pub(super) fn read_outside(options: &Overrides, mistakes: &mut Vec<Diagnostic>) -> OutsideLayers {
    let mut outside = OutsideLayers::default();
    let mut variables: Vec<&(String, String)> = options.environment.iter().collect();
    variables.sort();
    for (name, value) in variables {
        let Some(key) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if !key.contains("__") {
            mistakes.extend(no_variable(name, value, &options.working_folder));
            continue;
        }
        match read_variable(name, value, &options.working_folder) {
            Ok(layer) => outside.layers.push(layer),
            Err(more) => mistakes.extend(more),
        }
    }
    for argument in &options.set {
        match read_set(argument, &options.working_folder) {
            Ok(layer) => match layer.root.get("arm") {
                Some(node) => outside.arm = Some((node.text(), layer.place(node, On::Value))),
                None => outside.layers.push(layer),
            },
            Err(more) => mistakes.extend(more),
        }
    }
    for layer in &outside.layers {
        if let Some(node) = layer.root.get("extends") {
            mistakes.push(
                Diagnostic::new("extends can be set in a spec only")
                    .at(layer.place(node, On::Key))
                    .hint("write extends = \"base.toml\" in the spec"),
            );
        }
    }
    outside
}

/// What the names of all variables of kdpipe begin with.
pub const PREFIX: &str = "KDPIPE_";
/// Variables of kdpipe that are no keys of a spec; those of its tests begin with `TESTS`.
const OWN_VARIABLES: [&str; 5] = [
    "KDPIPE_CACHE",
    "KDPIPE_MEMORY",
    "KDPIPE_BF16",
    "KDPIPE_FAULT",
    "KDPIPE_LOG",
];
const TESTS: &str = "KDPIPE_TEST_";
/// Those of them that are a user's to set, without their prefix.
const OFFERED: [&str; 3] = ["CACHE", "MEMORY", "BF16"];

/// A variable that is none of kdpipe's: it would do nothing.
fn no_variable(name: &str, value: &str, working_folder: &Path) -> Option<Diagnostic> {
    if OWN_VARIABLES.contains(&name) || name.starts_with(TESTS) {
        return None;
    }
    // What all of them begin with makes none like another.
    let own = &name[PREFIX.len()..];
    let hint = match (similar(own, OFFERED), own.split_once('_')) {
        (Some(near), _) => format!("write {PREFIX}{near}"),
        (None, Some((table, key))) => format!(
            "two underscores stand for the dot of a key: write {PREFIX}{table}__{key} for {}",
            format!("{table}.{key}").to_lowercase()
        ),
        (None, None) => format!("unset it, or write --set {}=…", own.to_lowercase()),
    };
    let source = SpecText::new("environment", format!("{name}={value}"), working_folder);
    Some(
        Diagnostic::new(format!(
            "{name} is no variable of kdpipe, and would do nothing"
        ))
        .at(source.place(0..name.len()))
        .hint(hint),
    )
}

/// `KDPIPE_TRAIN__STEPS=10`: every `__` between two names is the dot of a key.
fn read_variable(
    name: &str,
    value: &str,
    working_folder: &Path,
) -> Result<SpecLayer, Vec<Diagnostic>> {
    let path: Vec<_> = name[PREFIX.len()..]
        .split("__")
        .map(|key| (key.to_lowercase(), 0..name.len()))
        .collect();
    let source = SpecText::new("environment", format!("{name}={value}"), working_folder);
    let node = source.parse_assigned(0..name.len(), name.len() + 1..source.text.len())?;
    Ok(SpecLayer {
        root: SpecNode::nested(&path, node),
        source,
        origin: Origin::Environment,
        name: format!("the environment's {name}"),
    })
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
