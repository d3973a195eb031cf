//! `config.json` of a GPT-2, in and out.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use super::Config;
use crate::ops::Activation;

/// Names that transformers reads for activations; several stand for one formula.
const ACTIVATIONS: [(&str, Activation); 11] = [
    ("gelu_new", Activation::GeluTanh),
    ("gelu_pytorch_tanh", Activation::GeluTanh),
    ("gelu_fast", Activation::GeluTanh),
    ("gelu_accurate", Activation::GeluTanh),
    ("gelu_python_tanh", Activation::GeluTanh),
    ("gelu", Activation::Gelu),
    ("gelu_python", Activation::Gelu),
    ("quick_gelu", Activation::QuickGelu),
    ("relu", Activation::Relu),
    ("silu", Activation::Silu),
    ("tanh", Activation::Tanh),
];
/// Another name of "silu".
const SWISH: &str = "swish";

/// Fields that must be empty: they say that the weights are in another form than their names tell.
const MUST_BE_EMPTY: [(&str, &str); 2] = [
    (
        "quantization_config",
        "quantised weights are not read; save the model in float32, float16 or bfloat16",
    ),
    ("pruned_heads", "pruned heads are not supported"),
];

/// The name that is written for an activation.
fn written_name(activation: Activation) -> &'static str {
    match activation {
        Activation::GeluTanh => "gelu_new",
        Activation::Gelu => "gelu",
        Activation::QuickGelu => "quick_gelu",
        Activation::Relu => "relu",
        Activation::Silu => "silu",
        Activation::Tanh => "tanh",
    }
}

impl Config {
    /// `config.json` as transformers reads it.
    pub fn to_json(&self, end_of_text: u32) -> Value {
        json!({
            "architectures": ["GPT2LMHeadModel"],
            "model_type": "gpt2",
            "activation_function": written_name(self.activation),
            "n_layer": self.layers,
            "n_embd": self.width,
            "n_head": self.heads,
            "n_inner": if self.inner == 4 * self.width { Value::Null } else { json!(self.inner) },
            "n_positions": self.positions,
            "n_ctx": self.positions,
            "vocab_size": self.vocabulary,
            "layer_norm_epsilon": self.epsilon,
            "attn_pdrop": 0.0,
            "embd_pdrop": 0.0,
            "resid_pdrop": 0.0,
            "initializer_range": 0.02,
            "scale_attn_weights": self.scale_by_width,
            "scale_attn_by_inverse_layer_idx": self.scale_by_layer,
            "reorder_and_upcast_attn": false,
            "tie_word_embeddings": self.tied,
            "bos_token_id": end_of_text,
            "eos_token_id": end_of_text,
            "use_cache": true,
            "torch_dtype": "float32",
        })
    }

    /// Reads `config.json` as transformers does: what is absent has GPT-2's own value, and the
    /// names `hidden_size`, `num_hidden_layers`, `num_attention_heads` and
    /// `max_position_embeddings` are taken too. `n_ctx` says nothing (transformers does not read it
    /// any more), `reorder_and_upcast_attn` is the same mathematics in f32, and dropout has no part
    /// in what a model computes.
    ///
    /// # Errors
    /// Invalid JSON, another architecture; all settings that would change the result and are not
    /// supported, and all values that are none.
    pub fn from_json(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text).context("config.json is not valid JSON")?;
        let Value::Object(fields) = value else {
            bail!("config.json is not a table of settings")
        };
        if let Some(kind) = fields
            .get("model_type")
            .filter(|kind| kind.as_str() != Some("gpt2"))
        {
            bail!("config.json has model_type {kind}; only \"gpt2\" is supported");
        }
        let mut reader = ConfigReader {
            fields: &fields,
            faults: Vec::new(),
        };
        let config = reader.config();
        match reader.faults.as_slice() {
            [] => Ok(config),
            faults => bail!("{}", faults.join("; ")),
        }
    }
}

/// Reads fields and collects what is wrong with them.
struct ConfigReader<'a> {
    fields: &'a Map<String, Value>,
    faults: Vec<String>,
}

impl<'a> ConfigReader<'a> {
    fn config(&mut self) -> Config {
        let published = Config::new(12, 768, 12, 50_257, 1024);
        let width = self.size("n_embd", "hidden_size", published.width);
        let config = Config {
            layers: self.size("n_layer", "num_hidden_layers", published.layers),
            width,
            heads: self.size("n_head", "num_attention_heads", published.heads),
            vocabulary: self.size("vocab_size", "vocab_size", published.vocabulary),
            positions: self.size(
                "n_positions",
                "max_position_embeddings",
                published.positions,
            ),
            inner: self.size("n_inner", "n_inner", 4 * width),
            epsilon: self.epsilon(published.epsilon),
            activation: self.activation(),
            scale_by_width: self.switch("scale_attn_weights", true),
            scale_by_layer: self.switch("scale_attn_by_inverse_layer_idx", false),
            tied: self.switch("tie_word_embeddings", true),
        };
        self.switch("reorder_and_upcast_attn", false);
        if !config.width.is_multiple_of(config.heads) {
            self.faults.push(format!(
                "n_head = {} in config.json does not divide n_embd = {}",
                config.heads, config.width
            ));
        }
        if self.switch("add_cross_attention", false) {
            self.faults.push(
                "add_cross_attention = true in config.json is not supported: cross-attention is \
                 no part of a language model on its own"
                    .to_owned(),
            );
        }
        for (name, reason) in MUST_BE_EMPTY {
            let empty =
                |value: &Value| value.is_null() || value.as_object().is_some_and(Map::is_empty);
            if self.fields.get(name).is_some_and(|value| !empty(value)) {
                self.faults
                    .push(format!("{name} in config.json is not supported: {reason}"));
            }
        }
        config
    }

    /// A field that is there and not null.
    fn given(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// A positive number, under its name or the common one.
    fn size(&mut self, name: &str, other_name: &str, otherwise: usize) -> usize {
        let read = |name: &str, value: &Value| {
            let number = value
                .as_u64()
                .filter(|&n| n > 0 && n < 1 << 31)
                .map(|n| n as usize);
            number.ok_or_else(|| {
                format!(
                    "{name} = {value} in config.json is not a whole number from 1 to 2147483647"
                )
            })
        };
        let found = [name, other_name].map(|name| self.given(name).map(|value| (name, value)));
        match found {
            [Some((_, own)), Some((_, other))] if own != other => {
                let fault = format!(
                    "config.json has both {name} = {own} and {other_name} = {other}; they are the \
                     same setting"
                );
                self.faults.push(fault);
                otherwise
            }
            [Some((name, value)), _] | [None, Some((name, value))] => read(name, value)
                .unwrap_or_else(|fault| {
                    self.faults.push(fault);
                    otherwise
                }),
            [None, None] => otherwise,
        }
    }

    fn switch(&mut self, name: &str, otherwise: bool) -> bool {
        let Some(value) = self.given(name) else {
            return otherwise;
        };
        value.as_bool().unwrap_or_else(|| {
            let fault = format!("{name} = {value} in config.json is neither true nor false");
            self.faults.push(fault);
            otherwise
        })
    }

    fn epsilon(&mut self, otherwise: f64) -> f64 {
        let Some(value) = self.given("layer_norm_epsilon") else {
            return otherwise;
        };
        value
            .as_f64()
            .filter(|epsilon| (0.0..1.0).contains(epsilon))
            .unwrap_or_else(|| {
                let fault = format!(
                    "layer_norm_epsilon = {value} in config.json is not a number from 0 to 1"
                );
                self.faults.push(fault);
                otherwise
            })
    }

    fn activation(&mut self) -> Activation {
        let Some(value) = self.given("activation_function") else {
            return Activation::default();
        };
        let name = if value == SWISH {
            Some("silu")
        } else {
            value.as_str()
        };
        let known = ACTIVATIONS
            .into_iter()
            .find(|(known, _)| Some(*known) == name);
        known.map(|(_, activation)| activation).unwrap_or_else(|| {
            let names = ACTIVATIONS.map(|(name, _)| name).join(", ");
            let fault = format!(
                "activation_function = {value} in config.json is not supported; these are: \
                 {names}, {SWISH}"
            );
            self.faults.push(fault);
            Activation::default()
        })
    }
}

#[cfg(test)]
#[path = "config_json_tests.rs"]
mod tests;
