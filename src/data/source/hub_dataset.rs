//! A dataset of the hub as a source.

use anyhow::Result;

use super::cutter::{Cutter, SplitCut};
use super::document::{Part, PieceVisitor, ReadLimit};
use super::document_source::DocumentSource;
use super::rows;
use super::shards::{self, DatasetFiles};
use super::shares::{self, Shares};
use super::text_column::TextColumn;
use crate::data::recipe::Recipe;
use crate::hub::Hub;
use crate::plan::InputFault;
use crate::plan::run::LineBlocks;

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
    /// How shares are cut; absent means by whole documents.
    pub cut: Option<LineBlocks>,
    pub column: TextColumn,
    /// Whether reading of the training split may end before its last file.
    pub may_end_early: bool,
}

impl HubSource<'_> {
    /// The split that a part is cut from, or is.
    fn split_of(&self, part: Part) -> &str {
        let shares = Shares::new(self.validation, self.test);
        match part {
            Part::Train => self.train,
            Part::Validation if shares.of_validation() => self.train,
            Part::Test if shares.of_test() => self.train,
            Part::Validation => self.validation,
            Part::Test => self.test,
        }
    }
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
            .add_cut(self.cut)
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
        let split = self.split_of(part);
        let (format, paths) = self.files.split(self.config, split, &self.column.name)?;
        let (repo, commit) = (&self.files.repo, &self.files.commit);
        // What is read to its end is refused before its first file; the rest file by file.
        let may_end_early = self.may_end_early && split == self.train;
        if !may_end_early {
            self.hub
                .room_for(repo, commit, paths.iter().map(String::as_str))?;
        }
        let mut files = paths.iter().map(|path| {
            if may_end_early {
                self.hub.room_for(repo, commit, [path.as_str()])?;
            }
            self.hub.file(repo, commit, path)
        });
        let detokenize = self.column.detokenize;
        let mut cutter = if split == self.train && shares.any() {
            let cut = SplitCut {
                shares,
                blocks: self.cut,
            };
            Cutter::of_share(cut, part, reach, detokenize, visitor)
        } else {
            Cutter::of_all(detokenize, visitor)
        };
        rows::visit(format, &mut files, &self.column, &mut cutter)
            .and_then(|()| cutter.finish())
            .map_err(|error| InputFault::at_key(error, &format!("dataset.{}", part.name())))
    }

    fn room_for_all(&self, part: Part) -> Result<()> {
        let split = self.split_of(part);
        let (_, paths) = self.files.split(self.config, split, &self.column.name)?;
        let names = paths.iter().map(String::as_str);
        let (repo, commit) = (&self.files.repo, &self.files.commit);
        Ok(self.hub.room_for(repo, commit, names)?)
    }

    fn empty_remedy(&self, part: Part) -> String {
        format!(
            "name a split with text, or a larger share, in dataset.{}",
            part.name()
        )
    }
}
