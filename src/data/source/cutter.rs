//! The documents of one split, taken out of text that several splits share.
//!
//! Text comes piece by piece, with the ends of its documents. Where the splits are cut from it, a
//! document, or a block of so many of its lines, belongs to a split by its own text ([`Shares`]).
//! Neighbouring blocks of one split are one document of it; where a block of another split stands
//! between, the first lines of the next one are left out, so that no split goes on where another
//! ended.

use anyhow::Result;

use super::articles::{ArticleLines, ArticlePart};
use super::document::{Flow, Part, PieceVisitor, ReadLimit};
use super::segments::Segments;
use super::shares::Shares;
use crate::plan::InputFault;
use crate::plan::run::{Detokenize, LineBlocks};

/// The longest document, or block of lines, that is held in memory for its hash.
const LONGEST: usize = 256 << 20;
/// What divides documents, as a hint writes it.
const CUT: &str = "dataset.cut = { lines = 200, gap = 10 }";

/// What is cut from the training documents, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitCut {
    pub shares: Shares,
    /// By whole documents where there are none.
    pub blocks: Option<LineBlocks>,
}

/// Receives text and the ends of its documents, and hands on those of one split.
pub struct Cutter<'a, 'v> {
    segments: Segments,
    visitor: &'a mut PieceVisitor<'v>,
    /// Absent where all of the text is the split's.
    choice: Option<PartChoice>,
    /// Where articles are documents.
    articles: Option<ArticleLines>,
}

/// What is known of the text so far, where it is chosen from.
struct PartChoice {
    cut: SplitCut,
    part: Part,
    reach: ReadLimit,
    /// The document or block in hand.
    held: String,
    /// Lines of it.
    lines: u64,
    /// The split of the block before, in the same document.
    before: Option<Part>,
    /// Documents, or blocks, so far.
    units: u64,
    /// Training documents so far.
    trained: u64,
    /// Whether anything was of the split.
    any: bool,
}

impl<'a, 'v> Cutter<'a, 'v> {
    /// Hands on all of the text.
    pub fn of_all(detokenize: Detokenize, visitor: &'a mut PieceVisitor<'v>) -> Self {
        Self {
            segments: Segments::new(detokenize),
            visitor,
            choice: None,
            articles: None,
        }
    }

    /// Hands on what is of `part`, until the `reach`-th training document was passed.
    pub fn of_share(
        cut: SplitCut,
        part: Part,
        reach: ReadLimit,
        detokenize: Detokenize,
        visitor: &'a mut PieceVisitor<'v>,
    ) -> Self {
        Self {
            choice: Some(PartChoice {
                cut,
                part,
                reach,
                held: String::new(),
                lines: 0,
                before: None,
                units: 0,
                trained: 0,
                any: false,
            }),
            ..Self::of_all(detokenize, visitor)
        }
    }

    /// From here on every article of WikiText in a document is one of its own.
    pub fn cut_articles(&mut self) {
        self.articles = Some(ArticleLines::default());
    }

    /// Adds text to the document in hand.
    ///
    /// # Errors
    /// A document or block that is too long, and as [`Segments::push`].
    pub fn push(&mut self, text: &str) -> Result<Flow> {
        match self.articles.take() {
            None => self.add(text),
            Some(mut articles) => {
                let flow = articles.push(text, &mut |part| self.receive(part));
                self.articles = Some(articles);
                flow
            }
        }
    }

    /// Tells of a blank line that the text itself does not show.
    ///
    /// # Errors
    /// As [`Cutter::push`].
    pub fn blank_line(&mut self) -> Result<Flow> {
        let Some(mut articles) = self.articles.take() else {
            return Ok(Flow::Continue(()));
        };
        let flow = articles.blank_line(&mut |part| self.receive(part));
        self.articles = Some(articles);
        flow
    }

    fn receive(&mut self, part: ArticlePart) -> Result<Flow> {
        match part {
            ArticlePart::Text(text) => self.add(text),
            ArticlePart::Begins => self.end_in_hand(),
        }
    }

    fn add(&mut self, text: &str) -> Result<Flow> {
        let Some(choice) = &mut self.choice else {
            return self.segments.push(text, self.visitor);
        };
        let Some(blocks) = choice.cut.blocks else {
            choice.hold(text)?;
            return Ok(Flow::Continue(()));
        };
        for line in text.split_inclusive('\n') {
            choice.hold(line)?;
            choice.lines += u64::from(line.ends_with('\n'));
            if choice.lines >= blocks.lines {
                let taken = choice.block(blocks.gap);
                if taken.hand_on(&mut self.segments, self.visitor)?.is_break() {
                    return Ok(Flow::Break(()));
                }
            }
        }
        Ok(Flow::Continue(()))
    }

    /// Ends the document in hand.
    ///
    /// # Errors
    /// As [`Segments::end`].
    pub fn end(&mut self) -> Result<Flow> {
        if let Some(mut articles) = self.articles.take() {
            let flow = articles.end(&mut |part| self.receive(part));
            self.articles = Some(ArticleLines::default());
            if flow?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        self.end_in_hand()
    }

    fn end_in_hand(&mut self) -> Result<Flow> {
        let Some(choice) = &mut self.choice else {
            return self.segments.end(self.visitor);
        };
        let taken = match choice.cut.blocks {
            None => choice.document(),
            Some(blocks) => choice.last_block(blocks.gap),
        };
        taken.hand_on(&mut self.segments, self.visitor)
    }

    /// Ends the text.
    ///
    /// # Errors
    /// A share that nothing fell into.
    pub fn finish(self) -> Result<()> {
        match self.choice {
            Some(choice) if !choice.any => Err(choice.nothing().into()),
            _ => Ok(()),
        }
    }
}

/// What becomes of a document or block.
#[derive(Default)]
struct Taken {
    /// Whether the document that was handed on before ends here.
    ends_before: bool,
    /// Whether nothing more is wanted.
    stops: bool,
    text: Option<String>,
    /// Whether the document ends behind the text.
    ends: bool,
}

impl Taken {
    fn hand_on(self, segments: &mut Segments, visitor: &mut PieceVisitor) -> Result<Flow> {
        if self.ends_before && segments.end(visitor)?.is_break() || self.stops {
            return Ok(Flow::Break(()));
        }
        if let Some(text) = self.text
            && segments.push(&text, visitor)?.is_break()
        {
            return Ok(Flow::Break(()));
        }
        if self.ends {
            return segments.end(visitor);
        }
        Ok(Flow::Continue(()))
    }
}

impl PartChoice {
    /// The document in hand, if it is of the split. An empty one is no document.
    fn document(&mut self) -> Taken {
        let text = std::mem::take(&mut self.held);
        if text.is_empty() {
            return Taken::default();
        }
        if self.is_reached() {
            return Taken {
                stops: true,
                ..Taken::default()
            };
        }
        let own = self.cut.shares.part(&text);
        let is_taken = self.count(own, true);
        Taken {
            text: is_taken.then_some(text),
            ends: is_taken,
            ..Taken::default()
        }
    }

    /// The block in hand, if it is of the split; without its first lines where the one before is of
    /// another.
    fn block(&mut self, gap: u64) -> Taken {
        self.lines = 0;
        let mut text = std::mem::take(&mut self.held);
        let own = self.cut.shares.part(&text);
        let begins = self.before != Some(own);
        let mut taken = Taken::default();
        if begins && let Some(before) = self.before {
            text.drain(..length_of_lines(&text, gap));
            taken.ends_before = before == self.part;
        }
        self.before = Some(own);
        if begins && self.is_reached() {
            taken.stops = true;
        } else if self.count(own, begins && !text.is_empty()) {
            taken.text = Some(text);
        }
        taken
    }

    /// The rest of a document as a block, and its end.
    fn last_block(&mut self, gap: u64) -> Taken {
        let rest = if self.held.is_empty() {
            Taken::default()
        } else {
            self.block(gap)
        };
        Taken {
            ends: self.before.take() == Some(self.part),
            ..rest
        }
    }

    /// Counts a document or block, and where a document begins the document; whether it is of the
    /// split.
    fn count(&mut self, own: Part, begins: bool) -> bool {
        self.units += 1;
        self.trained += u64::from(begins && own == Part::Train);
        self.any |= own == self.part;
        own == self.part
    }

    fn hold(&mut self, text: &str) -> Result<()> {
        if self.held.len() + text.len() > LONGEST {
            let (what, hint) = match self.cut.blocks {
                None => (
                    "a document",
                    format!("write {CUT} to cut blocks of its lines"),
                ),
                Some(_) => (
                    "a block of lines",
                    "write fewer dataset.cut.lines, or break its lines".to_owned(),
                ),
            };
            let message = format!(
                "{what} of more than {} MiB is too long to be cut by its hash",
                LONGEST >> 20
            );
            return Err(InputFault::new(message, hint).into());
        }
        self.held.push_str(text);
        Ok(())
    }

    /// Whether the last training document that counts was passed.
    fn is_reached(&self) -> bool {
        self.reach.is_some_and(|reach| self.trained >= reach)
    }

    /// Nothing fell into the split.
    fn nothing(&self) -> InputFault {
        let name = self.part.name();
        let (what, remedy) = match (self.cut.blocks, self.units) {
            (None, 1) => ("document", format!("write {CUT} to cut blocks of lines")),
            (None, _) => ("documents", format!("write {CUT} to cut blocks of lines")),
            (Some(_), 1) => ("block of lines", "write fewer dataset.cut.lines".to_owned()),
            (Some(_), _) => (
                "blocks of lines",
                "write fewer dataset.cut.lines".to_owned(),
            ),
        };
        let units = self.units;
        let (falls, size) = match self.part {
            Part::Train => ("all of it falls into the shares", "smaller shares"),
            Part::Validation | Part::Test => ("none of it falls into the share", "a larger share"),
        };
        InputFault::of_key(
            format!("dataset.{name}"),
            format!("the {name} split is empty: the text is {units} {what}, and {falls}"),
            format!("{remedy}, or write {size}"),
        )
    }
}

/// Bytes of the first lines of a text.
fn length_of_lines(text: &str, lines: u64) -> usize {
    let Some(last) = lines.checked_sub(1) else {
        return 0;
    };
    let mut ends = text.match_indices('\n').map(|(at, _)| at + 1);
    let end = usize::try_from(last).ok().and_then(|last| ends.nth(last));
    end.unwrap_or(text.len())
}

#[cfg(test)]
#[path = "cutter_tests.rs"]
mod tests;
