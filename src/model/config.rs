//! The shape of a GPT-2, and its `config.json`.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// Everything about a GPT-2 that its weights do not say.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `n_layer`.
    pub layers: usize,
    /// `n_embd`.
    pub width: usize,
    /// `n_head`; divides the width.
    pub heads: usize,
    /// `vocab_size`.
    pub vocabulary: usize,
    /// `n_positions`: the longest context.
    pub positions: usize,
    /// `layer_norm_epsilon`.
    pub epsilon: f64,
}

impl Config {
    /// A GPT-2 with the epsilon of the published ones.
    pub fn new(layers: usize, width: usize, heads: usize, vocabulary: usize, positions: usize) -> Self {
        Self { layers, width, heads, vocabulary, positions, epsilon: 1e-5 }
    }

    /// Width of the hidden layer of a block's MLP.
    pub fn inner(&self) -> usize {
        4 * self.width
    }

    /// Parameters of the embeddings (the tied head counts once).
    pub fn embedding_parameters(&self) -> u64 {
        ((self.vocabulary + self.positions) * self.width) as u64
    }

    /// Parameters of the blocks and the final norm: 12·C² + 13·C a block.
    pub fn block_parameters(&self) -> u64 {
        let width = self.width as u64;
        self.layers as u64 * (12 * width * width + 13 * width) + 2 * width
    }

    /// All parameters.
    pub fn parameters(&self) -> u64 {
        self.embedding_parameters() + self.block_parameters()
    }

    /// Floating-point operations of a forward pass per token at the context `context`, a multiply-add counted as two: the matrix products of the blocks (24·C²), the two of
    /// attention over the causal half (2·C·(T + 1)), and the head (2·C·V).
    pub fn forward_flops_per_token(&self, context: usize) -> f64 {
        let width = self.width as f64;
        let block = 24.0 * width * width + 2.0 * width * (context as f64 + 1.0);
        self.layers as f64 * block + 2.0 * width * self.vocabulary as f64
    }

    /// `config.json` as transformers reads it.
    pub fn to_json(&self, end_of_text: u32) -> Value {
        json!({
            "architectures": ["GPT2LMHeadModel"],
            "model_type": "gpt2",
            "activation_function": "gelu_new",
            "n_layer": self.layers,
            "n_embd": self.width,
            "n_head": self.heads,
            "n_inner": null,
            "n_positions": self.positions,
            "n_ctx": self.positions,
            "vocab_size": self.vocabulary,
            "layer_norm_epsilon": self.epsilon,
            "attn_pdrop": 0.0,
            "embd_pdrop": 0.0,
            "resid_pdrop": 0.0,
            "initializer_range": 0.02,
            "scale_attn_weights": true,
            "scale_attn_by_inverse_layer_idx": false,
            "reorder_and_upcast_attn": false,
            "tie_word_embeddings": true,
            "bos_token_id": end_of_text,
            "eos_token_id": end_of_text,
            "use_cache": true,
            "torch_dtype": "float32",
        })
    }

    /// Reads `config.json`. A field that would change the result and that this model does not have is refused by name.
    ///
    /// # Errors
    /// Invalid JSON, another architecture, or a setting that is not supported.
    pub fn from_json(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text).context("config.json is not valid JSON")?;
        if let Some(kind) = value.get("model_type").and_then(Value::as_str)
            && kind != "gpt2"
        {
            bail!("config.json has model_type \"{kind}\"; only \"gpt2\" is supported");
        }
        let number = |name: &str| -> Result<usize> {
            let number = value.get(name).with_context(|| format!("config.json has no {name}"))?;
            number
                .as_u64()
                .filter(|&n| n > 0 && n < 1 << 31)
                .map(|n| n as usize)
                .with_context(|| format!("{name} = {number} in config.json is not a positive number"))
        };
        let config = Self {
            layers: number("n_layer")?,
            width: number("n_embd")?,
            heads: number("n_head")?,
            vocabulary: number("vocab_size")?,
            positions: number("n_positions")?,
            epsilon: value.get("layer_norm_epsilon").and_then(Value::as_f64).unwrap_or(1e-5),
        };
        if !config.width.is_multiple_of(config.heads) {
            bail!("n_head = {} does not divide n_embd = {} in config.json", config.heads, config.width);
        }
        let expected = [
            ("activation_function", json!("gelu_new")),
            ("scale_attn_weights", json!(true)),
            ("scale_attn_by_inverse_layer_idx", json!(false)),
            ("tie_word_embeddings", json!(true)),
        ];
        for (name, only) in expected {
            if let Some(found) = value.get(name)
                && *found != only
            {
                bail!("{name} = {found} in config.json is not supported (only {only})");
            }
        }
        match value.get("n_inner") {
            None | Some(Value::Null) => {}
            Some(inner) if inner.as_u64() == Some(config.inner() as u64) => {}
            Some(inner) => bail!("n_inner = {inner} in config.json is not supported (only 4·n_embd = {})", config.inner()),
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpt2_has_124_million_parameters() {
        assert_eq!(Config::new(12, 768, 12, 50257, 1024).parameters(), 124_439_808);
    }

    #[test]
    fn config_json_reads_back_as_it_was_written() {
        let config = Config::new(3, 48, 4, 101, 32);
        assert_eq!(Config::from_json(&config.to_json(0).to_string()).unwrap(), config);
    }

    #[test]
    fn settings_that_would_change_the_result_are_refused_by_name() {
        let mut value = Config::new(3, 48, 4, 101, 32).to_json(0);
        value["activation_function"] = json!("relu");
        let error = Config::from_json(&value.to_string()).unwrap_err().to_string();
        assert_eq!(error, "activation_function = \"relu\" in config.json is not supported (only \"gelu_new\")");
    }
}
