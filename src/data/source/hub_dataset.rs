//! A dataset of the hub as a source.

use anyhow::Result;

use super::document::{DocumentAction, Part, PieceVisitor, ReadLimit};
use super::document_source::DocumentSource;
use super::parquet::{self, TextColumn};
use super::shards::DatasetFiles;
use super::shares::{self, Shares};
use crate::data::recipe::Recipe;
use crate::hub::Hub;

/// Parquet files of the hub, each fetched when its turn comes.
pub struct HubSource<'a> {
    pub hub: &'a Hub<'a>,
    pub name: &'a str,
    pub files: DatasetFiles,
    pub config: Option<&'a str>,
    pub train: &'a str,
    /// The name of a split, or a share of the training documents.
    pub validation: &'a str,
    pub test: &'a str,
    pub column: TextColumn,
}

impl DocumentSource for HubSource<'_> {
    /// The commit names the content of every file.
    fn add_to(&self, recipe: &mut Recipe) {
        recipe
            .add("source", "hub")
            .add("repo", self.name)
            .add("commit", &self.files.commit)
            .add("config", self.config.unwrap_or_default())
            .add("train", self.train)
            .add("validation", self.validation)
            .add("test", self.test)
            .add("shares", shares::VERSION)
            .add("column", &self.column.name)
            .add_rows(self.column.rows)
            .add_detokenize(self.column.detokenize);
    }

    fn visit(
        &self,
        part: Part,
        reach: ReadLimit,
        _: &str,
        visitor: &mut PieceVisitor,
    ) -> Result<()> {
        let shares = Shares::new(self.validation, self.test);
        let split = match part {
            Part::Train => self.train,
            Part::Validation if shares.of_validation() => self.train,
            Part::Test if shares.of_test() => self.train,
            Part::Validation => self.validation,
            Part::Test => self.test,
        };
        let paths = self.files.split(self.config, split)?;
        let (repo, commit) = (&self.files.repo, &self.files.commit);
        self.hub.room_for(repo, commit, paths.iter().copied())?;
        let files = paths.iter().map(|path| self.hub.file(repo, commit, path));
        if split == self.train && shares.any() {
            let mut choose = shares.chooser(part, reach);
            parquet::visit(files, &self.column, &mut choose, visitor)
        } else {
            parquet::visit(files, &self.column, &mut |_| DocumentAction::Take, visitor)
        }
    }

    fn empty_remedy(&self, part: Part) -> String {
        format!(
            "name a split with text, or a larger share, in dataset.{}",
            part.name()
        )
    }
}
