//! How words become text: spaces, capitals, articles and quotation marks. The same for writing and
//! for reading, and without a choice.

use super::symbols::{A, CLOSE, NEW_LINE, OPEN};

/// What the text so far asks of the next word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orthography {
    capital: bool,
    glued: bool,
    article: bool,
}

impl Orthography {
    /// The beginning of a text.
    pub fn new() -> Self {
        Self {
            capital: true,
            glued: true,
            article: false,
        }
    }

    /// Adds a word or mark to `out`.
    pub fn write(&mut self, word: &str, out: &mut String) {
        match word {
            A => self.article = true,
            OPEN => {
                self.space(out);
                out.push('"');
                (self.capital, self.glued) = (true, true);
            }
            CLOSE => {
                out.push('"');
                self.capital = false;
            }
            NEW_LINE => {
                out.push('\n');
                self.glued = true;
            }
            "." | "," | "?" => {
                out.push_str(word);
                self.capital = word != ",";
            }
            _ => {
                self.space(out);
                if std::mem::take(&mut self.article) {
                    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) || word == "honest"
                    {
                        "an"
                    } else {
                        "a"
                    };
                    self.letters(article, out);
                    out.push(' ');
                }
                self.letters(word, out);
                self.capital = word.ends_with('.');
                self.glued = false;
            }
        }
    }

    fn space(&mut self, out: &mut String) {
        if !std::mem::take(&mut self.glued) {
            out.push(' ');
        }
    }

    fn letters(&mut self, word: &str, out: &mut String) {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if std::mem::take(&mut self.capital) => out.extend(first.to_uppercase()),
            Some(first) => out.push(first),
            None => {}
        }
        out.push_str(letters.as_str());
    }
}

#[cfg(test)]
#[path = "orthography_tests.rs"]
mod tests;
