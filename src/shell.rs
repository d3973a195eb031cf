//! Words of a shell: a leaf, so that whoever tells a command tells one that can be given.

use std::path::Path;

/// A text as one word of a shell, in quotes where it is not plain.
pub fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A path as one word of a shell.
pub fn path(path: &Path) -> String {
    word(&path.display().to_string())
}

#[cfg(test)]
#[path = "shell_tests.rs"]
mod tests;
