//! A file of a tokenizer, read whole.

use std::path::Path;

use anyhow::{Context, Result, ensure};

/// A larger file is refused: GPT-2's tokenizer.json has 1.4 MB.
const LARGEST: u64 = 64 << 20;

/// The text of a file.
pub(super) fn text(path: &Path) -> Result<String> {
    let length = std::fs::metadata(path)
        .with_context(|| format!("cannot open {}", path.display()))?
        .len();
    ensure!(
        length <= LARGEST,
        "{} has {length} bytes, more than a tokenizer can need ({LARGEST})",
        path.display()
    );
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
