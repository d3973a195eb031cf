//! The JSON Schema of the spec, made from the types of `run` and `written`.
//!
//! There are two of it. [`run`] and [`study`] are the schema of merged layers, whole, which `check`
//! walks. [`file`] is the schema of a file, in which every key may be absent because layers below
//! have it; it also shows the defaults of `pipelines/default.toml`. How one moves in a schema is in
//! `navigate`.

mod file;
mod navigate;

use std::sync::LazyLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value as Json, json};

use super::written;

pub use file::file;
pub(super) use navigate::{
    Variants, drop_foreign, property, table_of, tables_with, variants, words,
};

/// Names of losses and arms, which become columns and labels.
pub const NAME_PATTERN: &str = "^[A-Za-z0-9_-]+$";

/// Tables whose values `[select]` may try: losses on one text, beside one teacher, are compared.
pub const TRIED_TABLES: [&str; 5] = ["student", "match", "loss", "balance", "train"];

/// Keys of a training that a teacher's has not: its one loss is no treatment.
const ONLY_STUDENTS: [&str; 2] = ["budget", "gradients_every"];

/// The schema of a merged run: every key is there.
pub fn run() -> &'static Json {
    static RUN: LazyLock<Json> = LazyLock::new(|| {
        let mut run = derived::<written::WrittenRun>();
        let term = &mut run["properties"]["loss"]["additionalProperties"];
        let enabled = json!({
            "description": "Whether the term is used.",
            "type": "boolean",
            "default": true,
        });
        for branch in term["oneOf"].as_array_mut().into_iter().flatten() {
            branch["properties"]["enabled"] = enabled.clone();
        }
        let teachers = run["properties"]["teacher"]["oneOf"].as_array_mut();
        for teacher in teachers.into_iter().flatten() {
            let keys = teacher.pointer_mut("/properties/train/properties");
            if let Some(Json::Object(keys)) = keys {
                ONLY_STUDENTS.iter().for_each(|key| drop(keys.remove(*key)));
            }
        }
        run["properties"]["loss"]["propertyNames"] = json!({ "pattern": NAME_PATTERN });
        run
    });
    &RUN
}

/// The schema of the tables around the run: those of the study as a whole.
pub fn study() -> &'static Json {
    static STUDY: LazyLock<Json> = LazyLock::new(|| {
        let mut study = derived::<written::WrittenStudy>();
        study["properties"]["arms"] = json!({
            "description": "Named bundles of overrides of the keys of a run; the empty one is the \
                            spec itself.",
            "type": "object",
            "propertyNames": { "pattern": NAME_PATTERN },
            "additionalProperties": {
                "description": "Overrides, such as [arms.NAME.loss.hidden] with enabled = false.",
                "type": "object",
            },
        });
        study["properties"]["grid"] = json!({
            "description": "Axes: `arm`, `seed`, or any key of a run, each with a list of values; \
                            the runs are their product.",
            "type": "object",
        });
        study["properties"]["select"] = json!({
            "description": "Values that are tried before, on seeds of their own: keys of a run, \
                            each with a list, of which every arm gets the one whose runs end with \
                            the lowest loss on the validation split.",
            "type": "object",
        });
        study
    });
    &STUDY
}

/// The schema of merged files, arms included: what the rule of variants needs.
pub(super) fn layered() -> &'static Json {
    static LAYERED: LazyLock<Json> = LazyLock::new(|| {
        let mut all = run().clone();
        for (key, schema) in study()["properties"].as_object().into_iter().flatten() {
            all["properties"][key] = schema.clone();
        }
        all["properties"]["arms"]["additionalProperties"] = run().clone();
        all
    });
    &LAYERED
}

fn derived<T: JsonSchema>() -> Json {
    let settings = SchemaSettings::draft2020_12()
        .for_deserialize()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        });
    let mut schema = Json::from(settings.into_generator().into_root_schema_for::<T>());
    tidy(&mut schema);
    schema
}

/// Takes out what only says how Rust stores a value: null, number formats, titles.
fn tidy(schema: &mut Json) {
    match schema {
        Json::Object(map) => {
            map.remove("title");
            if map.get("format").is_some_and(|format| format != "path") {
                map.remove("format");
            }
            if map.get("default").is_some_and(Json::is_null) {
                map.remove("default");
            }
            if let Some(Json::Array(kinds)) = map.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [only] = kinds.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Json::Array(options)) = map.get_mut("anyOf") {
                options.retain(|option| option["type"] != "null");
                if let [only] = options.as_slice() {
                    let only = only.as_object().cloned().unwrap_or_default();
                    map.remove("anyOf");
                    for (key, value) in only {
                        map.entry(key).or_insert(value);
                    }
                }
            }
            map.values_mut().for_each(tidy);
        }
        Json::Array(elements) => elements.iter_mut().for_each(tidy),
        _ => {}
    }
}
