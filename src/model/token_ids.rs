//! The ids that a model's folder has for tokens with a meaning: what begins a text, ends it, fills
//! it up. They change no prediction, but where a generated text ends.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

/// Names of the ids in config.json and generation_config.json.
const NAMES: [&str; 3] = ["bos_token_id", "eos_token_id", "pad_token_id"];
const BEGIN: &str = NAMES[0];
const END: &str = NAMES[1];
const PAD: &str = NAMES[2];

/// Longer files are none of these.
const LARGEST: u64 = 1 << 20;

/// The ids of a folder, as they are written there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TokenIds {
    /// Those of config.json.
    config: Map<String, Value>,
    /// All of generation_config.json, where there is one.
    generation: Option<Map<String, Value>>,
}

impl TokenIds {
    /// Reads a model's folder.
    ///
    /// # Errors
    /// A file that cannot be read, or is no JSON object.
    pub fn read(folder: &Path) -> Result<Self> {
        let config = object(&folder.join("config.json"))?.unwrap_or_default();
        let is_id =
            |(name, value): &(String, Value)| NAMES.contains(&name.as_str()) && !value.is_null();
        Ok(Self {
            config: config.into_iter().filter(is_id).collect(),
            generation: object(&folder.join("generation_config.json"))?,
        })
    }

    /// The tokens that end a generated text, as transformers has it: those of
    /// generation_config.json where that is there, else those of config.json. Empty where neither
    /// names one.
    pub fn stops(&self) -> Vec<u32> {
        ids(self.rules().get(END))
    }

    /// Whether generation_config.json names other tokens that end a text than config.json.
    pub fn differ(&self) -> bool {
        self.generation.is_some() && self.stops() != ids(self.config.get(END))
    }

    /// The token that begins a text.
    pub fn begin(&self) -> Option<u32> {
        ids(self.rules().get(BEGIN)).first().copied()
    }

    fn rules(&self) -> &Map<String, Value> {
        self.generation.as_ref().unwrap_or(&self.config)
    }

    /// config.json of a student of this model: its ids instead of those that are there.
    pub fn put_into_config(&self, config: &mut Value) {
        for (name, value) in &self.config {
            config[name] = value.clone();
        }
    }

    /// generation_config.json of a student of this model: the model's own, else the ids of its
    /// config.json, `end` where it has none.
    pub fn generation(&self, end: u32) -> Value {
        if let Some(own) = &self.generation {
            return Value::Object(own.clone());
        }
        let or_end = |name: &str| self.config.get(name).cloned().unwrap_or(json!(end));
        let pad = self.config.get(PAD).cloned();
        json!({
            BEGIN: or_end(BEGIN),
            END: or_end(END),
            PAD: pad.unwrap_or_else(|| match or_end(END) {
                Value::Array(list) => list.first().cloned().unwrap_or(json!(end)),
                one => one,
            }),
        })
    }
}

/// One id, or several.
fn ids(value: Option<&Value>) -> Vec<u32> {
    let id = |value: &Value| u32::try_from(value.as_u64()?).ok();
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(id).collect(),
        other => other.and_then(id).into_iter().collect(),
    }
}

fn object(path: &Path) -> Result<Option<Map<String, Value>>> {
    let length = match std::fs::metadata(path) {
        Ok(found) if found.is_file() => found.len(),
        _ => return Ok(None),
    };
    anyhow::ensure!(
        length <= LARGEST,
        "{} has {length} bytes, more than it can need",
        path.display()
    );
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text)
        .map(Some)
        .with_context(|| format!("{} is not a JSON object", path.display()))
}

#[cfg(test)]
#[path = "token_ids_tests.rs"]
mod tests;
