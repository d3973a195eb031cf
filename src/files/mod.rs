//! Files that survive a crash: the only way anything is written.
//!
//! A file appears whole or not at all: temporary file beside it, sync, rename, sync of the folder. Folders appear by one rename. A [`Lock`] only saves time.

mod append;
mod checksums;
mod fault;
mod lock;
mod write;

pub use append::Append;
pub use checksums::{CHECKSUMS, Mismatch, sha256, sha256_of_file, verify_checksums, write_checksums};
pub use lock::{Acquired, Lock};
pub use write::{create_folder, publish_folder, read, remove_tree, set_aside, sync_folder, unique_name, write_atomically};
