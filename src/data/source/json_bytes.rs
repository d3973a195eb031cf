//! Bytes of JSON on their way to a reader of one value after another: a list becomes its items, and
//! numbers that only Python writes become plain ones.

use std::io::{self, Read};

/// Where in the JSON the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Before the first value.
    Start,
    Value,
    Text,
    /// In a text, behind a backslash.
    Escape,
}

/// Reads what `inner` gives, with these changes, which keep every line and column:
/// a list that begins the text loses its brackets and the commas between its items;
/// `NaN` and `Infinity`, which Python writes and JSON does not have, become `0`.
pub struct JsonBytes<R> {
    inner: R,
    within: Within,
    /// Whether the next byte is in a list that the text began with.
    is_list: bool,
    /// How deep in lists and objects.
    depth: usize,
    /// What is left of a number that JSON does not have.
    rest: &'static [u8],
}

impl<R: Read> JsonBytes<R> {
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            within: Within::Start,
            is_list: false,
            depth: 0,
            rest: b"",
        }
    }

    fn change(&mut self, byte: u8) -> u8 {
        match self.within {
            Within::Start if byte.is_ascii_whitespace() => byte,
            Within::Start => {
                self.within = Within::Value;
                self.is_list = byte == b'[';
                self.change(byte)
            }
            Within::Escape => {
                self.within = Within::Text;
                byte
            }
            Within::Text => {
                match byte {
                    b'"' => self.within = Within::Value,
                    b'\\' => self.within = Within::Escape,
                    _ => {}
                }
                byte
            }
            Within::Value => self.outside(byte),
        }
    }

    /// A byte that is part of no text.
    fn outside(&mut self, byte: u8) -> u8 {
        if let Some((next, rest)) = self.rest.split_first() {
            self.rest = if *next == byte { rest } else { b"" };
            if *next == byte {
                return b' ';
            }
        }
        match byte {
            b'"' => self.within = Within::Text,
            b'N' => {
                self.rest = b"aN";
                return b'0';
            }
            b'I' => {
                self.rest = b"nfinity";
                return b'0';
            }
            b'[' | b'{' => {
                self.depth += 1;
                if self.is_list && self.depth == 1 {
                    return b' ';
                }
            }
            b']' | b'}' => {
                let closes_list = self.is_list && self.depth == 1 && byte == b']';
                self.depth = self.depth.saturating_sub(1);
                if closes_list {
                    // A list behind it is none of its items.
                    self.is_list = false;
                    return b' ';
                }
            }
            b',' if self.is_list && self.depth == 1 => return b' ',
            _ => {}
        }
        byte
    }
}

impl<R: Read> Read for JsonBytes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        for byte in &mut buffer[..count] {
            *byte = self.change(*byte);
        }
        Ok(count)
    }
}

#[cfg(test)]
#[path = "json_bytes_tests.rs"]
mod tests;
