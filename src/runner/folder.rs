//! The folder of a finished model: what transformers needs to load it.

use anyhow::Result;
use serde_json::json;

use crate::data::Prepared;
use crate::model::{Config, Weights};
use crate::record::Attempt;

/// Writes `student/` of a finished run: config.json, model.safetensors, tokenizer.json, tokenizer_config.json.
///
/// # Errors
/// What the disk says.
pub(super) fn write_model(attempt: &Attempt, config: &Config, weights: &Weights, corpus: &Prepared) -> Result<()> {
    let end_of_text = "<|endoftext|>";
    let tokenizer = json!({
        "tokenizer_class": "GPT2TokenizerFast",
        "model_max_length": config.positions,
        "add_prefix_space": false,
        "bos_token": end_of_text,
        "eos_token": end_of_text,
        "unk_token": end_of_text,
    });
    attempt.write_out("student/config.json", format!("{:#}\n", config.to_json(corpus.end_of_text)).as_bytes())?;
    attempt.write_out("student/model.safetensors", &weights.to_safetensors()?)?;
    attempt.write_out("student/tokenizer.json", corpus.tokenizer.json().as_bytes())?;
    attempt.write_out("student/tokenizer_config.json", format!("{tokenizer:#}\n").as_bytes())
}
