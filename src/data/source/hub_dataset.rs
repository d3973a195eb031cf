//! A dataset of the hub as a source.

use anyhow::Result;

use super::data_formats::DataFormat;
use super::document::{DocumentAction, Part, PieceVisitor, ReadLimit};
use super::document_source::DocumentSource;
use super::parquet::{self, TextColumn};
use super::rows::{visit_json, visit_text};
use super::shards::{self, DatasetFiles};
use super::shares::{self, Shares};
use crate::data::recipe::Recipe;
use crate::hub::Hub;
use crate::plan::InputFault;

/// Files of the hub, each fetched when its turn comes.
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
            .add("files", shards::VERSION)
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
        let (format, paths) = self.files.split(self.config, split, &self.column.name)?;
        let (repo, commit) = (&self.files.repo, &self.files.commit);
        self.hub
            .room_for(repo, commit, paths.iter().map(String::as_str))?;
        let mut files = paths.iter().map(|path| self.hub.file(repo, commit, path));
        let mut by_share = shares.chooser(part, reach);
        let choose: &mut dyn FnMut(&str) -> DocumentAction = if split == self.train && shares.any()
        {
            &mut by_share
        } else {
            &mut |_| DocumentAction::Take
        };
        let read = match format {
            DataFormat::Parquet => parquet::visit(files, &self.column, choose, visitor),
            DataFormat::Json => visit_json(&mut files, &self.column, choose, visitor),
            DataFormat::Text => visit_text(&mut files, &self.column, choose, visitor),
        };
        read.map_err(|error| InputFault::at_key(error, &format!("dataset.{}", part.name())))
    }

    fn empty_remedy(&self, part: Part) -> String {
        format!(
            "name a split with text, or a larger share, in dataset.{}",
            part.name()
        )
    }
}
