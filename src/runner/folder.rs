//! The folder of a finished model: what transformers needs to load it, and what a reader needs to
//! know of it.

use crate::data::Prepared;
use crate::model::{Config, TokenIds, Weights};
use crate::record::Attempt;
use crate::record::layout::STUDENT;
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
    let write = |name: &str, bytes: &[u8]| attempt.write_out(&format!("{STUDENT}/{name}"), bytes);
    write("config.json", format!("{content:#}\n").as_bytes())?;
    write("model.safetensors", &weights.to_safetensors()?)?;
    for (name, content) in kept.files() {
        write(name, content.as_bytes())?;
    }
    if !kept.has("tokenizer.json") {
        let content = tokenizer.plain_json();
        write("tokenizer.json", content.as_bytes())?;
    }
    if !kept.has("tokenizer_config.json") {
        let content = tokenizer.config_json(config.positions, kept.class());
        write("tokenizer_config.json", content.as_bytes())?;
    }
    let generation = format!("{:#}\n", ids.generation(*end));
    write("generation_config.json", generation.as_bytes())?;
    write("README.md", card.as_bytes())
}
