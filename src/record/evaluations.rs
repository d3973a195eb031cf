//! Evaluations as stored: `evals/<key>/` below a run or a teacher, published by a rename of its own
//! and never rewritten.

use anyhow::{Context, Result};

use super::evaluation::{EmbeddingPoint, Evaluation, Speed, TextSample};
use super::layout::{self, EvaluationFolder, RunFolder};
use super::publish::{Publication, publish_files};
use super::store::{read_json, to_json};
use crate::files;
use crate::table::{self, Column, Table};

/// Everything that an evaluation leaves behind.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationFiles {
    pub evaluation: Evaluation,
    pub speed: Option<Speed>,
    pub samples: Vec<TextSample>,
    /// The samples for people to read: the content of `samples.md`.
    pub samples_text: String,
    /// Empty where there is none.
    pub embedding: Vec<EmbeddingPoint>,
}

/// Publishes an evaluation below a run or a teacher. Where it is there already, the two are
/// compared, times aside.
///
/// # Errors
/// Anything the disk refuses; an evaluation that is there with another result; a number that is not
/// finite.
pub fn publish_evaluation(
    folder: &RunFolder,
    key: &str,
    evaluated: &EvaluationFiles,
) -> Result<Publication> {
    let mut content = vec![(
        layout::EVALUATION,
        to_json(&evaluated.evaluation, "the evaluation")?,
    )];
    if let Some(speed) = &evaluated.speed {
        content.push((layout::SPEED, to_json(speed, "the speed")?));
    }
    if !evaluated.samples.is_empty() {
        content.push((layout::SAMPLES, to_json(&evaluated.samples, "a sample")?));
        content.push((
            layout::SAMPLES_TEXT,
            evaluated.samples_text.clone().into_bytes(),
        ));
    }
    if !evaluated.embedding.is_empty() {
        content.push((
            layout::EMBEDDING,
            embedding_to_parquet(&evaluated.embedding)?,
        ));
    }
    let content: Vec<(&str, &[u8])> = content
        .iter()
        .map(|(name, bytes)| (*name, bytes.as_slice()))
        .collect();
    publish_files(&folder.evaluation(key).root, &content)
}

/// Whether a run was ever evaluated, in whatever way.
pub fn has_any_evaluation(folder: &RunFolder) -> bool {
    let keys = std::fs::read_dir(folder.evaluations())
        .into_iter()
        .flatten();
    let names = keys.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.into_iter().any(|key| has_evaluation(folder, &key))
}

/// Whether an evaluation is there with all its files.
pub fn has_evaluation(folder: &RunFolder, key: &str) -> bool {
    files::missing_files(&folder.evaluation(key).root).is_ok_and(|missing| missing.is_empty())
}

/// Reads `eval.json`.
///
/// # Errors
/// A file that is missing or damaged.
pub fn read_evaluation(folder: &EvaluationFolder) -> Result<Evaluation> {
    read_json(&folder.evaluation())
}

/// Reads `speed.json`, where there is one.
///
/// # Errors
/// A file that is damaged.
pub fn read_speed(folder: &EvaluationFolder) -> Result<Option<Speed>> {
    let path = folder.speed();
    if path.exists() {
        read_json(&path).map(Some)
    } else {
        Ok(None)
    }
}

/// Reads `samples.json`; none where there is no such file.
///
/// # Errors
/// A file that is damaged.
pub fn read_samples(folder: &EvaluationFolder) -> Result<Vec<TextSample>> {
    let path = folder.samples();
    if path.exists() {
        read_json(&path)
    } else {
        Ok(Vec::new())
    }
}

/// Reads `embedding.parquet`; none where there is no such file.
///
/// # Errors
/// A file that is damaged.
pub fn read_embedding(folder: &EvaluationFolder) -> Result<Vec<EmbeddingPoint>> {
    let path = folder.embedding();
    if !path.exists() {
        return Ok(Vec::new());
    }
    embedding_of(&table::read(&path)?)
        .with_context(|| format!("{} is not an embedding", path.display()))
}

/// The column of what tokens stand for, which older files do not have.
const TOKEN_TEXT: &str = "text";

fn embedding_to_parquet(points: &[EmbeddingPoint]) -> Result<Vec<u8>> {
    let mut table = Table::new()
        .with(
            "model",
            Column::Text(points.iter().map(|point| point.model.clone()).collect()),
        )
        .with(
            "token",
            Column::U32(points.iter().map(|point| point.token).collect()),
        );
    let texts: Option<Vec<String>> = points.iter().map(|point| point.text.clone()).collect();
    if let Some(texts) = texts {
        table = table.with(TOKEN_TEXT, Column::Text(texts));
    }
    let table = table
        .with(
            "layer",
            Column::U32(points.iter().map(|point| point.layer).collect()),
        )
        .with(
            "x",
            Column::F64(points.iter().map(|point| point.x).collect()),
        )
        .with(
            "y",
            Column::F64(points.iter().map(|point| point.y).collect()),
        );
    table::to_parquet(&table)
}

fn embedding_of(table: &Table) -> Result<Vec<EmbeddingPoint>> {
    let (models, tokens, layers) = (
        table.text("model")?,
        table.u32("token")?,
        table.u32("layer")?,
    );
    let (x, y) = (table.f64("x")?, table.f64("y")?);
    let has_texts = table.names().any(|name| name == TOKEN_TEXT);
    let texts = has_texts.then(|| table.text(TOKEN_TEXT)).transpose()?;
    Ok((0..table.rows())
        .map(|row| EmbeddingPoint {
            model: models[row].clone(),
            token: tokens[row],
            text: texts.map(|texts| texts[row].clone()),
            layer: layers[row],
            x: x[row],
            y: y[row],
        })
        .collect())
}
