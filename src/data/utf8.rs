//! Bytes that come a few at a time, as text: a character whose bytes are spread over several tokens
//! appears once it is whole.

/// What `String::from_utf8_lossy` makes of all bytes together, as they come.
#[derive(Debug, Default)]
pub struct Utf8Stream {
    /// The beginning of a character: at most three bytes.
    begun: Vec<u8>,
}

impl Utf8Stream {
    /// Hands on the text that is certain once `bytes` are there. Bytes that are no character become
    /// U+FFFD.
    pub fn push(&mut self, bytes: &[u8], mut receive: impl FnMut(&str)) {
        self.begun.extend_from_slice(bytes);
        let mut from = 0;
        while from < self.begun.len() {
            let rest = &self.begun[from..];
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    receive(text);
                    from = self.begun.len();
                }
                Err(error) => {
                    let (text, after) = rest.split_at(error.valid_up_to());
                    if !text.is_empty() {
                        receive(std::str::from_utf8(text).expect("valid up to there"));
                    }
                    from += text.len();
                    let Some(wrong) = error.error_len() else {
                        break;
                    };
                    receive("\u{fffd}");
                    from += wrong.min(after.len());
                }
            }
        }
        self.begun.drain(..from);
    }

    /// Hands on what stands for half a character at the end.
    pub fn finish(self, mut receive: impl FnMut(&str)) {
        if !self.begun.is_empty() {
            receive("\u{fffd}");
        }
    }
}

#[cfg(test)]
#[path = "utf8_tests.rs"]
mod tests;
