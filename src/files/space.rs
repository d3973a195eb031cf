//! How much room the disk has.

use std::path::Path;

/// Free bytes where the folder is, or will be; none where the system does not tell.
pub fn free_space(folder: &Path) -> Option<u64> {
    let here = if folder.is_absolute() {
        folder.to_owned()
    } else {
        Path::new(".").join(folder)
    };
    let existing = here.ancestors().find(|path| path.exists())?;
    let about = rustix::fs::statvfs(existing).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

/// A number of bytes as people say it: `950 KB`, `12 MB`, `5.3 GB`.
pub fn size_in_words(bytes: u64) -> String {
    match bytes as f64 {
        b if b < 1e6 => format!("{:.0} KB", b / 1e3),
        b if b < 1e9 => format!("{:.0} MB", b / 1e6),
        b => format!("{:.1} GB", b / 1e9),
    }
}

#[cfg(test)]
#[path = "space_tests.rs"]
mod tests;
