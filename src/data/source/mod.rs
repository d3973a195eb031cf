//! From what a spec names to the documents of its three splits.
//!
//! [`Dataset`] is the way in: it finds a dataset's inputs once, knows their fingerprint, and hands
//! on the documents of a split piece by piece ([`document`]). What a kind of dataset must be able
//! to do is [`DocumentSource`]: the embedded grammar (`synthetic`), text files (`text`, packed ones
//! through `archive`), files with rows (`row_files`: `parquet` or JSON, which `rows` reads), and
//! datasets of the hub (`hub_dataset`: `shards` knows its files, by the `card` and by the rules of
//! `config_splits`; `hub_checks` looks for mistakes). Splits that are `shares` of the training
//! documents are taken out of any of them by [`cutter`], which also finds the [`articles`] of
//! WikiText. Long documents are cut by
//! [`segments`] where no token can reach across, and detokenized after the cut.
//!
//! The items of tasks in datasets of the hub are rows of several columns: `item_files` finds them,
//! and `item_rows` reads them.

mod archive;
mod articles;
mod card;
mod card_yaml;
mod config_splits;
mod contents;
pub mod cutter;
mod data_formats;
mod data_patterns;
mod dataset;
mod detokenize;
pub mod document;
mod document_source;
mod encodings;
mod file_hash;
#[cfg(test)]
pub(super) mod file_reads;
mod found_faults;
mod globs;
mod gzip;
mod hub_checks;
mod hub_dataset;
pub(super) mod input_files;
mod item_files;
mod item_rows;
mod json_bytes;
mod json_lines;
mod json_rows;
mod line_joiner;
mod parquet;
mod repo_use;
mod row_files;
mod rows;
pub mod segments;
mod separated;
mod shard_numbers;
mod shards;
mod shared_files;
mod shares;
mod synthetic;
pub mod text;
mod text_column;
mod text_lines;

pub use dataset::{Dataset, check_rows, dataset_fact};
pub use detokenize::wikitext;
pub use document_source::DocumentSource;
pub use item_files::{ItemFiles, ItemReach};
pub use item_rows::{ItemColumns, ItemRow};
