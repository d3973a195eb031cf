//! Text that comes piece by piece, split where a separator is written in it.

use std::ops::ControlFlow;

use anyhow::Result;

/// What comes of a text: stretches of it, and the separators between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextPart<'a> {
    Text(&'a str),
    Separator,
}

/// Receives the parts; `Break` means that nothing more is wanted.
pub type PartReceiver<'a> = dyn FnMut(TextPart) -> Result<ControlFlow<()>> + 'a;

/// Finds the separators of a text, whatever pieces it comes in.
#[derive(Debug)]
pub struct Separated<'a> {
    separator: &'a str,
    /// The end of what came, which may be the beginning of a separator.
    held: String,
}

impl<'a> Separated<'a> {
    /// An empty separator is never found.
    pub fn new(separator: &'a str) -> Self {
        Self {
            separator,
            held: String::new(),
        }
    }

    /// Hands on what is certain once `text` is there.
    ///
    /// # Errors
    /// What the receiver returns.
    pub fn push(&mut self, text: &str, receive: &mut PartReceiver) -> Result<ControlFlow<()>> {
        if self.separator.is_empty() {
            return receive(TextPart::Text(text));
        }
        let whole = if self.held.is_empty() {
            text
        } else {
            self.held.push_str(text);
            &std::mem::take(&mut self.held)
        };
        let mut rest = whole;
        while let Some((before, after)) = rest.split_once(self.separator) {
            if receive(TextPart::Text(before))?.is_break()
                || receive(TextPart::Separator)?.is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
            rest = after;
        }
        let open = (1..self.separator.len())
            .rev()
            .find(|&length| {
                let begun = self.separator.get(..length);
                begun.is_some_and(|begun| rest.ends_with(begun))
            })
            .unwrap_or(0);
        let (certain, held) = rest.split_at(rest.len() - open);
        self.held = held.to_owned();
        receive(TextPart::Text(certain))
    }

    /// Hands on the end of the text.
    ///
    /// # Errors
    /// What the receiver returns.
    pub fn finish(self, receive: &mut PartReceiver) -> Result<ControlFlow<()>> {
        receive(TextPart::Text(&self.held))
    }
}

#[cfg(test)]
#[path = "separated_tests.rs"]
mod tests;
