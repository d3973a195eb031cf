//! What a study is computed on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where models are trained and evaluated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeviceSpec {
    /// The processor.
    #[default]
    Cpu,
    /// The NVIDIA GPU of this number.
    Cuda(u32),
}

impl DeviceSpec {
    /// What of it results depend on: any card of a kind gives the same.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda(_) => "cuda",
        }
    }

    /// The first of its kind.
    pub(in crate::plan) fn recorded(self) -> Self {
        match self {
            Self::Cpu => Self::Cpu,
            Self::Cuda(_) => Self::Cuda(0),
        }
    }

    /// Whether it is the one that needs no word.
    pub fn is_cpu(&self) -> bool {
        *self == Self::Cpu
    }

    /// `cpu`, or `cuda:` and a number.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "cpu" {
            return Some(Self::Cpu);
        }
        let digits = text.strip_prefix("cuda:")?;
        let plain = digits.chars().all(|c| c.is_ascii_digit())
            && (digits.len() == 1 || !digits.starts_with('0'));
        let number = plain.then(|| digits.parse().ok()).flatten()?;
        Some(Self::Cuda(number)).filter(|_| number < 64)
    }
}

impl std::fmt::Display for DeviceSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl JsonSchema for DeviceSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Device".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": DEVICE_PATTERN })
    }
}

/// A device as it is written.
pub(in crate::plan) const DEVICE_PATTERN: &str = "^(cpu|cuda:(0|[1-9][0-9]?))$";

/// As it is recorded: which card of a kind it was belongs to the process, and is no part of a
/// result.
impl Serialize for DeviceSpec {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.recorded())
    }
}

impl<'de> Deserialize<'de> for DeviceSpec {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("a device is \"cpu\" or \"cuda:0\""))
    }
}
