//! What of a dataset is part of a run's id.

use serde_json::{Value as Json, json};

use super::run::DatasetSpec;

/// Raised whenever the same shares of the same documents are other documents than before: white
/// space at the ends of a document does not count since 2.
pub const SHARES_VERSION: u32 = 2;
/// Raised whenever the articles of the same text are others than before.
pub const ARTICLES_VERSION: u32 = 1;

/// The text of a run: all that determines it, and where it is shares of one text, how they are cut.
pub fn dataset(dataset: &DatasetSpec, fingerprint: &str) -> Json {
    let mut identity = dataset_without_shares(dataset, fingerprint);
    let shares = dataset.shares();
    if !shares.is_empty() {
        // A dataset of the hub has its splits by their names already, but not the rule that cuts.
        identity["shares"] = match dataset.is_of_hub() {
            true => json!({ "rule": SHARES_VERSION }),
            false => shares.into_iter().collect(),
        };
        if let Some(cut) = dataset.cut() {
            identity["cut"] = json!(cut);
        }
    }
    if dataset.is_by_articles() {
        identity["articles"] = json!({ "rule": ARTICLES_VERSION });
    }
    identity
}

/// It is long because it names every field of every source, so that none can be forgotten.
fn dataset_without_shares(dataset: &DatasetSpec, fingerprint: &str) -> Json {
    match dataset {
        DatasetSpec::Synthetic {
            seed,
            train_words,
            validation_words,
            test_words,
            train_tokens,
        } => json!({
            "source": "synthetic", "seed": seed, "train_words": train_words,
            "validation_words": validation_words, "test_words": test_words,
            "train_tokens": train_tokens,
        }),
        DatasetSpec::Text {
            train: _,
            validation: _,
            test: _,
            cut: _,
            documents: _,
            detokenize,
            train_tokens,
        } => json!({
            "source": "text", "files": fingerprint, "detokenize": detokenize,
            "train_tokens": train_tokens,
        }),
        DatasetSpec::Parquet {
            train: _,
            validation: _,
            test: _,
            cut: _,
            column,
            rows,
            detokenize,
            train_tokens,
        }
        | DatasetSpec::Jsonl {
            train: _,
            validation: _,
            test: _,
            cut: _,
            column,
            rows,
            detokenize,
            train_tokens,
        } => {
            let source = match dataset {
                DatasetSpec::Jsonl { .. } => "jsonl",
                _ => "parquet",
            };
            json!({
                "source": source, "files": fingerprint, "column": column, "rows": rows,
                "detokenize": detokenize, "train_tokens": train_tokens,
            })
        }
        DatasetSpec::Hub {
            repo,
            config,
            revision: _,
            train,
            validation,
            test,
            cut: _,
            column,
            rows,
            detokenize,
            train_tokens,
        } => json!({
            "source": "hub", "repo": repo, "config": config, "commit": fingerprint,
            "train": train, "validation": validation, "test": test, "column": column,
            "rows": rows, "detokenize": detokenize, "train_tokens": train_tokens,
        }),
    }
}
