//! Windows spread over a text: what is measured on a part of it is about all of it, not about how
//! it begins.

/// Windows that a part of a longer text is made of, at least: fewer are no sample of it.
const FEWEST: usize = 8;

/// Parts of a text, each of as many tokens, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    pub starts: Vec<usize>,
    /// Tokens of each.
    pub length: usize,
}

impl Windows {
    /// `count` windows of `length` tokens, the first at the beginning of a text of `tokens` tokens
    /// and the last at its end, the others evenly between. They do not overlap where the text holds
    /// count·length tokens.
    pub fn evenly(tokens: usize, length: usize, count: usize) -> Self {
        let gaps = count.saturating_sub(1).max(1);
        let last = tokens.saturating_sub(length);
        Self {
            starts: (0..count).map(|index| index * last / gaps).collect(),
            length,
        }
    }

    /// As many windows of at most `context` tokens as `wanted` tokens fill, and a text of `tokens`
    /// tokens holds.
    pub fn holding(tokens: usize, context: usize, wanted: usize) -> Self {
        let wanted = wanted.min(tokens);
        let length = Self::length(context, wanted, tokens);
        Self::evenly(tokens, length, wanted.checked_div(length).unwrap_or(0))
    }

    /// Tokens of a window: the context, but fewer where `wanted` tokens of a text of `tokens` would
    /// come from a few places of it.
    pub fn length(context: usize, wanted: usize, tokens: usize) -> usize {
        let length = context.min(wanted);
        if tokens > 2 * wanted {
            length.min((wanted / FEWEST).max(2))
        } else {
            length
        }
    }

    /// Place in the text of every token of the windows.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        let starts = self.starts.iter();
        starts.flat_map(|&start| start..start + self.length)
    }
}

#[cfg(test)]
#[path = "windows_tests.rs"]
mod tests;
