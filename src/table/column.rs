//! Named columns of equal length.

use std::borrow::Cow;

use anyhow::{Result, bail};

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    F64(Vec<f64>),
    /// Numbers some of which are absent; absent is not NaN.
    Sparse(Vec<Option<f64>>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    /// Whole numbers some of which are absent.
    Counts(Vec<Option<u64>>),
    I64(Vec<i64>),
    Flags(Vec<bool>),
    Text(Vec<String>),
}

impl Column {
    pub fn len(&self) -> usize {
        match self {
            Self::F64(values) => values.len(),
            Self::Sparse(values) => values.len(),
            Self::U32(values) => values.len(),
            Self::U64(values) => values.len(),
            Self::Counts(values) => values.len(),
            Self::Flags(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One value as text: a number as the shortest that reads back as the same, what is absent as
    /// nothing, and what is not a number as `NaN`.
    pub fn cell(&self, row: usize) -> Cow<'_, str> {
        fn number(value: impl ToString) -> Cow<'static, str> {
            Cow::Owned(value.to_string())
        }
        let absent = Cow::Borrowed("");
        match self {
            Self::F64(values) => number(values[row]),
            Self::Sparse(values) => values[row].map_or(absent, number),
            Self::Counts(values) => values[row].map_or(absent, number),
            Self::Flags(values) => number(values[row]),
            Self::U32(values) => number(values[row]),
            Self::U64(values) => number(values[row]),
            Self::I64(values) => number(values[row]),
            Self::Text(values) => Cow::Borrowed(&values[row]),
        }
    }

    /// What it holds, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::F64(_) => "numbers",
            Self::Sparse(_) => "numbers, some absent",
            Self::U32(_) | Self::U64(_) => "whole numbers",
            Self::Counts(_) => "whole numbers, some absent",
            Self::I64(_) => "whole numbers with sign",
            Self::Flags(_) => "true or false",
            Self::Text(_) => "text",
        }
    }
}

/// Columns in order, all of one length, no name twice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    columns: Vec<(String, Column)>,
}

impl Table {
    pub fn new() -> Self {
        Self::default()
    }

    /// The table with one more column at its end.
    ///
    /// # Panics
    /// If the name is taken or the length is another: tables are made by this program.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, column: Column) -> Self {
        let name = name.into();
        assert!(
            self.column(&name).is_err(),
            "two columns are called `{name}`"
        );
        assert!(
            self.columns.is_empty() || self.rows() == column.len(),
            "`{name}` has {} rows where {} are",
            column.len(),
            self.rows()
        );
        self.columns.push((name, column));
        self
    }

    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    pub fn columns(&self) -> &[(String, Column)] {
        &self.columns
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// A column by name.
    ///
    /// # Errors
    /// There is none; the message lists those there are.
    pub fn column(&self, name: &str) -> Result<&Column> {
        match self.columns.iter().find(|(own, _)| own == name) {
            Some((_, column)) => Ok(column),
            None => bail!(
                "there is no column `{name}`; the columns are {}",
                self.names().collect::<Vec<_>>().join(", ")
            ),
        }
    }

    /// A column of numbers without gaps.
    ///
    /// # Errors
    /// No such column, or one of another kind.
    pub fn f64(&self, name: &str) -> Result<&[f64]> {
        match self.column(name)? {
            Column::F64(values) => Ok(values),
            other => wrong(name, "numbers", other),
        }
    }

    /// A column of numbers, with or without gaps.
    ///
    /// # Errors
    /// No such column, or one of another kind.
    pub fn sparse(&self, name: &str) -> Result<Cow<'_, [Option<f64>]>> {
        match self.column(name)? {
            Column::F64(values) => Ok(values.iter().map(|&value| Some(value)).collect()),
            Column::Sparse(values) => Ok(Cow::Borrowed(values)),
            other => wrong(name, "numbers", other),
        }
    }

    /// A column of whole numbers from 0 to 2³² − 1.
    ///
    /// # Errors
    /// No such column, or one of another kind.
    pub fn u32(&self, name: &str) -> Result<&[u32]> {
        match self.column(name)? {
            Column::U32(values) => Ok(values),
            other => wrong(name, "whole numbers of 32 bits", other),
        }
    }

    /// A column of whole numbers from 0.
    ///
    /// # Errors
    /// No such column, or one of another kind.
    pub fn u64(&self, name: &str) -> Result<&[u64]> {
        match self.column(name)? {
            Column::U64(values) => Ok(values),
            other => wrong(name, "whole numbers of 64 bits", other),
        }
    }

    /// A column of whole numbers with sign.
    ///
    /// # Errors
    /// No such column, or one of another kind.
    pub fn i64(&self, name: &str) -> Result<&[i64]> {
        match self.column(name)? {
            Column::I64(values) => Ok(values),
            other => wrong(name, "whole numbers with sign", other),
        }
    }

    /// A column of text.
    ///
    /// # Errors
    /// No such column, or one of another kind.
    pub fn text(&self, name: &str) -> Result<&[String]> {
        match self.column(name)? {
            Column::Text(values) => Ok(values),
            other => wrong(name, "text", other),
        }
    }
}

fn wrong<T>(name: &str, expected: &str, found: &Column) -> Result<T> {
    bail!("the column `{name}` holds {}, not {expected}", found.kind())
}

#[cfg(test)]
#[path = "column_tests.rs"]
mod tests;
