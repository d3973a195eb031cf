//! Errors of TOML syntax, with what to do about the common ones.

use std::ops::Range;

use super::super::diagnostics::Diagnostic;
use super::SpecText;
use super::string_text;

impl SpecText {
    /// An error of syntax, with what to do about the common ones.
    pub(super) fn not_toml(&self, message: &str, span: Option<Range<usize>>) -> Diagnostic {
        let message = message.trim().replace('\n', ", ");
        let marked = span
            .clone()
            .and_then(|span| self.text.get(span))
            .unwrap_or_default()
            .trim();
        let hint = match message.as_str() {
            text if text.starts_with("string values must be quoted") && marked.is_empty() => {
                "write a value behind the =".to_owned()
            }
            text if text.starts_with("string values must be quoted") => {
                format!("write {}", string_text(marked))
            }
            text if text.starts_with("duplicate key") => {
                "a key stands once in its table, and a table has one header: put the two together"
                    .to_owned()
            }
            text if text.contains("overflow") && text.contains("float") => {
                "write a smaller number: training computes in f32, which ends at 3.4e38".to_owned()
            }
            text if text.contains("overflow") => {
                "the largest whole number is 9223372036854775807".to_owned()
            }
            text if text.contains("visible characters") => {
                "take the control character out".to_owned()
            }
            text if text.contains("comment character") => {
                "take the control character out of the comment".to_owned()
            }
            text if text.starts_with("unclosed") || text.ends_with("`\"`") => {
                "close it on this line, or where it ends".to_owned()
            }
            text if text.starts_with("key with no value") => "write key = value".to_owned(),
            text if text.contains("unquoted key") => {
                "write key = value, with a key of letters, digits, - and _".to_owned()
            }
            text if text.contains("date") || text.contains("time") => {
                "write it in quotes if it is a text".to_owned()
            }
            text if text.contains("recurs") => {
                "lists and tables of a spec are a few levels deep".to_owned()
            }
            _ => "see https://toml.io for how it is written".to_owned(),
        };
        Diagnostic::new(format!("this is not TOML: {message}"))
            .at(span.map(|span| self.place(span)))
            .hint(hint)
    }
}
