//! A hidden state, as a number or `"final"`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A hidden state: 0 is the embedding sum, i the residual stream after block i (from 1), `final` is
/// after ln_f.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Layer(usize),
    Final,
}

impl JsonSchema for State {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "State".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "enum": ["final"] }] })
    }
}

impl Serialize for State {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Layer(layer) => serializer.serialize_u64(*layer as u64),
            Self::Final => serializer.serialize_str("final"),
        }
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = State;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a layer number or \"final\"")
            }
            fn visit_i64<E: serde::de::Error>(self, layer: i64) -> Result<State, E> {
                usize::try_from(layer)
                    .map(State::Layer)
                    .map_err(|_| E::custom("a layer number is 0 or more"))
            }
            fn visit_u64<E: serde::de::Error>(self, layer: u64) -> Result<State, E> {
                Ok(State::Layer(layer as usize))
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<State, E> {
                if name == "final" {
                    Ok(State::Final)
                } else {
                    Err(E::custom("a layer is a number or \"final\""))
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Layer(layer) => write!(f, "{layer}"),
            Self::Final => f.write_str("final"),
        }
    }
}
