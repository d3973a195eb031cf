//! What is shipped is held to the schema: the default file, the pipelines, the starter, and the
//! schema itself.

use std::collections::BTreeSet;

use kdpipe::hub::{Hub, Settings};
use kdpipe::plan::{Overrides, STARTER, load, run_spec_toml, schema_of_a_spec};
use kdpipe::runner::StudyInputs;
use serde_json::Value as Json;

use crate::plan::{Folder, RICH};

fn pipelines() -> Vec<(String, String)> {
    let own = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let folders = [own.join("claims"), own];
    let folders = folders.map(|folder| std::fs::read_dir(folder).expect("the shipped specs"));
    let entries = folders.into_iter().flatten();
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = paths.collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    let named = paths.iter().map(|path| path.to_string_lossy().into_owned());
    let texts = paths.iter().map(std::fs::read_to_string);
    named.zip(texts.map(|text| text.expect("a spec"))).collect()
}

fn default_text() -> String {
    let mut all = pipelines().into_iter();
    let default = all.find(|(path, _)| path.ends_with("default.toml"));
    default.expect("the default file").1
}

/// The keys of the schema without the variants that have them, each with its words where it is a
/// choice between some.
fn keys_of_the_schema() -> BTreeSet<(String, Vec<String>)> {
    fn words(schema: &Json, found: &mut Vec<String>) {
        for word in schema["enum"]
            .as_array()
            .into_iter()
            .flatten()
            .chain(schema.get("const"))
        {
            found.extend(word.as_str().map(str::to_owned));
        }
        for option in ["anyOf", "oneOf"]
            .iter()
            .filter_map(|list| schema[*list].as_array())
            .flatten()
        {
            words(option, found);
        }
    }
    fn walk(schema: &Json, at: &str, found: &mut BTreeSet<(String, Vec<String>)>) {
        let below = |key: &str| {
            if at.is_empty() {
                key.to_owned()
            } else {
                format!("{at}.{key}")
            }
        };
        let branches: Vec<&Json> = match schema["anyOf"].as_array() {
            Some(branches) => branches
                .iter()
                .filter(|branch| branch["properties"].is_object())
                .collect(),
            None => vec![schema],
        };
        let closed = branches
            .iter()
            .any(|branch| branch["properties"].is_object());
        if closed && !["arms", "grid", "select"].contains(&at) {
            for (key, property) in branches
                .iter()
                .filter_map(|branch| branch["properties"].as_object())
                .flatten()
            {
                walk(property, &below(key), found);
            }
        } else if at == "loss" {
            walk(&schema["additionalProperties"], at, found);
        } else if schema["items"]["properties"].is_object() {
            walk(&schema["items"], at, found);
        } else {
            let mut choice = Vec::new();
            words(schema, &mut choice);
            found.insert((at.to_owned(), choice));
        }
    }
    let mut found = BTreeSet::new();
    walk(&schema_of_a_spec(), "", &mut found);
    found
}

/// A key that a line of the default file shows, commented out or not, with what the line says of
/// it.
struct Shown {
    key: String,
    comment: String,
}

fn shown(text: &str) -> Vec<Shown> {
    let mut table = String::new();
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        let Some(parsed) = toml::from_str::<toml::Table>(line)
            .ok()
            .filter(|parsed| !parsed.is_empty())
        else {
            continue;
        };
        let comment = line
            .split_once("  #")
            .or_else(|| line.split_once(" # "))
            .map(|(_, comment)| comment.trim().to_owned())
            .unwrap_or_default();
        let mut keys = Vec::new();
        flatten(&toml::Value::Table(parsed), "", &mut keys);
        if line.starts_with('[') {
            table = keys.remove(0);
            found.push(Shown {
                key: table.clone(),
                comment,
            });
        } else {
            let full = |key: String| {
                if table.is_empty() {
                    key
                } else {
                    format!("{table}.{key}")
                }
            };
            found.extend(keys.into_iter().map(|key| Shown {
                key: full(key),
                comment: comment.clone(),
            }));
        }
    }
    for shown in &mut found {
        // The names of losses are the user's own.
        for name in ["loss.lm", "loss.kl", "loss.hidden"] {
            if let Some(rest) = shown.key.strip_prefix(name) {
                shown.key = format!("loss{rest}");
            }
        }
    }
    found
}

fn flatten(value: &toml::Value, at: &str, found: &mut Vec<String>) {
    let below = |key: &String| {
        if at.is_empty() {
            key.clone()
        } else {
            format!("{at}.{key}")
        }
    };
    match value {
        toml::Value::Table(table) if !table.is_empty() => table
            .iter()
            .for_each(|(key, value)| flatten(value, &below(key), found)),
        toml::Value::Array(elements) if matches!(elements.first(), Some(toml::Value::Table(_))) => {
            flatten(&elements[0], at, found)
        }
        _ => found.push(at.to_owned()),
    }
}

#[test]
fn the_default_file_shows_and_explains_every_key_and_no_other() {
    let text = default_text();
    let schema = keys_of_the_schema();
    let shown = shown(&text);
    for (key, words) in &schema {
        let lines: Vec<&Shown> = shown
            .iter()
            .filter(|line| line.key == *key || line.key.starts_with(&format!("{key}.")))
            .collect();
        assert!(!lines.is_empty(), "{key} is not in the default file");
        // [teacher.train] says once that it is like [train].
        let explained =
            lines.iter().any(|line| !line.comment.is_empty()) || key.starts_with("teacher.train.");
        assert!(explained, "{key} has no comment");
        for word in words {
            assert!(
                text.contains(&format!("\"{word}\""))
                    || text
                        .split(|c: char| !(c.is_alphanumeric() || "-._".contains(c)))
                        .any(|own| own == word),
                "{key}: the word {word} is nowhere"
            );
        }
    }
    let tables: Vec<&str> = schema
        .iter()
        .filter_map(|(key, _)| Some(key.rsplit_once('.')?.0))
        .collect();
    for line in &shown {
        let known = schema
            .iter()
            .any(|(key, _)| line.key == *key || line.key.starts_with(&format!("{key}.")));
        let table = tables
            .iter()
            .any(|table| *table == line.key || table.starts_with(&format!("{}.", line.key)));
        assert!(known || table, "{} is no key of the schema", line.key);
    }
}

#[test]
fn a_line_that_is_commented_out_shows_what_holds_without_it() {
    fn walk(schema: &Json, at: &str, found: &mut Vec<(String, Json)>) {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let full = if at.is_empty() {
                key.clone()
            } else {
                format!("{at}.{key}")
            };
            if let Some(value) = property.get("default").filter(|value| !value.is_object()) {
                found.push((full.clone(), value.clone()));
            }
            walk(property, &full, found);
        }
        for branch in schema["anyOf"]
            .as_array()
            .into_iter()
            .flatten()
            .chain(schema.get("additionalProperties"))
        {
            walk(branch, at, found);
        }
    }
    let mut defaults = Vec::new();
    walk(&schema_of_a_spec(), "", &mut defaults);
    let mut held = 0;
    let mut table = String::new();
    for line in default_text().lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let Ok(parsed) = toml::from_str::<toml::Table>(bare) else {
            continue;
        };
        if bare.starts_with('[') {
            table = bare
                .split(']')
                .next()
                .unwrap_or_default()
                .trim_start_matches('[')
                .replace("loss.hidden", "loss");
            continue;
        }
        for (key, value) in parsed.iter().filter(|_| bare != line) {
            let full = format!("{table}.{key}");
            let value = serde_json::to_value(value).expect("JSON");
            // A split is files in one source and a name in another.
            let alike =
                |other: &Json| std::mem::discriminant(other) == std::mem::discriminant(&value);
            let own: Vec<&Json> = defaults
                .iter()
                .filter(|(known, other)| *known == full && alike(other))
                .map(|(_, value)| value)
                .collect();
            assert!(
                own.is_empty() || own.contains(&&value),
                "{full} = {value} is shown, and {own:?} holds"
            );
            held += own.len().min(1);
        }
    }
    assert!(held > 15, "{held} defaults were looked at");
}

#[test]
fn the_default_file_gives_every_value_that_a_plan_needs() {
    let text = default_text();
    assert!(toml::from_str::<toml::Table>(&text).is_ok());
    let plan = Folder::new("").plan(&[]);
    let copied = Folder::new(&text).plan(&[]);
    assert_eq!(
        plan.runs[0].spec, copied.runs[0].spec,
        "the default file as a spec of its own is the empty spec"
    );
}

/// The example that a commented line of the default file gives is a good one.
#[test]
fn the_examples_of_the_default_file_are_values_of_their_keys() {
    let validator = jsonschema::validator_for(&schema_of_a_spec()).expect("a schema");
    let mut table = String::new();
    for line in default_text().lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        let Ok(parsed) = toml::from_str::<toml::Table>(line) else {
            continue;
        };
        if line.starts_with('[') {
            table = line.split('#').next().unwrap_or_default().trim().to_owned();
            continue;
        }
        let at_the_top =
            parsed.contains_key("extends") || (table.is_empty() && parsed.contains_key("seed"));
        let spec = if at_the_top {
            line.to_owned()
        } else {
            format!("{table}\n{line}")
        };
        let value: Json = serde_json::to_value(toml::from_str::<toml::Table>(&spec).expect("TOML"))
            .expect("JSON");
        let wrong: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| error.to_string())
            .collect();
        assert!(wrong.is_empty(), "{spec}\n{wrong:?}");
    }
}

#[test]
fn every_shipped_spec_is_accepted_by_the_schema_and_planned() {
    let schema = schema_of_a_spec();
    jsonschema::meta::validate(&schema).expect("a JSON schema");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let nothing = tempfile::tempdir().expect("a folder");
    let settings = Settings {
        cache: nothing.path().to_owned(),
        ..Settings::from_environment(true)
    };
    let hub = Hub::quiet(settings, Vec::new());
    for (path, text) in pipelines() {
        let value: Json = serde_json::to_value(toml::from_str::<toml::Table>(&text).expect("TOML"))
            .expect("JSON");
        let wrong: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{path}: {wrong:?}");
        let loaded = load(std::path::Path::new(&path), &Overrides::default())
            .unwrap_or_else(|wrong| panic!("{wrong}"));
        match loaded.resolve(&StudyInputs::to_plan(&hub)) {
            Ok(plan) => {
                assert!(!plan.runs.is_empty(), "{path}");
                // One asks what a teacher is worth that is smaller than its student.
                let words = usize::from(path.ends_with("/weak-teachers.toml"));
                assert_eq!(plan.notices.len(), words, "{path}: {:?}", plan.notices);
            }
            // Text of the user's own need not be there.
            Err(wrong) => assert!(
                wrong
                    .0
                    .iter()
                    .all(|one| one.message.contains("matches no file")
                        || one.message.contains("does not exist")),
                "{wrong}"
            ),
        }
    }
}

#[test]
fn the_starter_and_the_spec_of_a_run_are_accepted_by_the_schema() {
    let validator = jsonschema::validator_for(&schema_of_a_spec()).expect("a schema");
    let folder = Folder::new(STARTER);
    assert!(folder.plan(&[]).notices.is_empty());
    let stored = run_spec_toml(&Folder::new(RICH).plan(&[]).runs[0].spec).expect("TOML");
    for text in [STARTER, RICH, &stored] {
        let value: Json =
            serde_json::to_value(toml::from_str::<toml::Table>(text).expect("TOML")).expect("JSON");
        let wrong: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}\n{text}");
    }
}

#[test]
fn the_schema_refuses_what_check_refuses_where_a_schema_can() {
    let validator = jsonschema::validator_for(&schema_of_a_spec()).expect("a schema");
    for text in [
        "sead = 1",
        "seed = -1",
        "train.stepz = 1",
        "train.steps = 0",
        "train.steps = \"10\"",
        "train.keep = \"first\"",
        "train.lr.warmup = \"150%\"",
        "loss.lm.kind = \"ml\"",
        "match.strategy = \"uniforme\"",
        "grid.seed = 3",
        "grid.train.stepz = [1]",
        "arms.a.trian.steps = 1",
        "report.alpha = 1.0",
        "pipeline.name = \"a/b\"",
        "expect.better = [{ arm = \"a\", that = \"b\" }]",
    ] {
        let value: Json =
            serde_json::to_value(toml::from_str::<toml::Table>(text).expect("TOML")).expect("JSON");
        assert!(!validator.is_valid(&value), "{text}");
        assert!(
            Folder::new(text).try_plan("study.toml", &[], &[]).is_err(),
            "{text}"
        );
    }
}
