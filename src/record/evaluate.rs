//! `evals/<key>/`: an evaluation, published by a rename of its own.

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;

use super::evaluation::{EmbeddingPoint, Evaluation, Sample, Speed};
use super::layout::RunFolder;
use super::publish::{Files, publish_run};
use crate::files::{CHECKSUMS, unique_name};
use crate::table::{self, Table, Values};

/// What an evaluation leaves.
#[derive(Debug, Clone)]
pub struct EvaluationFiles<'a> {
    pub evaluation: &'a Evaluation,
    pub embedding: &'a [EmbeddingPoint],
    pub samples: &'a [Sample],
    /// The samples for people: teacher beside student.
    pub samples_markdown: &'a str,
    pub speed: &'a Speed,
}

/// Whether the evaluation `key` of a run or teacher is there.
pub fn has_evaluation(run: &RunFolder, key: &str) -> bool {
    run.evaluation(key).root.join(CHECKSUMS).is_file()
}

/// Publishes an evaluation.
///
/// # Errors
/// A folder that cannot be written, or another evaluation under the same key.
pub fn publish_evaluation(run: &RunFolder, key: &str, files: &EvaluationFiles) -> Result<()> {
    let json = |value: serde_json::Result<String>| -> Result<Vec<u8>> { Ok((value? + "\n").into_bytes()) };
    let covered: Files = vec![
        ("eval.json".to_owned(), json(serde_json::to_string_pretty(files.evaluation))?),
        ("embedding.parquet".to_owned(), embedding_table(files.embedding).to_parquet()?),
        ("samples.json".to_owned(), json(serde_json::to_string_pretty(files.samples))?),
        ("samples.md".to_owned(), files.samples_markdown.as_bytes().to_vec()),
    ];
    let times: Files = vec![("speed.json".to_owned(), json(serde_json::to_string_pretty(files.speed))?)];
    let target = run.evaluation(key).root;
    let temporary = target.with_file_name(unique_name(".tmp-"));
    publish_run(&temporary, &target, &covered, &times)
}

fn embedding_table(points: &[EmbeddingPoint]) -> Table {
    let counts = |get: fn(&EmbeddingPoint) -> u32| Values::Counts(points.iter().map(|point| u64::from(get(point))).collect());
    let numbers = |get: fn(&EmbeddingPoint) -> f64| Values::Numbers(points.iter().map(|point| Some(get(point))).collect());
    Table {
        columns: vec![
            ("model".to_owned(), Values::Texts(points.iter().map(|point| Some(point.model.clone())).collect())),
            ("token".to_owned(), counts(|point| point.token)),
            ("layer".to_owned(), counts(|point| point.layer)),
            ("x".to_owned(), numbers(|point| point.x)),
            ("y".to_owned(), numbers(|point| point.y)),
        ],
    }
}

fn read_json<T: DeserializeOwned>(path: &std::path::Path) -> Result<T> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is broken", path.display()))
}

/// Reads `eval.json`.
///
/// # Errors
/// A file that is missing or broken.
pub fn read_evaluation(run: &RunFolder, key: &str) -> Result<Evaluation> {
    read_json(&run.evaluation(key).evaluation())
}

/// Reads `speed.json`.
///
/// # Errors
/// A file that is missing or broken.
pub fn read_speed(run: &RunFolder, key: &str) -> Result<Speed> {
    read_json(&run.evaluation(key).speed())
}

/// Reads `samples.json`.
///
/// # Errors
/// A file that is missing or broken.
pub fn read_samples(run: &RunFolder, key: &str) -> Result<Vec<Sample>> {
    read_json(&run.evaluation(key).samples())
}

/// Reads `embedding.parquet`.
///
/// # Errors
/// A file that is missing or broken.
pub fn read_embedding(run: &RunFolder, key: &str) -> Result<Vec<EmbeddingPoint>> {
    let table = table::read(&run.evaluation(key).embedding())?;
    let (models, tokens, layers) = (table.texts("model")?, table.counts("token")?, table.counts("layer")?);
    let (xs, ys) = (table.numbers("x")?, table.numbers("y")?);
    let point = |i: usize| {
        Ok(EmbeddingPoint {
            model: models[i].clone().context("a point has a model")?,
            token: u32::try_from(tokens[i])?,
            layer: u32::try_from(layers[i])?,
            x: xs[i].context("a point has a place")?,
            y: ys[i].context("a point has a place")?,
        })
    };
    (0..table.rows()).map(point).collect()
}
