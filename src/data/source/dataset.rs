//! A dataset whose inputs are found once, named by their content, and read split by split.

use std::ops::ControlFlow;

use anyhow::{Result, ensure};

use super::data_formats::DataFormat;
use super::document::{Part, Piece, PieceVisitor, ReadLimit};
use super::document_source::DocumentSource;
use super::hub_checks::NamedSplits;
use super::hub_dataset::HubSource;
use super::row_files::RowFiles;
use super::shards::DatasetFiles;
use super::synthetic::SyntheticSource;
use super::text::TextSource;
use super::text_column::TextColumn;
use crate::data::recipe::Recipe;
use crate::hub::{Hub, Repo};
use crate::plan::run::{DatasetSpec, SplitPaths};
use crate::plan::{DatasetFact, InputFault};

/// The documents of three splits: what every later step reads, and no step looks for again.
pub struct Dataset<'a> {
    spec: &'a DatasetSpec,
    hub: &'a Hub<'a>,
    source: Box<dyn DocumentSource + 'a>,
    train_tokens: Option<u64>,
    fingerprint: String,
}

impl<'a> Dataset<'a> {
    /// Finds what the spec names, and takes its fingerprint.
    ///
    /// # Errors
    /// Files that are missing or cannot be read; a hub dataset whose commit or files cannot be
    /// found.
    pub fn find(spec: &'a DatasetSpec, hub: &'a Hub<'a>) -> Result<Self> {
        let (source, train_tokens) = find_source(spec, hub)?;
        let mut recipe = Recipe::new("dataset");
        source.add_to(&mut recipe);
        recipe.add_train_tokens(train_tokens);
        Ok(Self {
            spec,
            hub,
            source,
            train_tokens,
            fingerprint: recipe.finish(),
        })
    }

    /// sha256 over everything that determines the documents and their cut: of files the contents in
    /// order, with column, rows, detokenization and `train_tokens`; of the embedded source its
    /// recipe and the version of the grammar; of a hub dataset its commit. Paths do not enter. A
    /// packed file counts as it lies on the disk: the hash needs no unpacking and changes whenever
    /// the text does.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The first so many tokens are the training split; nothing where all are.
    pub fn train_tokens(&self) -> Option<u64> {
        self.train_tokens
    }

    /// The entropy of a document in nats, where the source knows it.
    pub fn document_entropy(&self) -> Option<f64> {
        self.source.document_entropy()
    }

    /// Refuses a split that is to be read to its end and that the disk has no room for.
    ///
    /// # Errors
    /// Too little room for what is still to be fetched.
    pub fn room_for_all(&self, part: Part) -> Result<()> {
        self.source.room_for_all(part)
    }

    /// What the user should know of the text and need not act on, in sentences.
    pub fn notes(&self) -> Vec<String> {
        self.source.notes()
    }

    /// Hands the documents of a split to `visitor`. A share that is cut from the training documents
    /// is cut from those before the `reach`-th of them ends, or from all. Where a text file spells
    /// the `separator`, a document ends. A document without text is none.
    ///
    /// # Errors
    /// What reading the inputs reports, a split without text, and whatever the visitor returns.
    pub fn visit(
        &self,
        part: Part,
        reach: ReadLimit,
        separator: &str,
        visitor: &mut PieceVisitor,
    ) -> Result<()> {
        let (mut any, mut pending) = (false, false);
        let mut checked = |piece: Piece| match piece {
            Piece::Text { text: "", .. } => Ok(ControlFlow::Continue(())),
            Piece::Text { .. } => {
                (any, pending) = (true, true);
                visitor(piece)
            }
            Piece::End { .. } if !pending => Ok(ControlFlow::Continue(())),
            Piece::End { .. } => {
                pending = false;
                visitor(piece)
            }
        };
        self.source.visit(part, reach, separator, &mut checked)?;
        if !any {
            let (name, remedy) = (part.name(), self.source.empty_remedy(part));
            let message = format!("the {name} split is empty");
            let fault = InputFault::of_key(format!("dataset.{name}"), message, remedy);
            return Err(fault.into());
        }
        Ok(())
    }

    /// Whether the inputs still are what they were when they were found. Files are looked up anew;
    /// one that shows no change is not read again.
    ///
    /// # Errors
    /// Inputs that changed, are missing or cannot be read.
    pub fn ensure_unchanged(&self) -> Result<()> {
        let now = Self::find(self.spec, self.hub)?;
        ensure!(
            now.fingerprint == self.fingerprint,
            "the dataset's files changed while they were read; run again when they are complete"
        );
        Ok(())
    }
}

/// What a plan needs of a dataset: the fingerprint that a run's id holds, and sizes. That of one of
/// the hub is its commit, once every split that it names is known to be there.
///
/// # Errors
/// As [`Dataset::find`]; splits that a hub dataset does not have, or that share files.
pub fn dataset_fact(spec: &DatasetSpec, hub: &Hub) -> Result<DatasetFact> {
    match &OfHub::of(spec) {
        None => {
            let found = Dataset::find(spec, hub)?;
            let size = |part| found.source.size(part);
            Ok(DatasetFact {
                held_out_bytes: size(Part::Validation)
                    .zip(size(Part::Test))
                    .map(|(validation, test)| [validation, test]),
                fingerprint: found.fingerprint,
            })
        }
        Some(of_hub) => {
            let files = DatasetFiles::find(&of_hub.repo, hub)?;
            of_hub.splits().check(&files)?;
            Ok(DatasetFact {
                held_out_bytes: None,
                fingerprint: files.commit,
            })
        }
    }
}

/// Reads what is here of a dataset for mistakes that a run would find later: of a hub dataset what
/// the cache has, of JSON files all rows. Of any other [`dataset_fact`] has done it.
///
/// # Errors
/// What is wrong with columns and rows.
pub fn check_rows(spec: &DatasetSpec, hub: &Hub) -> Result<()> {
    match &OfHub::of(spec) {
        None => Dataset::find(spec, hub)?.source.check_rows(),
        Some(of_hub) => {
            let files = DatasetFiles::find(&of_hub.repo, hub)?;
            of_hub.splits().check_cached(&files, hub)
        }
    }
}

/// A dataset of the hub, as a spec names it.
struct OfHub<'a> {
    repo: Repo,
    config: Option<&'a str>,
    splits: [&'a str; 3],
    column: TextColumn,
}

impl<'a> OfHub<'a> {
    fn of(spec: &'a DatasetSpec) -> Option<Self> {
        match spec {
            DatasetSpec::Synthetic { .. }
            | DatasetSpec::Text { .. }
            | DatasetSpec::Parquet { .. }
            | DatasetSpec::Jsonl { .. } => None,
            DatasetSpec::Hub {
                repo,
                config,
                revision,
                train,
                validation,
                test,
                column,
                rows,
                detokenize,
                ..
            } => Some(Self {
                repo: Repo::dataset(repo, revision),
                config: config.as_deref(),
                splits: [train, validation, test],
                column: TextColumn::new(column, *rows, *detokenize),
            }),
        }
    }

    fn splits(&self) -> NamedSplits<'_> {
        NamedSplits {
            config: self.config,
            splits: self.splits,
            column: &self.column,
        }
    }
}

/// The source that a spec asks for, and its limit of training tokens. It is long because
/// it is one exhaustive match over every source and its fields: whoever adds one is led here.
fn find_source<'a>(
    spec: &'a DatasetSpec,
    hub: &'a Hub<'a>,
) -> Result<(Box<dyn DocumentSource + 'a>, Option<u64>)> {
    Ok(match spec {
        &DatasetSpec::Synthetic {
            seed,
            train_words,
            validation_words,
            test_words,
            train_tokens,
        } => {
            let source = SyntheticSource {
                seed,
                train_words,
                validation_words,
                test_words,
            };
            (Box::new(source), train_tokens)
        }
        DatasetSpec::Text {
            train,
            validation,
            test,
            cut,
            documents,
            detokenize,
            train_tokens,
        } => {
            let paths = SplitPaths {
                train,
                validation,
                test,
                cut: *cut,
            };
            let source = TextSource::find(&paths, *documents, *detokenize)?;
            (Box::new(source), *train_tokens)
        }
        DatasetSpec::Parquet {
            train,
            validation,
            test,
            cut,
            column,
            rows,
            detokenize,
            train_tokens,
        }
        | DatasetSpec::Jsonl {
            train,
            validation,
            test,
            cut,
            column,
            rows,
            detokenize,
            train_tokens,
        } => {
            let paths = SplitPaths {
                train,
                validation,
                test,
                cut: *cut,
            };
            let format = match spec {
                DatasetSpec::Jsonl { .. } => DataFormat::Json,
                _ => DataFormat::Parquet,
            };
            let column = TextColumn::new(column, *rows, *detokenize);
            let source = RowFiles::find(&paths, format, column)?;
            (Box::new(source), *train_tokens)
        }
        DatasetSpec::Hub {
            repo,
            config,
            revision,
            train,
            validation,
            test,
            cut,
            column,
            rows,
            detokenize,
            train_tokens,
        } => {
            let source = HubSource {
                hub,
                name: repo,
                files: DatasetFiles::find(&Repo::dataset(repo, revision), hub)?,
                config: config.as_deref(),
                train,
                validation,
                test,
                cut: *cut,
                column: TextColumn::new(column, *rows, *detokenize),
                may_end_early: train_tokens.is_some(),
            };
            (Box::new(source), *train_tokens)
        }
    })
}

#[cfg(test)]
#[path = "dataset_tests.rs"]
mod tests;
