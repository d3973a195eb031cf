//! What models are asked beside the loss of a text: minimal pairs, and texts whose last word is to
//! be guessed. They come from the embedded grammar or from files of JSON lines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use serde_json::{Map, Value};

use super::grammar::{self, minimal_pairs};
use super::source::globs;
use super::tokenizer::Tokenizer;
use crate::digest;
use crate::files;
use crate::plan::path::InputPath;
use crate::plan::run::TaskSpec;
use crate::plan::{InputFault, InputFaults, TaskFact};

/// More than any set of this kind takes.
const LIMIT: u64 = 256 << 20;
/// Seed of the stories that pairs are cut from.
const SEED: u64 = 0;
/// Stories looked at for an item, before a phenomenon is taken to be rare.
const STORIES: u64 = 100;
/// Agreement, the same across a clause, pronouns, the treasure.
const PHENOMENA_OF_GRAMMAR: usize = 4;
/// Keys that name what a pair is about, the first that is there (BLiMP's lines have several).
const PHENOMENA: [&str; 3] = ["linguistics_term", "phenomenon", "UID"];

/// A question to a model, as tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// The right text is to be more probable than the wrong one.
    Pair { right: Vec<u32>, wrong: Vec<u32> },
    /// The word is to be the most probable continuation, token by token.
    Cloze { before: Vec<u32>, word: Vec<u32> },
}

/// The items of a task by what they are about, in the order of their source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Task {
    pub items: BTreeMap<String, Vec<Item>>,
}

/// The tasks of `[evaluate.tasks]` under a tokenizer, by name.
///
/// # Errors
/// Files that cannot be read, or hold no such items, with the line.
pub fn tasks(
    specs: &BTreeMap<String, TaskSpec>,
    tokenizer: &Tokenizer,
) -> Result<BTreeMap<String, Task>> {
    let named = specs.iter().map(|(name, spec)| {
        let key = format!("evaluate.tasks.{name}.files");
        let task = match spec {
            TaskSpec::Grammar { items } => of_grammar(*items, tokenizer)?,
            TaskSpec::Pairs { files } => of_files(&key, files, &|line| pair(line, tokenizer))?,
            TaskSpec::Cloze { files } => of_files(&key, files, &|line| cloze(line, tokenizer))?,
        };
        Ok((name.clone(), task))
    });
    named.collect()
}

/// The tasks of a text's tokenizer, tokenized when they are asked for first: every evaluation of a
/// study asks the same.
#[derive(Debug, Default)]
pub struct KeptTasks(Mutex<Vec<KeptTask>>);

/// What was asked for, and the items.
type KeptTask = (BTreeMap<String, TaskSpec>, Arc<BTreeMap<String, Task>>);

impl KeptTasks {
    /// As [`tasks`].
    ///
    /// # Errors
    /// As of [`tasks`].
    pub fn of(
        &self,
        specs: &BTreeMap<String, TaskSpec>,
        tokenizer: &Tokenizer,
    ) -> Result<Arc<BTreeMap<String, Task>>> {
        // Whoever panicked with it left it as it was.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, tasks)) = kept.iter().find(|(known, _)| known == specs) {
            return Ok(Arc::clone(tasks));
        }
        let found = Arc::new(tasks(specs, tokenizer)?);
        kept.push((specs.clone(), Arc::clone(&found)));
        Ok(found)
    }
}

/// What identifies the items of a task, whatever its files are called, and their size; checks them
/// on the way.
///
/// # Errors
/// As of [`tasks`].
pub fn task_fact(name: &str, spec: &TaskSpec) -> Result<TaskFact> {
    let key = format!("evaluate.tasks.{name}.files");
    match spec {
        TaskSpec::Grammar { items } => {
            let pairs = pairs_of_grammar(*items);
            let sizes = pairs.values().flatten();
            Ok(TaskFact {
                fingerprint: format!("grammar {}", grammar::VERSION),
                bytes: sizes
                    .map(|[right, wrong]| right.len() + wrong.len())
                    .sum::<usize>() as u64,
            })
        }
        TaskSpec::Pairs { files } => fact_of_files(&key, files, &|line| {
            let (_, right, wrong) = pair_texts(line)?;
            Ok(right.len() + wrong.len())
        }),
        // It is scored, and then read for the word that is written.
        TaskSpec::Cloze { files } => fact_of_files(&key, files, &|line| {
            let (before, word) = cloze_texts(line)?;
            Ok(2 * (before.len() + word.len()))
        }),
    }
}

/// The right and the wrong text of pairs of the grammar, so many of each phenomenon.
fn pairs_of_grammar(items: usize) -> BTreeMap<&'static str, Vec<[String; 2]>> {
    let mut found: BTreeMap<&str, Vec<[String; 2]>> = BTreeMap::new();
    for story in 0..items as u64 * STORIES {
        for pair in minimal_pairs(SEED, story) {
            let known = found.entry(pair.phenomenon).or_default();
            if known.len() < items {
                known.push([pair.right, pair.wrong]);
            }
        }
        let is_full = |of_one: &Vec<_>| of_one.len() == items;
        if found.len() == PHENOMENA_OF_GRAMMAR && found.values().all(is_full) {
            break;
        }
    }
    found
}

fn of_grammar(items: usize, tokenizer: &Tokenizer) -> Result<Task> {
    let mut task = Task::default();
    for (phenomenon, pairs) in pairs_of_grammar(items) {
        let encoded = pairs.iter().map(|[right, wrong]| {
            Ok(Item::Pair {
                right: tokenizer.encode(right)?,
                wrong: tokenizer.encode(wrong)?,
            })
        });
        let encoded = encoded.collect::<Result<_>>()?;
        task.items.insert(phenomenon.to_owned(), encoded);
    }
    Ok(task)
}

/// Reads an item, and what it is about, of a line.
type ReadItem<'a> = &'a dyn Fn(&Map<String, Value>) -> LineResult<(String, Item)>;

/// A line of a file, or what is wrong with it.
type LineResult<T> = Result<T, String>;

fn of_files(key: &str, files: &[InputPath], item: ReadItem) -> Result<Task> {
    let mut task = Task::default();
    visit_lines(key, files, &mut |line| {
        let (about, item) = item(line)?;
        task.items.entry(about).or_default().push(item);
        Ok(())
    })?;
    Ok(task)
}

/// Of files whose lines have items of the size that `size` gives.
fn fact_of_files(
    key: &str,
    files: &[InputPath],
    size: &dyn Fn(&Map<String, Value>) -> LineResult<usize>,
) -> Result<TaskFact> {
    let mut bytes = 0;
    visit_lines(key, files, &mut |line| {
        bytes += size(line)? as u64;
        Ok(())
    })?;
    let mut hashes = String::new();
    for path in paths(key, files)? {
        hashes += &files::sha256_of_file(&path)?;
        hashes.push('\n');
    }
    Ok(TaskFact {
        fingerprint: digest::sha256(hashes.as_bytes()),
        bytes,
    })
}

/// Calls `visit` on every line of the files that is not white space; faults carry file and line.
fn visit_lines(
    key: &str,
    files: &[InputPath],
    visit: &mut dyn FnMut(&Map<String, Value>) -> LineResult<()>,
) -> Result<()> {
    let mut count = 0;
    for path in paths(key, files)? {
        let text = files::read_text(&path, LIMIT)?;
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let read = match serde_json::from_str(line) {
                Ok(Value::Object(line)) => visit(&line),
                Ok(_) => Err("it is no JSON object".to_owned()),
                Err(error) => Err(format!("it is no JSON: {error}")),
            };
            read.map_err(|problem| {
                let message = format!("{}, line {}: {problem}", path.display(), number + 1);
                fault(
                    key,
                    message,
                    "every line is an object of JSON; LOSSES.md beside README.md \
                                     has the forms under `[evaluate.tasks]`",
                )
            })?;
            count += 1;
        }
    }
    if count == 0 {
        let message = "the files of the task hold no lines".to_owned();
        return Err(fault(key, message, "name files of JSON lines, one item a line").into());
    }
    Ok(())
}

fn fault(key: &str, message: String, hint: &str) -> InputFaults {
    InputFaults(vec![InputFault::of_key(key, message, hint)])
}

/// The files that the paths and patterns name.
fn paths(key: &str, files: &[InputPath]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for file in files {
        let path = file.resolve();
        if !globs::is_glob(&file.written) {
            found.push(path);
            continue;
        }
        let matches = globs::matches(Path::new("/"), &path.to_string_lossy())?;
        if matches.is_empty() {
            let message = format!("{} matches no file", path.display());
            return Err(fault(key, message, "mend the pattern, or name the files").into());
        }
        found.extend(matches);
    }
    Ok(found)
}

fn pair(line: &Map<String, Value>, tokenizer: &Tokenizer) -> LineResult<(String, Item)> {
    let (about, right, wrong) = pair_texts(line)?;
    let item = Item::Pair {
        right: encoded(right, tokenizer)?,
        wrong: encoded(wrong, tokenizer)?,
    };
    Ok((about, item))
}

fn cloze(line: &Map<String, Value>, tokenizer: &Tokenizer) -> LineResult<(String, Item)> {
    let (before, word) = cloze_texts(line)?;
    // As it is written behind a space: the tokens of a word do not depend on what stands before.
    let item = Item::Cloze {
        before: encoded(before, tokenizer)?,
        word: encoded(&format!(" {word}"), tokenizer)?,
    };
    Ok(("last word".to_owned(), item))
}

fn encoded(text: &str, tokenizer: &Tokenizer) -> LineResult<Vec<u32>> {
    tokenizer.encode(text).map_err(|error| format!("{error:#}"))
}

/// What a pair is about, its right text and its wrong one: `sentence_good` and `sentence_bad`, as
/// BLiMP calls them.
fn pair_texts(line: &Map<String, Value>) -> LineResult<(String, &str, &str)> {
    let text = |key: &str| {
        let value = line
            .get(key)
            .ok_or_else(|| format!("it has no \"{key}\""))?;
        let text = value
            .as_str()
            .ok_or_else(|| format!("\"{key}\" is no text"))?;
        if text.trim().is_empty() {
            return Err(format!("\"{key}\" is empty"));
        }
        Ok(text)
    };
    let (right, wrong) = (text("sentence_good")?, text("sentence_bad")?);
    if right == wrong {
        return Err("both sentences are the same".to_owned());
    }
    let about = PHENOMENA.iter().find_map(|key| line.get(*key)?.as_str());
    Ok((about.unwrap_or("all").to_owned(), right, wrong))
}

/// The text before the last word of `text`, and that word, as LAMBADA has it.
fn cloze_texts(line: &Map<String, Value>) -> LineResult<(&str, &str)> {
    let value = line.get("text").ok_or("it has no \"text\"")?;
    let text = value.as_str().ok_or("\"text\" is no text")?.trim_end();
    let split = text.rsplit_once(char::is_whitespace);
    let (before, word) = split.ok_or("\"text\" has one word: nothing stands before the last")?;
    if before.trim().is_empty() {
        return Err("\"text\" has one word: nothing stands before the last".to_owned());
    }
    Ok((before.trim_end(), word))
}

#[cfg(test)]
#[path = "tasks_tests.rs"]
mod tests;
