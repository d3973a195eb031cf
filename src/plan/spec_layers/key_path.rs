//! The way to a value of a spec, step by step.

use super::super::source::key_text;

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
                out.push_str(&key_text(key));
            }
            PathStep::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
    out
}

/// The way that a dotted key of plain names says, as `train.betas[0]`.
pub fn key_path(key: &str) -> Vec<PathStep> {
    let mut path = Vec::new();
    for part in key.split('.') {
        let (name, index) = part
            .strip_suffix(']')
            .and_then(|part| part.split_once('['))
            .and_then(|(name, index)| Some((name, index.parse().ok()?)))
            .map_or((part, None), |(name, index)| (name, Some(index)));
        path.push(PathStep::Key(name.to_owned()));
        path.extend(index.map(PathStep::Index));
    }
    path
}
