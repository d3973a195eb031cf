//! What version control leaves in the place of a large file that was not fetched.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes that a pointer has less of (github.com/git-lfs/git-lfs, docs/spec.md).
const LONGEST: usize = 1024;

/// Whether the first bytes of a file are those of a pointer of Git LFS, which are all of it: lines
/// of text that say which file belongs there.
pub fn starts_lfs_pointer(head: &[u8]) -> bool {
    let has = |words: &[u8]| head.windows(words.len()).any(|found| found == words);
    head.len() < LONGEST
        && (head.starts_with(b"version https://git-lfs.github.com/spec/")
            || head.starts_with(b"version https://hawser.github.com/spec/"))
        && has(b"\noid sha256:")
}

/// The same of a file; one that cannot be read is none.
pub fn is_lfs_pointer(path: &Path) -> bool {
    let mut head = Vec::with_capacity(LONGEST);
    let read = File::open(path).and_then(|file| file.take(LONGEST as u64).read_to_end(&mut head));
    read.is_ok() && starts_lfs_pointer(&head)
}
