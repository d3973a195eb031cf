//! From a dataset to streams of tokens, and from streams to batches.
//!
//! [`prepare()`] is the way in. It finds the inputs of the three splits and their documents
//! ([`source`]; the embedded source is [`grammar`]), trains or loads the [`tokenizer`], encodes
//! every document followed by the token that ends a text (`encode`) and keeps the streams in one
//! memory-mapped file ([`cache`]) named by the content of both (`recipe`), so that a second start
//! reads no text.
//! [`batches`] says which tokens a training step reads; `single` tokenizes one file for itself.
//! Memory stays flat in the size of the corpus; the bytes are the same for any number of threads.
//! This module does not know that there are models.

pub mod batches;
pub mod cache;
mod encode;
pub mod grammar;
mod item_texts;
mod overlap;
mod piece_batch;
mod prepare;
mod prepared;
mod recipe;
mod single;
pub mod source;
mod task_files;
mod tasks;
pub mod tokenizer;
mod utf8;

pub use batches::{Batch, Order, batch};
pub use overlap::SharedDocuments;
pub use prepare::prepare;
pub use prepared::{Exact, Prepared, Split};
pub use single::{Single, single};
pub use source::{Dataset, check_rows, dataset_fact};
pub use tasks::{Item, Task, task_fact};
pub use tokenizer::{END_OF_TEXT, KeptFiles, Tokenizer, TokenizerFile, trained_with};
pub use utf8::Utf8Stream;

#[cfg(test)]
mod tests;
