//! Specs as text: the starter that `init` writes, and a resolved run's own.

use anyhow::{Context, Result};

use super::run::RunSpec;

/// A commented spec to start from.
pub const STARTER: &str = include_str!("starter.toml");

/// A resolved run as a spec of its own: complete, with input paths as the user wrote them, so it
/// runs alone when it is put beside the original.
///
/// # Errors
/// Values that TOML cannot hold.
pub fn run_spec_toml(spec: &RunSpec) -> Result<String> {
    toml::to_string(spec).context("a resolved run cannot be written as TOML")
}
