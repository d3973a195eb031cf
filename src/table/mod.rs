//! The only reader and writer of parquet. A [`Table`] is a list of named columns; the same content

#![allow(clippy::disallowed_types, reason = "the one place that knows parquet")]
//! gives the same bytes.
//!
//! Files are checked before they are decoded ([`guard`]): what a file says of itself is held
//! against its length and a limit, because a decoder that believes it may ask for more memory than
//! there is, and that ends the process. Large files of text are read group by group with [`Texts`].

mod column;
mod csv;
mod footer;
mod guard;
mod parquet;
#[cfg(test)]
mod tests;
mod texts;
mod thrift;

pub use column::{Column, Table};
pub use guard::Limits;
pub use parquet::{ParquetGroups, from_parquet, read, read_with, to_parquet};
pub use texts::{RefusedColumn, RowReceiver, Texts};
