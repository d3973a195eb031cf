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

/// The way that a dotted key of plain names says.
pub fn key_path(key: &str) -> Vec<PathStep> {
    key.split('.')
        .map(|name| PathStep::Key(name.to_owned()))
        .collect()
}
