//! A folder of this process, in memory where the system has such a place.

use std::path::PathBuf;
use std::sync::LazyLock;

pub static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() }.join(format!("kdpipe-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
});

/// Writes a file of the folder.
pub fn put(name: &str, bytes: &[u8]) -> PathBuf {
    let path = FOLDER.join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).expect("a folder");
    }
    std::fs::write(&path, bytes).expect("a file");
    path
}
