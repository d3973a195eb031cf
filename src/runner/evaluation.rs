//! Evaluates a model on the study's test split and publishes what it finds.

use anyhow::{Context, Result};

use crate::data::{Prepared, Split};
use crate::digest;
use crate::eval::{
    self, Evaluated, EvaluationStopped, EvaluationWatch, Text, Vocabulary, samples_markdown,
};
use crate::hub::Hub;
use crate::model::{Gpt2, TokenIds};
use crate::ops::Ops;
use crate::plan::run::{DatasetSpec, Detokenize, Rows, RunSpec};
use crate::record::evaluation::{
    Evaluation, Protocol, SharedCounts, SourceNll, TrainingCost, finite,
};
use crate::record::layout::RunFolder;
use crate::record::{self, publish_evaluation};

/// A model to evaluate.
pub(super) struct EvaluationSubject<'a, D: Ops> {
    pub model: &'a Gpt2<D>,
    pub teacher: Option<&'a Gpt2<D>>,
    /// Bytes of its weights as stored.
    pub bytes: u64,
    pub training: Option<TrainingCost>,
    /// Where it is known.
    pub trained_on_train_split: Option<bool>,
    /// What the ids of its tokens mean.
    pub ids: &'a TokenIds,
}

/// Evaluates by the `[evaluate]` of `spec`; several models may be evaluated beside each other.
/// Items of tasks that nobody asked for yet come from `hub`, where they lie there.
///
/// # Errors
/// A split that is too short; items that cannot be had; a stop.
pub(super) fn evaluate<D: Ops>(
    subject: &EvaluationSubject<D>,
    spec: &RunSpec,
    corpus: &Prepared,
    (hub, watch): (&Hub, &dyn EvaluationWatch),
) -> Result<Evaluated> {
    let protocol = Protocol {
        context: spec.evaluate.context,
        stride: spec.evaluate.stride,
        rows: rows(&spec.dataset).to_owned(),
        detokenize: detokenize(&spec.dataset).to_owned(),
        tokenizer: digest::sha256(corpus.tokenizer.json().as_bytes()),
        trained_on_train_split: subject.trained_on_train_split,
    };
    let source = SourceNll {
        exact_nats_per_token: corpus.exact.and_then(|exact| finite(exact.nats_per_token)),
        entropy_nats_per_token: corpus
            .exact
            .and_then(|exact| finite(exact.entropy_nats_per_token)),
        unigram_nats_per_token: finite(corpus.unigram_nats_per_token),
    };
    let mut stops = subject.ids.stops();
    if !stops.contains(&corpus.end_of_text) {
        stops.push(corpus.end_of_text);
    }
    let decode = |tokens: &[u32]| Ok(corpus.tokenizer.decode(tokens));
    let (test, validation) = (documents(&corpus.test), documents(&corpus.validation));
    let tasks = &spec.evaluate.tasks;
    let tasks = corpus.tasks.of(tasks, &corpus.tokenizer, hub)?;
    eval::evaluate(eval::EvaluationInputs {
        model: subject.model,
        teacher: subject.teacher,
        test: text(&corpus.test, &test),
        validation: text(&corpus.validation, &validation),
        vocabulary: Vocabulary {
            decode: &decode,
            end_of_text: corpus.end_of_text,
            stops: &stops,
        },
        settings: &spec.evaluate,
        matched: &spec.matching,
        tasks: &tasks,
        protocol,
        bytes: subject.bytes,
        training: subject.training.clone(),
        source: Some(source),
        shared: Some(shared_counts(corpus)),
        watch,
    })
}

fn shared_counts(corpus: &Prepared) -> SharedCounts {
    let shared = &corpus.shared;
    SharedCounts {
        validation_in_train: shared.validation_in_train,
        test_in_train: shared.test_in_train,
        test_in_validation: shared.test_in_validation,
        validation_documents: corpus.validation.documents.len() as u64,
        test_documents: corpus.test.documents.len() as u64,
    }
}

/// Measures the model's speed, which wants the machine for itself, and publishes all that is known
/// of it below `folder` under `key`.
///
/// # Errors
/// A folder that cannot be written; a stop.
pub(super) fn publish<D: Ops>(
    evaluated: Evaluated,
    model: &Gpt2<D>,
    spec: &RunSpec,
    corpus: &Prepared,
    (folder, key): (&RunFolder, &str),
    watch: &dyn EvaluationWatch,
) -> Result<Evaluation> {
    let (tokens, context) = (corpus.test.tokens(), spec.evaluate.context);
    let speed = eval::measure_speed(model, tokens, context, watch).ok_or(EvaluationStopped)?;
    let stored = record::EvaluationFiles {
        samples_text: samples_markdown(&evaluated.samples),
        evaluation: evaluated.evaluation,
        speed: Some(speed),
        samples: evaluated.samples,
        embedding: evaluated.embedding,
    };
    publish_evaluation(folder, key, &stored).with_context(|| {
        format!(
            "the evaluation {} could not be published",
            folder.root.display()
        )
    })?;
    Ok(stored.evaluation)
}

fn documents(split: &Split) -> Vec<usize> {
    split
        .documents
        .iter()
        .map(|&start| start as usize)
        .collect()
}

fn text<'a>(split: &'a Split, documents: &'a [usize]) -> Text<'a> {
    Text {
        tokens: split.tokens(),
        documents,
        words: split.words,
        bytes: split.bytes,
    }
}

fn rows(dataset: &DatasetSpec) -> &'static str {
    match dataset {
        _ if dataset.is_by_articles() => "articles",
        DatasetSpec::Synthetic { .. } => "documents",
        DatasetSpec::Text { .. } => "text",
        DatasetSpec::Parquet { rows, .. }
        | DatasetSpec::Jsonl { rows, .. }
        | DatasetSpec::Hub { rows, .. } => match rows {
            Rows::Lines => "lines",
            Rows::Articles => "articles",
            Rows::Documents => "documents",
        },
    }
}

fn detokenize(dataset: &DatasetSpec) -> &'static str {
    match dataset {
        DatasetSpec::Synthetic { .. } => "none",
        DatasetSpec::Text { detokenize, .. }
        | DatasetSpec::Parquet { detokenize, .. }
        | DatasetSpec::Jsonl { detokenize, .. }
        | DatasetSpec::Hub { detokenize, .. } => match detokenize {
            Detokenize::None => "none",
            Detokenize::Wikitext => "wikitext",
        },
    }
}
