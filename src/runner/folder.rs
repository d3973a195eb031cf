//! The folder of a finished model: what transformers needs to load it, and what a reader needs to
//! know of it.

use anyhow::Result;
use serde_json::json;

use crate::data::Prepared;
use crate::model::{Config, Weights};
use crate::record::Attempt;

/// Writes `student/` of a finished run: config.json, model.safetensors, tokenizer.json,
/// tokenizer_config.json, generation_config.json and README.md.
///
/// # Errors
/// What the disk says.
pub(super) fn write_model(
    attempt: &Attempt,
    config: &Config,
    weights: &Weights,
    corpus: &Prepared,
    card: &str,
) -> Result<()> {
    let end = corpus.end_of_text;
    let generation = json!({ "bos_token_id": end, "eos_token_id": end, "pad_token_id": end });
    attempt.write_out(
        "student/config.json",
        format!("{:#}\n", config.to_json(end)).as_bytes(),
    )?;
    attempt.write_out("student/model.safetensors", &weights.to_safetensors()?)?;
    attempt.write_out("student/tokenizer.json", corpus.tokenizer.json().as_bytes())?;
    attempt.write_out(
        "student/tokenizer_config.json",
        corpus.tokenizer.config_json(config.positions).as_bytes(),
    )?;
    attempt.write_out(
        "student/generation_config.json",
        format!("{generation:#}\n").as_bytes(),
    )?;
    attempt.write_out("student/README.md", card.as_bytes())
}
