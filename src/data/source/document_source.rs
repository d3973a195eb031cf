//! What every source of documents must be able to do.

use anyhow::Result;

use super::document::{Part, PieceVisitor, ReadLimit};
use crate::data::recipe::Recipe;

/// A source whose inputs are found.
pub trait DocumentSource: Sync {
    /// Adds everything that determines the documents and their cut, but for `train_tokens`. Paths
    /// are none of it: the content is.
    fn add_to(&self, recipe: &mut Recipe);

    /// Hands the documents of a split to `visitor`. A share that is cut from the training documents
    /// is cut from those before the `reach`-th of them ends, or from all. Where a text file spells
    /// the `separator`, a document ends.
    ///
    /// # Errors
    /// Inputs that are missing, unreadable or not UTF-8 (file and byte), what cannot be fetched;
    /// and whatever the visitor returns.
    fn visit(
        &self,
        part: Part,
        reach: ReadLimit,
        separator: &str,
        visitor: &mut PieceVisitor,
    ) -> Result<()>;

    /// Refuses a split that is to be read to its end and that the disk has no room for.
    ///
    /// # Errors
    /// Too little room, and as [`DocumentSource::visit`].
    fn room_for_all(&self, _: Part) -> Result<()> {
        Ok(())
    }

    /// Bytes of a split as it lies on the disk, where they are known.
    fn size(&self, _: Part) -> Option<u64> {
        None
    }

    /// Reads the inputs for mistakes that finding them did not show.
    ///
    /// # Errors
    /// What is wrong with them, all of it at once.
    fn check_rows(&self) -> Result<()> {
        Ok(())
    }

    /// What a user can do about a split without text.
    fn empty_remedy(&self, part: Part) -> String;

    /// What the user should know of the text and need not act on, in sentences.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// The entropy of a document in nats, where the source knows the probability of its documents.
    fn document_entropy(&self) -> Option<f64> {
        None
    }
}
