//! Text files as documents. They may be packed ([`super::archive`]).

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::archive::Archive;
use super::document::{Part, PieceVisitor, ReadLimit};
use super::document_source::DocumentSource;
use super::input_files::InputFiles;
use super::segments::Segments;
use crate::data::recipe::Recipe;
use crate::plan::run::Detokenize;

/// Text files, each of which is one document.
pub struct TextSource {
    pub files: InputFiles,
    pub detokenize: Detokenize,
}

impl DocumentSource for TextSource {
    fn add_to(&self, recipe: &mut Recipe) {
        recipe.add("source", "text");
        self.files.add_to(recipe);
        recipe.add_detokenize(self.detokenize);
    }

    fn visit(&self, part: Part, _: ReadLimit, visitor: &mut PieceVisitor) -> Result<()> {
        visit(self.files.paths(part), self.detokenize, visitor)
    }

    fn empty_remedy(&self, part: Part) -> String {
        format!("name files with text in dataset.{}", part.name())
    }
}

/// Hands every file to the visitor as one document.
///
/// # Errors
/// A file that cannot be read or unpacked, is not UTF-8 (with the byte at which it stops being so),
/// or has no place to cut in a very long stretch.
pub fn visit<P: AsRef<Path>>(
    files: impl IntoIterator<Item = P>,
    detokenize: Detokenize,
    visitor: &mut PieceVisitor,
) -> Result<()> {
    for file in files {
        let file = file.as_ref();
        let mut segments = Segments::new(detokenize);
        let mut push = |text: &str| {
            segments
                .push(text, visitor)
                .with_context(|| format!("while reading {}", file.display()))
        };
        if read(file, &mut push)?.is_break() || segments.end(visitor)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Bytes read at a time.
const BLOCK: usize = 256 * 1024;

fn read(
    path: &Path,
    receive: &mut dyn FnMut(&str) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let mut file = Archive::open(path)?;
    let mut buffer = vec![0; BLOCK];
    // The first `held` bytes are the beginning of a character that the block before ended in;
    // `offset` is their place in the text.
    let (mut held, mut offset) = (0, 0);
    loop {
        let count = file.read(&mut buffer[held..])?;
        let block = &buffer[..held + count];
        let valid = match std::str::from_utf8(block) {
            Ok(_) => block.len(),
            Err(error) if error.error_len().is_none() && count > 0 => error.valid_up_to(),
            Err(error) => bail!(
                "{} is not UTF-8: byte {}{} is no part of a character; convert the file (iconv -t \
                 UTF-8) or take it out of the dataset",
                path.display(),
                offset + error.valid_up_to(),
                file.of_what()
            ),
        };
        let text = std::str::from_utf8(&block[..valid]).expect("checked above");
        if receive(text)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if count == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        held = block.len() - valid;
        offset += valid;
        buffer.copy_within(valid..valid + held, 0);
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
