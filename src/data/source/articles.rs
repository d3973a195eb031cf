//! The articles of WikiText, found in the text by their headings.
//!
//! An article begins at its heading: a line ` = Title = `, with one mark on either side, between
//! two blank lines. Headings of sections have more marks, and lines of a formula or a table's key
//! that look like a heading (` = Played , W = `) stand in the middle of a paragraph. So the splits
//! of WikiText-2 have 600, 60 and 60 articles, as many as its authors say. Blank lines before the
//! first heading are the first article's; those before another one are of the article before.

use anyhow::Result;

use super::document::Flow;

/// The longest line that is looked at as a heading, in bytes.
const LONGEST_HEADING: usize = 4096;

/// What a text is handed on as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArticlePart<'t> {
    Text(&'t str),
    /// The text that follows is of another article than the text before.
    Begins,
}

/// Receives text and the beginnings of articles.
pub type ArticleParts<'r> = dyn FnMut(ArticlePart) -> Result<Flow> + 'r;

/// Looks for headings in text that comes piece by piece.
#[derive(Debug)]
pub struct ArticleLines {
    /// The line in hand, as far as it may still be a heading or blank.
    line: String,
    /// Whether the line in hand is neither, so that its rest is handed on as it comes.
    is_other: bool,
    /// A line that is a heading if the next one is blank.
    heading: String,
    /// Whether the line before the one in hand is blank, or there is none.
    after_blank: bool,
    /// Whether the article in hand has text that can be seen.
    has_text: bool,
}

impl Default for ArticleLines {
    fn default() -> Self {
        Self {
            line: String::new(),
            is_other: false,
            heading: String::new(),
            after_blank: true,
            has_text: false,
        }
    }
}

impl ArticleLines {
    /// Adds text.
    ///
    /// # Errors
    /// What `receive` gives.
    pub fn push(&mut self, text: &str, receive: &mut ArticleParts) -> Result<Flow> {
        for piece in text.split_inclusive('\n') {
            if self.push_piece(piece, receive)?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }

    /// A blank line that is not in the text.
    ///
    /// # Errors
    /// What `receive` gives.
    pub fn blank_line(&mut self, receive: &mut ArticleParts) -> Result<Flow> {
        if !self.line.is_empty() || self.is_other {
            return Ok(Flow::Continue(()));
        }
        self.after_blank = true;
        self.settle(true, receive)
    }

    /// Hands on what is held back, at the end of the text: a heading without text is none.
    ///
    /// # Errors
    /// What `receive` gives.
    pub fn end(&mut self, receive: &mut ArticleParts) -> Result<Flow> {
        if self.settle(false, receive)?.is_break() {
            return Ok(Flow::Break(()));
        }
        let line = std::mem::take(&mut self.line);
        self.hand_on(&line, receive)
    }

    /// Adds a line, or a part of one.
    fn push_piece(&mut self, piece: &str, receive: &mut ArticleParts) -> Result<Flow> {
        let ends = piece.ends_with('\n');
        if self.is_other {
            self.is_other = !ends;
            return self.hand_on(piece, receive);
        }
        self.line.push_str(piece);
        let seen = self.line.trim_ascii_start();
        let may_be_heading = seen.is_empty() || seen.starts_with('=');
        if !ends && may_be_heading && self.line.len() <= LONGEST_HEADING {
            return Ok(Flow::Continue(()));
        }
        let is_blank = ends && seen.is_empty();
        if self.settle(is_blank, receive)?.is_break() {
            return Ok(Flow::Break(()));
        }
        let line = std::mem::take(&mut self.line);
        let was_after_blank = std::mem::replace(&mut self.after_blank, is_blank);
        if ends && was_after_blank && is_heading(&line) {
            self.heading = line;
            return Ok(Flow::Continue(()));
        }
        self.is_other = !ends;
        self.hand_on(&line, receive)
    }

    /// Hands on a line that may be a heading, now that it is known whether the next is blank.
    fn settle(&mut self, before_blank: bool, receive: &mut ArticleParts) -> Result<Flow> {
        let heading = std::mem::take(&mut self.heading);
        let begins = before_blank && !heading.is_empty() && self.has_text;
        if begins && receive(ArticlePart::Begins)?.is_break() {
            return Ok(Flow::Break(()));
        }
        self.hand_on(&heading, receive)
    }

    fn hand_on(&mut self, text: &str, receive: &mut ArticleParts) -> Result<Flow> {
        if text.is_empty() {
            return Ok(Flow::Continue(()));
        }
        self.has_text |= !text.trim_ascii().is_empty();
        receive(ArticlePart::Text(text))
    }
}

/// Whether a line is a title between two marks.
fn is_heading(line: &str) -> bool {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    match words.as_slice() {
        ["=", title @ .., "="] => {
            let is_mark = |word: Option<&&str>| word.is_none_or(|word| *word == "=");
            !is_mark(title.first()) && !is_mark(title.last())
        }
        _ => false,
    }
}

#[cfg(test)]
#[path = "articles_tests.rs"]
mod tests;
