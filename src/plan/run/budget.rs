//! How much a training may compute.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What stands before the arm of a budget.
const OF: &str = "flops of ";

/// Operations that a training may take, as they are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Budget {
    /// Floating-point operations.
    Flops(f64),
    /// `flops of ARM`.
    Words(String),
}

impl Budget {
    /// The arm whose operations are meant, where it is written as one.
    pub fn arm(&self) -> Option<&str> {
        match self {
            Self::Flops(_) => None,
            Self::Words(words) => words.strip_prefix(OF).map(str::trim),
        }
    }
}

impl JsonSchema for Budget {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Budget".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [
                { "type": "number", "exclusiveMinimum": 0 },
                { "type": "string", "minLength": 1 },
            ]
        })
    }
}
