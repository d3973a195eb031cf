//! What a row says of an item: the two texts of a pair as BLiMP has them, a text and its last word
//! as LAMBADA has them.

use serde_json::Value;

use super::source::{ItemColumns, ItemRow};
use crate::plan::InputFault;

/// Keys that name what a pair is about, the first that is there (BLiMP's rows have several).
const PHENOMENA: [&str; 3] = ["linguistics_term", "phenomenon", "UID"];

/// The columns of a pair.
pub const PAIR_COLUMNS: ItemColumns = ItemColumns {
    needed: &["sentence_good", "sentence_bad"],
    others: &PHENOMENA,
};

/// The columns of a text whose last word is to be found.
pub const CLOZE_COLUMNS: ItemColumns = ItemColumns {
    needed: &["text"],
    others: &[],
};

/// A row's item, or what is wrong with the row.
pub type RowResult<T> = Result<T, String>;

/// What a pair is about, where its row says so with a word.
pub fn phenomenon(row: &ItemRow) -> Option<&str> {
    let word = |key: &&str| {
        row.get(*key)?
            .as_str()
            .filter(|word| !word.trim().is_empty())
    };
    PHENOMENA.iter().find_map(word)
}

/// The right and the wrong text of a pair: `sentence_good` and `sentence_bad`, as BLiMP calls them.
///
/// # Errors
/// A text that is missing, none or empty.
pub fn pair_texts(row: &ItemRow) -> RowResult<(&str, &str)> {
    Ok((text(row, "sentence_good")?, text(row, "sentence_bad")?))
}

/// Counts pairs of the same two texts. A few are in sets as they were published, seven in BLiMP's
/// 67,000: no model gets them right, and scores with them are what others report. Many are a
/// mistake.
#[derive(Debug, Default)]
pub struct AlikePairs {
    alike: usize,
    all: usize,
}

impl AlikePairs {
    /// Of a hundred pairs, so many may be alike.
    const MOST: usize = 1;

    pub fn count(&mut self, (right, wrong): (&str, &str)) {
        self.alike += usize::from(right == wrong);
        self.all += 1;
    }

    /// Refuses a set, named by `key`, in which they are many.
    ///
    /// # Errors
    /// How many they are.
    pub fn refuse_many(&self, key: &str) -> Result<(), InputFault> {
        let Self { alike, all } = self;
        if alike * 100 <= all * Self::MOST {
            return Ok(());
        }
        Err(InputFault::of_key(
            key,
            format!("{alike} of {all} pairs have the same text twice, which no model gets right"),
            "`sentence_good` and `sentence_bad` are to differ: look where the set was made",
        ))
    }
}

/// The text before the last word of `text`, and that word, as LAMBADA has it.
///
/// # Errors
/// A text that is missing or none, or has no two words.
pub fn cloze_texts(row: &ItemRow) -> RowResult<(&str, &str)> {
    let text = text(row, "text")?.trim_end();
    let split = text.rsplit_once(char::is_whitespace);
    let (before, word) = split.ok_or("\"text\" has one word: nothing stands before the last")?;
    if before.trim().is_empty() {
        return Err("\"text\" has one word: nothing stands before the last".to_owned());
    }
    Ok((before.trim_end(), word))
}

fn text<'r>(row: &'r ItemRow, key: &str) -> RowResult<&'r str> {
    let text = match row.get(key) {
        None => return Err(format!("it has no \"{key}\"")),
        Some(Value::Null) => return Err(format!("\"{key}\" is null")),
        Some(value) => value.as_str(),
    };
    let text = text.ok_or_else(|| format!("\"{key}\" is no text"))?;
    if text.trim().is_empty() {
        return Err(format!("\"{key}\" is empty"));
    }
    Ok(text)
}

#[cfg(test)]
#[path = "item_texts_tests.rs"]
mod tests;
