//! The page of every key, made from the schema of the spec: what `check` holds a value against, and
//! the defaults that an editor shows.

use std::fmt::Write as _;

use kdpipe::plan::{schema, schema_of_a_spec};
use serde_json::Value as Json;

use super::key_schema::KeySchema;
use super::key_values::{KeyWords, default_in_words, escaped, is_schedule, value};

/// The tables of a spec, in the order of the page.
const TABLES: [&str; 15] = [
    "pipeline",
    "dataset",
    "tokenizer",
    "teacher",
    "student",
    "match",
    "loss",
    "balance",
    "train",
    "arms",
    "grid",
    "select",
    "evaluate",
    "report",
    "expect",
];

/// Tables whose keys are those of a run: the table, a key, its values, and what it does, where the
/// schema does not say it.
const AXES: [(&str, &str, &str, &str); 7] = [
    (
        "arms",
        "NAME.KEY",
        "as the key has it",
        "Any key of a run, such as `loss.hidden.enabled`, that is the arm's own.",
    ),
    (
        "grid",
        "arm",
        "list of names",
        "The arms that are run; absent, none of them.",
    ),
    (
        "grid",
        "KEY",
        "list of its values",
        "Any key of a run, such as `seed` or `match.strategy`.",
    ),
    ("grid", "exclude", "table, or list of tables", ""),
    ("select", "seed", "list of seeds", "None that the grid has."),
    (
        "select",
        "arm",
        "list of names",
        "The arms that it is done for; absent, all in which it makes a difference.",
    ),
    (
        "select",
        "KEY",
        "list of its values",
        "Any key of `student`, `match`, `loss`, `balance` and `train`; products are tried.",
    ),
];

/// What keys outside all tables are by default, which the schema does not say.
const DEFAULTS: &str = include_str!("../../../pipelines/default.toml");

/// A table of more keys has a section of its own.
const MOST_INLINE: usize = 6;

const HEAD: &str = "\
# Every key of a spec

A key is written in its table (`[train]`, then `steps = 300`) or with dots \
(`train.steps = 300`), on the command line as `--set train.steps=300`, in the environment as \
`KDPIPE_TRAIN__STEPS=300`. Each key is a link to itself. What holds where a spec does not have it \
stands under *default*: a value, *absent*, or *needed* where there is none. \
[`default.toml`](pipelines/default.toml) has all keys as a spec, with a word on each; \
`kdpipe schema` gives your editor what this page is made from, and `kdpipe check` says what is \
wrong with yours.

";

/// The page, and the tables that have yet to get their sections.
struct KeyPage<'a> {
    text: String,
    waiting: Vec<(String, KeySchema<'a>)>,
}

pub fn page() -> String {
    let file = schema_of_a_spec();
    let mut merged = schema::run().clone();
    for (key, table) in schema::study()["properties"]
        .as_object()
        .into_iter()
        .flatten()
    {
        merged["properties"][key] = table.clone();
    }
    let whole = KeySchema {
        merged: &merged,
        file: &file,
    };
    let mut page = KeyPage {
        text: HEAD.to_owned(),
        waiting: Vec::new(),
    };
    let (alone, tables): (Vec<_>, Vec<_>) = whole
        .keys()
        .into_iter()
        .partition(|(key, _)| !TABLES.contains(key));
    assert_eq!(
        tables.len(),
        TABLES.len(),
        "a table is missing in the schema"
    );
    page.text += "## Above all tables {#top}\n\n";
    page.table("", whole, &alone);
    for key in TABLES {
        page.section(key, whole.property(key), 2);
    }
    page.schedules(whole);
    page.text
}

/// What a heading or a key is called by links.
fn id(path: &str) -> String {
    path.replace(' ', "")
}

/// A key that is a link to itself.
fn linked(words: &str, path: &str) -> String {
    let id = id(path);
    format!("<a id=\"{id}\" href=\"#{id}\">`{words}`</a>")
}

impl<'a> KeyPage<'a> {
    /// The section of a table, then those of the larger tables in it.
    fn section(&mut self, path: &str, of: KeySchema<'a>, level: usize) {
        let (path, of) = match of.named().filter(|_| path != "arms") {
            Some(named) => {
                self.heading(&format!("`[{path}.NAME]`"), path, level);
                self.paragraph(of.text());
                (format!("{path}.NAME"), named)
            }
            None => {
                self.heading(&format!("`[{path}]`"), path, level);
                (path.to_owned(), of)
            }
        };
        self.paragraph(of.text());
        match (path.as_str(), of.variants()) {
            ("grid" | "select" | "arms", _) => self.axes(&path, of),
            (_, Some((tag, all))) => self.choice(&path, tag, &all, level),
            (_, None) => self.table(&path, of, &of.keys()),
        }
        for (path, of) in std::mem::take(&mut self.waiting) {
            self.section(&path, of, level + 1);
        }
    }

    fn heading(&mut self, words: &str, path: &str, level: usize) {
        let marks = "#".repeat(level);
        let _ = writeln!(self.text, "{marks} {words} {{#{}}}\n", id(path));
    }

    fn paragraph(&mut self, text: &str) {
        if !text.is_empty() {
            let _ = writeln!(self.text, "{}\n", escaped(text));
        }
    }

    /// Tables whose keys hang on one of them: what is common to all first, then each by itself.
    fn choice(&mut self, path: &str, tag: &str, all: &[(&'a str, KeySchema<'a>)], level: usize) {
        let bare = |of: KeySchema<'a>, key: &str| {
            let mut schema = of.file["properties"].get(key)?.clone();
            schema.as_object_mut()?.remove("default");
            Some(schema)
        };
        let is_common = |key: &str| {
            let first = bare(all[0].1, key);
            first.is_some() && all.iter().all(|(_, of)| bare(*of, key) == first)
        };
        let common: Vec<(&str, KeySchema<'a>)> = all[0].1.keys();
        let common: Vec<_> = common
            .into_iter()
            .filter(|(key, _)| is_common(key))
            .collect();
        let linked_tag = linked(tag, &format!("{path}.{tag}"));
        let _ = writeln!(self.text, "| {linked_tag} | |\n| --- | --- |");
        for (name, of) in all {
            let (text, link) = (escaped(of.text()), id(&format!("{path}={name}")));
            let has_own = of
                .keys()
                .iter()
                .any(|(key, _)| *key != tag && !is_common(key));
            let _ = match has_own {
                true => writeln!(self.text, "| [`\"{name}\"`](#{link}) | {text} |"),
                false => writeln!(self.text, "| `\"{name}\"` | {text} |"),
            };
        }
        self.text.push('\n');
        if !common.is_empty() {
            let _ = writeln!(self.text, "Whatever `{tag}` is:\n");
            self.table(path, all[0].1, &common);
        }
        for (name, of) in all {
            let own = of.keys().into_iter();
            let own: Vec<_> = own
                .filter(|(key, _)| *key != tag && !is_common(key))
                .collect();
            if own.is_empty() {
                continue;
            }
            let at = format!("{path}={name}");
            let words = match path {
                "schedule" => format!("`{{ {tag} = \"{name}\" }}`"),
                _ => format!("`[{path}]` with `{tag} = \"{name}\"`"),
            };
            self.heading(&words, &at, level + 1);
            self.paragraph(of.text());
            self.table(&at, *of, &own);
        }
    }

    fn table(&mut self, path: &str, of: KeySchema<'a>, keys: &[(&'a str, KeySchema<'a>)]) {
        self.text += "| key | value | default | |\n| --- | --- | --- | --- |\n";
        self.rows(path, "", of, keys);
        self.text.push('\n');
    }

    /// The rows of a table, those of small tables in it among them.
    fn rows(
        &mut self,
        path: &str,
        prefix: &str,
        of: KeySchema<'a>,
        keys: &[(&'a str, KeySchema<'a>)],
    ) {
        let defaults: toml::Table = DEFAULTS.parse().expect("a spec");
        for (key, schema) in keys {
            let full = match path {
                "" => format!("{prefix}{key}"),
                _ => format!("{path}.{prefix}{key}"),
            };
            let inner = schema.keys();
            let is_large = inner.len() > MOST_INLINE
                || schema.named().is_some()
                || schema.variants().is_some() && !is_schedule(schema.file);
            // As a spec writes it: without the variant that it is a key of.
            let table = full.replacen(path, path.split('=').next().unwrap_or_default(), 1);
            let KeyWords { words, notes } = match is_large {
                true => KeyWords::plain(format!("[a table](#{})", id(&table))),
                false => value(schema.file),
            };
            let default = match schema.file.get("default") {
                Some(default) if !is_large => default_in_words(default),
                _ if !inner.is_empty() || is_large => String::new(),
                _ if path.is_empty() && defaults.contains_key(*key) => {
                    format!("`{}`", defaults[*key])
                }
                _ if of.needs(key) => "*needed*".to_owned(),
                _ => "*absent*".to_owned(),
            };
            let mut text = escaped(schema.text());
            for note in notes {
                let _ = write!(text, "<br>{note}");
            }
            let link = linked(&format!("{prefix}{key}"), &full);
            let _ = writeln!(self.text, "| {link} | {words} | {default} | {text} |");
            if is_large {
                self.waiting.push((table, *schema));
            } else if let Some(entry) = schema.entry() {
                let prefix = format!("{prefix}{key}[].");
                self.rows(path, &prefix, entry, &entry.keys());
            } else {
                self.rows(path, &format!("{prefix}{key}."), *schema, &inner);
            }
        }
    }

    /// Tables whose keys are those of a run.
    fn axes(&mut self, path: &str, of: KeySchema<'a>) {
        let rows = AXES.iter().filter(|(table, ..)| *table == path);
        self.text += "| key | value | |\n| --- | --- | --- |\n";
        for (_, key, words, text) in rows {
            let said = of.property(key).text();
            let text = if text.is_empty() { said } else { *text };
            let key = linked(key, &format!("{path}.{key}"));
            let _ = writeln!(self.text, "| {key} | {words} | {} |", escaped(text));
        }
        self.text.push('\n');
    }

    /// What a weight may be instead of a number, told once.
    fn schedules(&mut self, whole: KeySchema<'a>) {
        let term = whole.property("loss").named().and_then(KeySchema::variants);
        let (_, kinds) = term.expect("losses have kinds");
        let weight = kinds[0].1.property("weight");
        let by_step = |schema: &'a Json| &schema["anyOf"][1];
        let by_step = KeySchema {
            merged: by_step(weight.merged),
            file: by_step(weight.file),
        };
        let (tag, all) = by_step.variants().expect("schedules have shapes");
        self.text += "## Values by step {#values-by-step}\n\n\
            A weight, and a temperature, is a number or a table such as `{ shape = \"linear\", \
            from = 0.0, to = 1.0, over = \"20%\" }`. Steps count from 0.\n\n";
        self.choice("schedule", tag, &all, 2);
    }
}
