//! The same table as text: for people and spreadsheets.

use std::fmt::Write;

use anyhow::Result;

use super::column::{Column, Table};

impl Table {
    /// Comma-separated values after RFC 4180, with `\n` between rows. Numbers are the shortest that
    /// read back as the same; what is absent is empty, and what is not a number is `NaN`.
    ///
    /// # Errors
    /// None today; callers that write the result have a `Result` anyway.
    pub fn to_csv(&self) -> Result<Vec<u8>> {
        let mut text = String::new();
        for (place, name) in self.names().enumerate() {
            separate(&mut text, place);
            quote(&mut text, name);
        }
        text.push('\n');
        for row in 0..self.rows() {
            for (place, (_, column)) in self.columns().iter().enumerate() {
                separate(&mut text, place);
                match column {
                    Column::Text(values) => quote(&mut text, &values[row]),
                    _ => text.push_str(&column.cell(row)),
                }
            }
            text.push('\n');
        }
        Ok(text.into_bytes())
    }
}

fn separate(text: &mut String, place: usize) {
    if place > 0 {
        text.push(',');
    }
}

fn quote(text: &mut String, value: &str) {
    if value.contains([',', '"', '\n', '\r']) {
        let _ = write!(text, "\"{}\"", value.replace('"', "\"\""));
    } else {
        text.push_str(value);
    }
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
