//! The JSON Schema of the spec, made from the types of `run` and `written`, and the ways to move in
//! it.
//!
//! There are two of it: that of a merged run, whole, which `check` walks (`run`, `study`), and that
//! of a file, in which every key may be absent, because layers below have it (`file`). Defaults of
//! keys that every spec has are read from the embedded `pipelines/default.toml` and shown in the
//! second.

use std::sync::LazyLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json, json};

use super::layers::DEFAULTS;
use super::source::{Content, SpecNode, SpecText};
use super::written;

/// Names of losses and arms, which become columns and labels.
pub const NAME_PATTERN: &str = "^[A-Za-z0-9_-]+$";

/// The schema of a merged run: every key is there.
pub fn run() -> &'static Json {
    static RUN: LazyLock<Json> = LazyLock::new(|| {
        let mut run = derived::<written::WrittenRun>();
        let term = &mut run["properties"]["loss"]["additionalProperties"];
        let enabled = json!({ "description": "Whether the term is used.", "type": "boolean", "default": true });
        for branch in term["oneOf"].as_array_mut().into_iter().flatten() {
            branch["properties"]["enabled"] = enabled.clone();
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
            "description": "Named bundles of overrides of the keys of a run; the empty one is the spec itself.",
            "type": "object",
            "propertyNames": { "pattern": NAME_PATTERN },
            "additionalProperties": { "description": "Overrides, such as [arms.NAME.loss.hidden] with enabled = false.", "type": "object" },
        });
        study["properties"]["grid"] = json!({
            "description": "Axes: `arm`, `seed`, or any key of a run, each with a list of values; the runs are their product.",
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

/// The schema of a spec file, for editors.
pub fn file() -> Json {
    let mut overrides = run().clone();
    relax(&mut overrides);
    let mut all = study().clone();
    relax(&mut all);
    let mut properties = overrides["properties"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    if let Ok(defaults) = SpecText::new("", DEFAULTS, std::path::Path::new("")).parse() {
        let mut with_defaults = Json::Object(properties.clone());
        for (key, node) in defaults.entries() {
            show_defaults(&mut with_defaults[key], node);
        }
        properties = with_defaults.as_object().cloned().unwrap_or_default();
        for key in ["report", "pipeline"] {
            if let Some(node) = defaults.get(key) {
                show_defaults(&mut all["properties"][key], node);
            }
        }
    }
    let mut axes = axes(&overrides);
    axes["properties"]["arm"] =
        json!({ "description": "Names of arms.", "type": "array", "items": { "type": "string" } });
    axes["properties"]["exclude"] = json!({
        "description": "Cells that are left out: axes and the value, or the values, that all have to match.",
        "anyOf": [{ "type": "object" }, { "type": "array", "items": { "type": "object" } }],
    });
    axes["description"] = all["properties"]["grid"]["description"].clone();
    axes["additionalProperties"] = json!({ "type": "array" });
    all["properties"]["grid"] = axes;
    all["properties"]["arms"]["additionalProperties"] = json!({ "$ref": "#/$defs/overrides" });
    for (key, schema) in all["properties"].as_object().cloned().unwrap_or_default() {
        properties.insert(key, schema);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kdpipe",
        "description": "A study of kdpipe.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": { "overrides": overrides },
    })
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

/// Makes every key of a table optional; of the variants that then fit one is enough.
fn relax(schema: &mut Json) {
    match schema {
        Json::Object(map) => {
            map.remove("required");
            if let Some(branches) = map.remove("oneOf") {
                map.insert("anyOf".to_owned(), branches);
            }
            map.values_mut().for_each(relax);
        }
        Json::Array(elements) => elements.iter_mut().for_each(relax),
        _ => {}
    }
}

/// Writes the values of the default file beside the keys that have no default of their own.
fn show_defaults(schema: &mut Json, node: &SpecNode) {
    let branch_of_node = variants(schema).and_then(|all| {
        let tag = node.get(all.tag)?.text();
        all.branches.iter().position(|(name, _)| *name == tag)
    });
    if let Some(branch) = branch_of_node {
        let list = if schema.get("anyOf").is_some() {
            "anyOf"
        } else {
            "oneOf"
        };
        return show_defaults(&mut schema[list][branch], node);
    }
    for (key, child) in node.entries() {
        let Some(slot) = schema
            .get_mut("properties")
            .and_then(|properties| properties.get_mut(key))
        else {
            continue;
        };
        if slot.get("properties").is_some()
            || (variants(slot).is_some() && matches!(child.content, Content::Table(_)))
        {
            show_defaults(slot, child);
        } else if slot.get("const").is_none() {
            slot["default"] = plain(child);
        }
    }
}

fn plain(node: &SpecNode) -> Json {
    match &node.content {
        Content::Table(entries) => Json::Object(
            entries
                .iter()
                .map(|(key, node)| (key.clone(), plain(node)))
                .collect(),
        ),
        Content::List(elements) => elements.iter().map(plain).collect(),
        Content::String(text) => json!(text),
        Content::Integer(number) => json!(number),
        Content::Float(number) => json!(number),
        Content::Boolean(truth) => json!(truth),
    }
}

/// The schema in which every leaf is a list of its values.
fn axes(schema: &Json) -> Json {
    if let Some(all) = variants(schema) {
        let mut properties = Map::new();
        let names: Vec<&str> = all.branches.iter().map(|(name, _)| *name).collect();
        properties.insert(
            all.tag.to_owned(),
            json!({ "type": "array", "items": { "enum": names } }),
        );
        for (_, branch) in &all.branches {
            for (key, property) in branch["properties"].as_object().into_iter().flatten() {
                let lists = axes(property);
                match properties.get_mut(key) {
                    None => {
                        properties.insert(key.clone(), lists);
                    }
                    Some(known) if key != all.tag && *known != lists => {
                        *known = json!({ "anyOf": [known.clone(), lists] })
                    }
                    Some(_) => {}
                }
            }
        }
        return json!({ "type": "object", "properties": properties, "additionalProperties": false });
    }
    if let Some(properties) = schema.get("properties").and_then(Json::as_object) {
        let lists: Map<String, Json> = properties
            .iter()
            .map(|(key, property)| (key.clone(), axes(property)))
            .collect();
        return json!({ "type": "object", "properties": lists, "additionalProperties": false });
    }
    if let Some(values) = schema
        .get("additionalProperties")
        .filter(|values| values.is_object())
    {
        return json!({ "type": "object", "additionalProperties": axes(values) });
    }
    let list = json!({ "type": "array", "items": schema });
    match table_of(schema).filter(|table| !std::ptr::eq(*table, schema)) {
        Some(table) => json!({ "anyOf": [list, axes(table)] }),
        None => list,
    }
}

/// A table whose keys depend on the value of one of them.
pub(super) struct Variants<'a> {
    pub tag: &'a str,
    /// Value of the tag, and the schema of its table.
    pub branches: Vec<(&'a str, &'a Json)>,
}

/// The variants, where the schema is a choice between tagged tables.
pub(super) fn variants(schema: &Json) -> Option<Variants<'_>> {
    let branches = schema
        .get("oneOf")
        .or_else(|| schema.get("anyOf"))?
        .as_array()?;
    let mut tag = None;
    let mut named = Vec::with_capacity(branches.len());
    for branch in branches {
        let (key, name) = branch
            .get("properties")?
            .as_object()?
            .iter()
            .find_map(|(key, property)| Some((key, property.get("const")?.as_str()?)))?;
        tag = Some(key.as_str());
        named.push((name, branch));
    }
    Some(Variants {
        tag: tag?,
        branches: named,
    })
}

/// The words, where the schema is a choice between strings.
pub(super) fn words(schema: &Json) -> Option<Vec<&str>> {
    if let Some(words) = schema.get("enum") {
        return words.as_array()?.iter().map(Json::as_str).collect();
    }
    let branches = schema
        .get("oneOf")
        .or_else(|| schema.get("anyOf"))?
        .as_array()?;
    branches
        .iter()
        .map(|branch| branch.get("const").and_then(Json::as_str))
        .collect()
}

/// The schema of the table, where a key may hold one: itself, or the table among its options.
pub(super) fn table_of(schema: &Json) -> Option<&Json> {
    if variants(schema).is_some() || schema["type"] == "object" {
        return Some(schema);
    }
    schema.get("anyOf")?.as_array()?.iter().find_map(table_of)
}

/// The schema of `key` in a table of schema `schema`, in the variant that `tag_value` gives for a
/// tag, or else in the first that has the key.
pub(super) fn property<'a>(
    schema: &'a Json,
    key: &str,
    tag_value: impl Fn(&str) -> Option<String>,
) -> Option<&'a Json> {
    let table = table_of(schema)?;
    if let Some(all) = variants(table) {
        let chosen = tag_value(all.tag);
        let named = all
            .branches
            .iter()
            .find(|(name, _)| Some(*name) == chosen.as_deref());
        return match named {
            Some((_, branch)) => branch["properties"].get(key),
            None => all
                .branches
                .iter()
                .find_map(|(_, branch)| branch["properties"].get(key)),
        };
    }
    match table
        .get("properties")
        .and_then(|properties| properties.get(key))
    {
        Some(found) => Some(found),
        None => table
            .get("additionalProperties")
            .filter(|values| values.is_object()),
    }
}

/// The tables of a spec that have the key, the empty one being the spec itself.
pub(super) fn tables_with(key: &str) -> Vec<String> {
    fn walk(schema: &Json, at: &str, key: &str, found: &mut Vec<String>) {
        let Some(table) = table_of(schema) else {
            return;
        };
        let alone = [("", table)];
        let all = variants(table);
        for (_, branch) in all.as_ref().map_or(&alone[..], |all| &all.branches) {
            for (name, property) in branch["properties"].as_object().into_iter().flatten() {
                if name == key && !found.iter().any(|known| known == at) {
                    found.push(at.to_owned());
                }
                walk(
                    property,
                    &if at.is_empty() {
                        name.clone()
                    } else {
                        format!("{at}.{name}")
                    },
                    key,
                    found,
                );
            }
        }
        if let Some(named) = table
            .get("additionalProperties")
            .filter(|named| named.is_object())
        {
            walk(named, &format!("{at}.NAME"), key, found);
        }
    }
    let mut found = Vec::new();
    walk(run(), "", key, &mut found);
    walk(study(), "", key, &mut found);
    found
}

/// Drops from `lower` the keys that the variants chosen in `upper` do not have.
pub(super) fn drop_foreign(schema: &Json, lower: &mut SpecNode, upper: &SpecNode) {
    let (Some(table), Content::Table(above)) = (table_of(schema), &upper.content) else {
        return;
    };
    let Content::Table(below) = &mut lower.content else {
        return;
    };
    let mut tag = None;
    if let Some(all) = variants(table)
        && let Some(name) = above
            .iter()
            .find(|(key, _)| key == all.tag)
            .map(|(_, node)| node.text())
        && let Some((_, branch)) = all.branches.iter().find(|(branch, _)| *branch == name)
    {
        below.retain(|(key, _)| branch["properties"].get(key).is_some());
        tag = Some(name);
    }
    for (key, child) in below {
        let Some((_, above)) = above.iter().find(|(name, _)| name == key) else {
            continue;
        };
        if let Some(schema) = property(table, key, |_| tag.clone()) {
            drop_foreign(schema, child, above);
        }
    }
}
