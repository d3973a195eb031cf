//! Which text of a row is read, and how.

use crate::plan::run::{Detokenize, Rows};

/// What is read of files with rows.
#[derive(Debug, Clone)]
pub struct TextColumn {
    pub name: String,
    pub rows: Rows,
    pub detokenize: Detokenize,
}

impl TextColumn {
    pub fn new(name: &str, rows: Rows, detokenize: Detokenize) -> Self {
        Self {
            name: name.to_owned(),
            rows,
            detokenize,
        }
    }
}
