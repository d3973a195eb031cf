//! What version control leaves in the place of a large file that was not fetched.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// How every pointer of Git LFS begins (github.com/git-lfs/git-lfs, docs/spec.md).
const BEGINNING: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Whether a file is a pointer of Git LFS: a few lines of text that say which file belongs there.
/// One that cannot be read is none.
pub fn is_lfs_pointer(path: &Path) -> bool {
    let mut start = Vec::with_capacity(BEGINNING.len());
    let length = BEGINNING.len() as u64;
    let read = File::open(path).and_then(|file| file.take(length).read_to_end(&mut start));
    read.is_ok() && start == BEGINNING
}
