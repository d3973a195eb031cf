//! The only way anything is written: durable before visible, whole or not at all, with errors that
//! say what to do.
//!
//! - [`write_atomically`] for one file ([`write_by`] where it is too large to hold),
//!   [`write_folder`] for several that appear together, [`rename_folder`] for a folder that was
//!   built elsewhere, [`Append`] for files that grow, [`Partial`] for one that is filled over
//!   several attempts, [`link`] for a second name, [`write_output`] for what a user may want in a
//!   device or a pipe.
//! - [`set_aside`] for what turned out broken, [`remove_tree`] for what is no longer needed.
//! - [`entries`] for what lies in a folder.
//! - [`write_checksums`] and [`verify_checksums`] for `checksums.toml`; [`Lock`] for claims between
//!   processes.
//!
//! Every call that changes the disk goes through [`system`], where the environment variable
//! `KDPIPE_FAULT` can make the n-th of them fail or end the process; see [`fault`]. This module
//! knows nothing of what it writes.

mod append;
mod aside;
mod checksums;
mod error;
mod fault;
mod folders;
mod lock;
mod owner;
mod partial;
mod place;
mod pointer;
mod read;
mod space;
mod system;
#[cfg(test)]
pub(crate) mod test_disk;
#[cfg(test)]
mod tests;
mod write;

pub use append::Append;
pub use aside::{is_set_aside, set_aside};
pub use checksums::{
    CHECKSUMS, Checksum, Checksums, Mismatch, checksums_text, compare_some, missing_files,
    read_checksums, sha256_of_file, verify_checksums, write_checksums,
};
pub use folders::{create_folders, entries, sync_folder};
pub use lock::{Lock, LockClaim, LockOwner};
pub use owner::unique_name;
pub use partial::Partial;
pub use place::{Placed, link, remove_file, remove_if_empty, remove_tree, rename_folder};
pub use pointer::{is_lfs_pointer, starts_lfs_pointer};
pub use read::{read_limited, read_text};
pub use space::{free_space, size_in_words};
pub use write::{write_atomically, write_by, write_folder, write_new, write_output};
