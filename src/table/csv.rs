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
                    Column::F64(values) => write!(text, "{}", values[row])?,
                    Column::Sparse(values) => {
                        values[row].map_or(Ok(()), |value| write!(text, "{value}"))?
                    }
                    Column::U32(values) => write!(text, "{}", values[row])?,
                    Column::U64(values) => write!(text, "{}", values[row])?,
                    Column::I64(values) => write!(text, "{}", values[row])?,
                    Column::Text(values) => quote(&mut text, &values[row]),
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
mod tests {
    use super::*;

    #[test]
    fn values_are_exact_and_text_is_quoted_where_it_must_be() {
        let table = Table::new()
            .with(
                "name",
                Column::Text(vec!["plain".into(), "a, \"b\"".into()]),
            )
            .with("x", Column::F64(vec![0.1, f64::NAN]))
            .with("y", Column::Sparse(vec![None, Some(-2.0)]))
            .with("n", Column::U32(vec![7, 0]));
        assert_eq!(
            String::from_utf8(table.to_csv().unwrap()).unwrap(),
            "name,x,y,n\nplain,0.1,,7\n\"a, \"\"b\"\"\",NaN,-2,0\n"
        );
    }
}
