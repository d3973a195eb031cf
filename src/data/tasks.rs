//! What models are asked beside the loss of a text: minimal pairs, and texts whose last word is to
//! be guessed. They come from the embedded grammar, from files of JSON lines or from datasets of
//! the hub.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

use super::grammar::{self, minimal_pairs};
use super::item_texts::{
    AlikePairs, CLOZE_COLUMNS, PAIR_COLUMNS, RowResult, cloze_texts, pair_texts, phenomenon,
};
use super::source::{ItemColumns, ItemFiles, ItemReach, ItemRow};
use super::task_files::{self, visit_lines};
use super::tokenizer::Tokenizer;
use crate::hub::Hub;
use crate::plan::TaskFact;
use crate::plan::run::{ItemSource, TaskSpec};

/// Seed of the stories that pairs are cut from.
const SEED: u64 = 0;
/// Stories looked at for an item, before a phenomenon is taken to be rare.
const STORIES: u64 = 100;
/// Agreement, the same across a clause, pronouns, the treasure.
const PHENOMENA_OF_GRAMMAR: usize = 4;

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

/// The tasks of `[evaluate.tasks]` under a tokenizer, by name; what is not here of datasets of the
/// hub is fetched.
///
/// # Errors
/// Files that cannot be read, or hold no such items, with the line; datasets that cannot be had, or
/// hold no such items, with the row.
pub fn tasks(
    specs: &BTreeMap<String, TaskSpec>,
    tokenizer: &Tokenizer,
    hub: &Hub,
) -> Result<BTreeMap<String, Task>> {
    let named = specs.iter().map(|(name, spec)| {
        let (mut task, mut alike) = (Task::default(), AlikePairs::default());
        let mut add = |row: &ItemRow, group: Option<&str>| {
            count_alike(spec, row, &mut alike)?;
            let (about, item) = item(spec, row, group, tokenizer)?;
            task.items.entry(about).or_default().push(item);
            Ok(())
        };
        match spec.source().context("a task whose spec was refused")? {
            ItemSource::Grammar(items) => task = of_grammar(items, tokenizer)?,
            ItemSource::Files(files) => {
                let key = format!("evaluate.tasks.{name}.files");
                visit_lines(&key, files, &mut |row| add(row, None))?;
                alike.refuse_many(&key)?;
            }
            ItemSource::Hub(items) => {
                let files = ItemFiles::find(name, &items, hub)?;
                files.visit(ItemReach::Everything, &columns(spec), &mut add)?;
                alike.refuse_many(&format!("evaluate.tasks.{name}.repo"))?;
            }
        }
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
        hub: &Hub,
    ) -> Result<Arc<BTreeMap<String, Task>>> {
        // Whoever panicked with it left it as it was.
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |kept: &[KeptTask]| {
            let found = kept.iter().find(|(known, _)| known == specs);
            found.map(|(_, tasks)| Arc::clone(tasks))
        };
        if let Some(tasks) = known(&kept()) {
            return Ok(tasks);
        }
        // Nobody waits while they are made; who makes the same meanwhile keeps what was first.
        let found = Arc::new(tasks(specs, tokenizer, hub)?);
        let mut kept = kept();
        if let Some(tasks) = known(&kept) {
            return Ok(tasks);
        }
        kept.push((specs.clone(), Arc::clone(&found)));
        Ok(found)
    }
}

/// What identifies the items of a task, whatever its files are called, and their size; checks them
/// on the way. Of a dataset of the hub that is its commit, and no more of it is read than the cache
/// has.
///
/// # Errors
/// As of [`tasks`].
pub fn task_fact(name: &str, spec: &TaskSpec, hub: &Hub) -> Result<TaskFact> {
    let (mut bytes, mut alike) = (0, AlikePairs::default());
    let mut add = |row: &ItemRow, _: Option<&str>| {
        count_alike(spec, row, &mut alike)?;
        bytes += size(spec, row)? as u64;
        Ok(())
    };
    let fingerprint = match spec.source().context("a task whose spec was refused")? {
        ItemSource::Grammar(items) => {
            let pairs = pairs_of_grammar(items);
            let sizes = pairs.values().flatten();
            bytes = sizes
                .map(|[right, wrong]| right.len() + wrong.len())
                .sum::<usize>() as u64;
            format!("grammar {}", grammar::VERSION)
        }
        ItemSource::Files(files) => {
            let key = format!("evaluate.tasks.{name}.files");
            visit_lines(&key, files, &mut |row| add(row, None))?;
            alike.refuse_many(&key)?;
            task_files::content(&key, files)?
        }
        ItemSource::Hub(items) => {
            let files = ItemFiles::find(name, &items, hub)?;
            files.visit(ItemReach::Cached, &columns(spec), &mut add)?;
            files.commit().to_owned()
        }
    };
    Ok(TaskFact { fingerprint, bytes })
}

/// The columns that the rows of a task have.
fn columns(spec: &TaskSpec) -> ItemColumns {
    match spec {
        TaskSpec::Cloze { .. } => CLOZE_COLUMNS,
        TaskSpec::Grammar { .. } | TaskSpec::Pairs { .. } => PAIR_COLUMNS,
    }
}

/// Counts a row of pairs.
fn count_alike(spec: &TaskSpec, row: &ItemRow, alike: &mut AlikePairs) -> RowResult<()> {
    if let TaskSpec::Pairs { .. } = spec {
        alike.count(pair_texts(row)?);
    }
    Ok(())
}

/// Bytes of the texts that a row has a model read, each as often as it is read.
fn size(spec: &TaskSpec, row: &ItemRow) -> RowResult<usize> {
    match spec {
        // It is scored, and then read for the word that is written.
        TaskSpec::Cloze { .. } => {
            cloze_texts(row).map(|(before, word)| 2 * (before.len() + word.len()))
        }
        TaskSpec::Grammar { .. } | TaskSpec::Pairs { .. } => {
            pair_texts(row).map(|(right, wrong)| right.len() + wrong.len())
        }
    }
}

/// What a row is about, and its item; `group` is what it is about where no column says so.
fn item(
    spec: &TaskSpec,
    row: &ItemRow,
    group: Option<&str>,
    tokenizer: &Tokenizer,
) -> RowResult<(String, Item)> {
    match spec {
        TaskSpec::Cloze { .. } => {
            let item = cloze(row, tokenizer)?;
            Ok((group.unwrap_or("last word").to_owned(), item))
        }
        TaskSpec::Grammar { .. } | TaskSpec::Pairs { .. } => {
            let item = pair(row, tokenizer)?;
            let about = phenomenon(row).or(group).unwrap_or("all");
            Ok((about.to_owned(), item))
        }
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

fn pair(row: &ItemRow, tokenizer: &Tokenizer) -> RowResult<Item> {
    let (right, wrong) = pair_texts(row)?;
    Ok(Item::Pair {
        right: encoded(right, tokenizer)?,
        wrong: encoded(wrong, tokenizer)?,
    })
}

fn cloze(row: &ItemRow, tokenizer: &Tokenizer) -> RowResult<Item> {
    let (before, word) = cloze_texts(row)?;
    // As it is written behind a space: the tokens of a word do not depend on what stands before.
    Ok(Item::Cloze {
        before: encoded(before, tokenizer)?,
        word: encoded(&format!(" {word}"), tokenizer)?,
    })
}

fn encoded(text: &str, tokenizer: &Tokenizer) -> RowResult<Vec<u32>> {
    tokenizer.encode(text).map_err(|error| format!("{error:#}"))
}

#[cfg(test)]
#[path = "tasks_tests.rs"]
mod tests;
