//! The folder of a finished model: what transformers needs to load it, and what a reader needs to
//! know of it.

use crate::data::Prepared;
use crate::model::{Config, TokenIds, Weights};
use crate::record::Attempt;
use anyhow::Result;

/// Writes `student/` of a finished run: config.json, model.safetensors, tokenizer.json,
/// tokenizer_config.json, generation_config.json and README.md. A tokenizer that was given is kept
/// whole, with whatever lies beside it; the ids of its tokens are those of the teacher.
///
/// # Errors
/// What the disk says.
pub(super) fn write_model(
    attempt: &Attempt,
    (config, weights): (&Config, &Weights),
    corpus: &Prepared,
    teacher: Option<&TokenIds>,
    card: &str,
) -> Result<()> {
    let Prepared {
        end_of_text: end,
        tokenizer,
        kept,
        ..
    } = corpus;
    let none = TokenIds::default();
    let ids = teacher.unwrap_or(&none);
    let mut content = config.to_json(*end);
    ids.put_into_config(&mut content);
    attempt.write_out("student/config.json", format!("{content:#}\n").as_bytes())?;
    attempt.write_out("student/model.safetensors", &weights.to_safetensors()?)?;
    for (name, content) in kept.files() {
        attempt.write_out(&format!("student/{name}"), content.as_bytes())?;
    }
    if !kept.has("tokenizer.json") {
        let content = tokenizer.plain_json();
        attempt.write_out("student/tokenizer.json", content.as_bytes())?;
    }
    if !kept.has("tokenizer_config.json") {
        let content = tokenizer.config_json(config.positions, kept.class());
        attempt.write_out("student/tokenizer_config.json", content.as_bytes())?;
    }
    attempt.write_out(
        "student/generation_config.json",
        format!("{:#}\n", ids.generation(*end)).as_bytes(),
    )?;
    attempt.write_out("student/README.md", card.as_bytes())
}
