//! A hidden state, as a number or `"final"`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A hidden state: 0 is the embedding sum, i the residual stream after block i (from 1), `final` is
/// after ln_f.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HiddenState {
    Layer(usize),
    Final,
}

impl JsonSchema for HiddenState {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "State".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let layer = schemars::json_schema!({ "type": "integer", "minimum": 0 });
        schemars::json_schema!({ "anyOf": [layer, { "enum": ["final"] }] })
    }
}

impl Serialize for HiddenState {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Layer(layer) => serializer.serialize_u64(*layer as u64),
            Self::Final => serializer.serialize_str("final"),
        }
    }
}

impl<'de> Deserialize<'de> for HiddenState {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HiddenStateVisitor;
        impl serde::de::Visitor<'_> for HiddenStateVisitor {
            type Value = HiddenState;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a layer number or \"final\"")
            }
            fn visit_i64<E: serde::de::Error>(self, layer: i64) -> Result<HiddenState, E> {
                usize::try_from(layer)
                    .map(HiddenState::Layer)
                    .map_err(|_| E::custom("a layer number is 0 or more"))
            }
            fn visit_u64<E: serde::de::Error>(self, layer: u64) -> Result<HiddenState, E> {
                Ok(HiddenState::Layer(layer as usize))
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<HiddenState, E> {
                if name == "final" {
                    Ok(HiddenState::Final)
                } else {
                    Err(E::custom("a layer is a number or \"final\""))
                }
            }
        }
        deserializer.deserialize_any(HiddenStateVisitor)
    }
}

impl std::fmt::Display for HiddenState {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Layer(layer) => write!(f, "{layer}"),
            Self::Final => f.write_str("final"),
        }
    }
}
