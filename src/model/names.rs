//! Names of stored arrays: which belong to a GPT-2's language model, which are left out, and what
//! is wrong with those that are there, in words.

use std::collections::BTreeMap;

use super::Config;

/// The prefix that a model with a head puts in front of the names of its body.
const PREFIX: &str = "transformer.";
/// What the names of a GPT-2's own arrays begin with, without the prefix.
const PARTS: [&str; 5] = ["h", "wte", "wpe", "ln_f", "lm_head"];
/// Faults, or names, that one message holds.
const MOST: usize = 3;

/// What a stored array is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrayKind<'a> {
    /// Part of a GPT-2, or so named, under its name without the prefix.
    Own(&'a str),
    /// A causal mask, which old versions of transformers stored beside the weights of every block.
    Mask,
    /// Of another head, or of whatever else was saved with the model.
    Foreign,
}

/// What the array of this name is. A name that looks like part of a GPT-2 is one, whether or not
/// the config asks for it: what is in a block, or beyond the last, changes what the model computes,
/// and is nothing to leave out.
pub fn kind(written: &str) -> ArrayKind<'_> {
    let name = written.strip_prefix(PREFIX).unwrap_or(written);
    if name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") {
        return ArrayKind::Mask;
    }
    let first = name.split_once('.').map_or(name, |(first, _)| first);
    if written.starts_with(PREFIX) || PARTS.contains(&first) {
        ArrayKind::Own(name)
    } else {
        ArrayKind::Foreign
    }
}

/// What a wrapper put in front of all names, if it did: torch.compile, DataParallel, a reward
/// model.
pub fn wrapper<'a>(foreign: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    foreign.into_iter().find_map(|name| {
        let before = name.strip_suffix("ln_f.weight")?;
        Some(before.strip_suffix(PREFIX).unwrap_or(before))
    })
}

/// What is missing, misshapen or too much, in words, against what `config` asks for.
pub fn shape_faults<'a>(
    config: &Config,
    found: impl Iterator<Item = (&'a str, &'a [usize])>,
) -> Vec<String> {
    let mut found: BTreeMap<&str, &[usize]> = found.collect();
    let mut faults = Vec::new();
    let deepest = found.keys().filter_map(|name| block(name)).max();
    if let Some(deepest) = deepest.filter(|&deepest| deepest >= config.layers) {
        faults.push(format!(
            "the weights have blocks up to h.{deepest}, and n_layer = {} in config.json",
            config.layers
        ));
        found.retain(|name, _| block(name).is_none_or(|at| at < config.layers));
    }
    for (name, shape) in config.shapes() {
        match found.remove(name.as_str()) {
            None => faults.push(format!("{name} {shape:?} is missing")),
            Some(there) if there != shape => faults.push(format!(
                "{name} has shape {there:?}, config.json asks for {shape:?}"
            )),
            Some(_) => {}
        }
    }
    faults.extend(found.into_iter().map(|(name, shape)| {
        format!(
            "{} {shape:?} is not part of this GPT-2",
            name.escape_debug()
        )
    }));
    faults
}

/// The number of the block that an array belongs to.
fn block(name: &str) -> Option<usize> {
    name.strip_prefix("h.")?.split_once('.')?.0.parse().ok()
}

/// The first of them, and how many more there are.
pub fn listed(words: &[String], between: &str) -> String {
    let shown = words[..words.len().min(MOST)].join(between);
    match words.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown}{between}and {more} more"),
    }
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
