//! What the hub reads of a model: the head of its card, with `model-index` for older readers, and
//! `.eval_results/*.yaml`.
//!
//! The second names a dataset of the hub and a task of it, and there is none where the text is
//! anybody's own files. The hub shows it where the dataset is one of its benchmarks. Both are held
//! against huggingface_hub's own reader in `tests/it/hub/exporting.rs`.
//! Texts are written as JSON strings, which YAML takes as they are.

use serde_json::json;

use super::FinishedRun;
use crate::plan::run::{DatasetSpec, TeacherSpec};
use crate::record::evaluation::{Evaluation, Protocol};

/// The head of the card, between two lines of dashes.
pub(super) fn head(run: &FinishedRun) -> String {
    let mut head =
        "---\nlibrary_name: transformers\npipeline_tag: text-generation\ntags:\n- gpt2\n- \
                    knowledge-distillation\n- kdpipe\n"
            .to_owned();
    if let TeacherSpec::Hub { repo, .. } = &run.spec.teacher {
        head += &format!("base_model: {}\n", text(repo));
    }
    if let DatasetSpec::Hub { repo, .. } = &run.spec.dataset {
        head += &format!("datasets:\n- {}\n", text(repo));
    }
    if let Some(measured) = &run.measured {
        head += &model_index(run, &measured.student);
    }
    head + "---\n"
}

fn model_index(run: &FinishedRun, found: &Evaluation) -> String {
    let dataset = match &run.spec.dataset {
        DatasetSpec::Hub {
            repo,
            revision,
            config,
            train,
            test,
            ..
        } => {
            let (split, name) = if is_share(&run.spec.dataset) {
                (train, format!("{repo}, a held-out {test} of {train}"))
            } else {
                (test, repo.clone())
            };
            let config = config.as_ref().map_or_else(String::new, |config| {
                format!("      config: {}\n", text(config))
            });
            let revision = run
                .commit("dataset", repo, revision)
                .map_or_else(String::new, |commit| {
                    format!("      revision: {}\n", text(commit))
                });
            format!(
                "      type: {}\n      name: {}\n{config}      split: {}\n{revision}",
                text(repo),
                text(&name),
                text(split)
            )
        }
        DatasetSpec::Synthetic { .. } => {
            "      type: synthetic\n      name: stories of kdpipe's grammar\n      split: test\n"
                .to_owned()
        }
        DatasetSpec::Text { .. } | DatasetSpec::Parquet { .. } | DatasetSpec::Jsonl { .. } => {
            "      type: text\n      name: files of the study\n      split: test\n".to_owned()
        }
    };
    let metrics: String = metrics(found)
        .into_iter()
        .map(|(kind, name, value)| {
            format!("    - type: {kind}\n      value: {value}\n      name: {name}\n")
        })
        .collect();
    format!(
        "model-index:\n- name: {}\n  results:\n  - task:\n      type: text-generation\n      name: \
         Text Generation\n    dataset:\n{dataset}    metrics:\n{metrics}",
        text(&run.name)
    )
}

/// Kinds, names and values of what was measured on the test split; what has no number is left out.
fn metrics(found: &Evaluation) -> Vec<(&'static str, &'static str, f64)> {
    let test = &found.test;
    let all = [
        ("perplexity", "perplexity per token", test.perplexity),
        (
            "word_perplexity",
            "perplexity per word",
            test.word_perplexity,
        ),
        ("bits_per_byte", "bits per byte", test.bits_per_byte),
        ("loss", "nats per token", Some(test.nll_nats_per_token)),
    ];
    let known = all.into_iter().filter_map(|(kind, name, value)| {
        let value = value?;
        value.is_finite().then_some((kind, name, value))
    });
    known.collect()
}

/// The file of `.eval_results`; nothing where the text is no split of a dataset of the hub, or
/// nothing was measured.
pub(super) fn eval_results(run: &FinishedRun) -> Option<String> {
    let DatasetSpec::Hub {
        repo,
        revision,
        config,
        test,
        ..
    } = &run.spec.dataset
    else {
        return None;
    };
    if is_share(&run.spec.dataset) {
        return None;
    }
    let found = &run.measured.as_ref()?.student;
    let perplexity = found.test.perplexity?;
    let task = config.as_deref().unwrap_or("default");
    let revision = run
        .commit("dataset", repo, revision)
        .map_or_else(String::new, |commit| {
            format!("    revision: {}\n", text(commit))
        });
    Some(format!(
        "- dataset:\n    id: {}\n    task_id: {}\n{revision}  value: {perplexity}\n  notes: {}\n",
        text(repo),
        text(task),
        text(&notes(test, &found.protocol, found.test.scored_tokens))
    ))
}

/// Whether the test text is a share of the training documents, which is no split of the dataset.
fn is_share(dataset: &DatasetSpec) -> bool {
    dataset.shares().iter().any(|(split, _)| *split == "test")
}

/// What the value is.
fn notes(split: &str, protocol: &Protocol, tokens: u64) -> String {
    format!(
        "perplexity per token of the split {split} ({tokens} tokens, windows of {} every {}, \
         detokenize {}), lower is better",
        protocol.context, protocol.stride, protocol.detokenize
    )
}

/// A text, quoted.
fn text(text: &str) -> String {
    json!(text).to_string()
}
