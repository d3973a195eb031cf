//! Text files as documents. They may be packed ([`super::archive`]).
//!
//! A file is one document, or several where the token that ends a document is spelled between them,
//! as `<|endoftext|>` is in the published files of TinyStories: what is between two separators is a
//! document, with the ends of line beside them. The stream of such a file is then the one that
//! transformers makes of it, and the same for a study and for `eval`.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Result;

use super::archive::Archive;
use super::cutter::Cutter;
use super::document::{Part, PieceVisitor, ReadLimit};
use super::document_source::DocumentSource;
use super::file_hash::FileFacts;
use super::input_files::InputFiles;
use super::separated::{Separated, TextPart};
use crate::data::recipe::Recipe;
use crate::plan::InputFault;
use crate::plan::run::{Detokenize, SplitPaths, TextDocuments};

/// Changes with the rule that makes documents of files.
const VERSION: u32 = 2;

/// Text files, each of which is a document or several.
pub struct TextSource {
    pub files: InputFiles,
    pub documents: TextDocuments,
    pub detokenize: Detokenize,
}

impl TextSource {
    /// Finds the files, and looks into them.
    ///
    /// # Errors
    /// As [`InputFiles::find`]; files that hold something else than text.
    pub fn find(
        paths: &SplitPaths,
        documents: TextDocuments,
        detokenize: Detokenize,
    ) -> Result<Self> {
        Ok(Self {
            files: InputFiles::find(paths, &check_text)?,
            documents,
            detokenize,
        })
    }
}

impl DocumentSource for TextSource {
    fn add_to(&self, recipe: &mut Recipe) {
        recipe.add("source", "text").add("documents", VERSION);
        self.files.add_to(recipe);
        recipe
            .add_articles(self.documents == TextDocuments::Articles)
            .add_detokenize(self.detokenize);
    }

    fn visit(
        &self,
        part: Part,
        reach: ReadLimit,
        separator: &str,
        visitor: &mut PieceVisitor,
    ) -> Result<()> {
        let (files, mut cutter) = self.files.cutter(part, reach, self.detokenize, visitor);
        if self.documents == TextDocuments::Articles {
            cutter.cut_articles();
        }
        for file in files {
            let flow = visit(&file.path, separator, &mut cutter)
                .map_err(|error| InputFault::at_key(error, &file.key))?;
            if flow.is_break() {
                break;
            }
        }
        cutter.finish()
    }

    /// Lines of JSON and of tables are text as well, but hardly the one that is meant.
    fn notes(&self) -> Vec<String> {
        let files = Part::ALL.map(|part| self.files.of(part));
        let paths = files.into_iter().flatten().map(|file| file.path.as_path());
        let paths: Vec<&Path> = paths.collect();
        let json = first_of(&paths, begins_with_json).map(|(path, more)| {
            format!(
                "{}{more} holds JSON, which is read as the text that it is, with keys and \
                 quotation marks; write dataset.source = \"jsonl\" if its texts are meant",
                path.display()
            )
        });
        let is_table = |path: &Path| separator_of_table(path).is_some();
        let table = first_of(&paths, is_table).map(|(path, more)| {
            let shown = path.display().to_string();
            let tabs = match separator_of_table(path) {
                Some('\t') => ", separator=\"\\t\"",
                _ => "",
            };
            format!(
                "{shown}{more} is a table by its name, which is read as the text that it is, with \
                 all columns, separators and quotation marks; if the texts of a column are meant, \
                 write it as parquet, in Python by \
                 polars.read_csv({shown:?}{tabs}).write_parquet(\"texts.parquet\"), and \
                 dataset.source = \"parquet\""
            )
        });
        json.into_iter().chain(table).collect()
    }

    fn size(&self, part: Part) -> Option<u64> {
        Some(self.files.size(part))
    }

    fn empty_remedy(&self, part: Part) -> String {
        self.files.empty_remedy(part)
    }
}

/// What a file shows without being unpacked to its end: that it is text, in UTF-8. Of a packed one
/// the beginning is read.
fn check_text(path: &Path, facts: &FileFacts) -> Result<()> {
    let mut archive = Archive::look_into(path)?;
    match facts.not_utf8_at {
        Some(at) if !archive.is_packed() => Err(not_utf8(path, at, "")),
        Some(_) | None => archive.read(&mut [0; 1]).map(drop),
    }
}

/// The first of the files that are of a kind, and how many more there are, in words.
fn first_of<'p>(paths: &[&'p Path], is_one: impl Fn(&Path) -> bool) -> Option<(&'p Path, String)> {
    let mut found = paths.iter().copied().filter(|&path| is_one(path));
    let first = found.next()?;
    let more = match found.count() {
        0 => String::new(),
        more => format!(" (and {more} more like it)"),
    };
    Some((first, more))
}

/// What parts the columns of a table, where a file is called as one, packed or not.
fn separator_of_table(path: &Path) -> Option<char> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let endings = [".gz", ".zst"];
    let unpacked = endings.iter().find_map(|end| name.strip_suffix(*end));
    match unpacked.unwrap_or(&name).rsplit_once('.')?.1 {
        "csv" => Some(','),
        "tsv" => Some('\t'),
        _ => None,
    }
}

/// Whether the first line of a file is a JSON object.
fn begins_with_json(path: &Path) -> bool {
    let mut head = vec![0; FIRST_LINE];
    let count = Archive::look_into(path).and_then(|mut archive| archive.read(&mut head));
    let head = &head[..count.unwrap_or(0)];
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or(head);
    line.starts_with(b"{") && serde_json::from_slice::<serde_json::Value>(line).is_ok()
}

fn not_utf8(path: &Path, at: u64, of_what: &str) -> anyhow::Error {
    let message = format!(
        "{} is not UTF-8: byte {at}{of_what} is no part of a character",
        path.display()
    );
    let hint = "convert the file (iconv -f ITS-ENCODING -t UTF-8) or take it out";
    InputFault::new(message, hint).into()
}

/// Hands the documents of a file to the cutter: what is between separators, or all of it. An empty
/// stretch is handed on as a document without text.
///
/// # Errors
/// A file that cannot be read or unpacked, holds something else than text, is not UTF-8 (with the
/// byte at which it stops being so), or has no place to cut in a very long stretch.
pub fn visit(file: &Path, separator: &str, cutter: &mut Cutter) -> Result<ControlFlow<()>> {
    let mut receive = |part: TextPart| {
        let flow = match part {
            TextPart::Text(text) => cutter.push(text),
            TextPart::Separator => cutter.end(),
        };
        flow.map_err(|error| match InputFault::found_in(&error) {
            Some(_) => error,
            None => error.context(format!("while reading {}", file.display())),
        })
    };
    let mut separated = Separated::new(separator);
    if read(file, &mut |text| separated.push(text, &mut receive))?.is_break()
        || separated.finish(&mut receive)?.is_break()
    {
        return Ok(ControlFlow::Break(()));
    }
    cutter.end()
}

/// Bytes in which a first line is looked for.
const FIRST_LINE: usize = 4096;

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
    let (mut held, mut offset) = (0, 0u64);
    loop {
        let count = file.read(&mut buffer[held..])?;
        let block = &buffer[..held + count];
        let valid = match std::str::from_utf8(block) {
            Ok(_) => block.len(),
            Err(error) if error.error_len().is_none() && count > 0 => error.valid_up_to(),
            Err(error) => {
                let at = offset + error.valid_up_to() as u64;
                return Err(not_utf8(path, at, file.of_what()));
            }
        };
        let text = std::str::from_utf8(&block[..valid]).expect("checked above");
        if receive(text)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if count == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        held = block.len() - valid;
        offset += valid as u64;
        buffer.copy_within(valid..valid + held, 0);
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
