//! The schema of a spec file, for editors.

use serde_json::{Map, Value as Json, json};

use super::super::source::{Content, SpecNode, SpecText};
use super::super::spec_layers::DEFAULTS;
use super::{TRIED_TABLES, run, study, table_of, variants};

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
    axes["additionalProperties"] = json!({ "type": "array" });
    let mut tried = axes.clone();
    if let Some(keys) = tried["properties"].as_object_mut() {
        keys.retain(|key, _| key == "arm" || key == "seed" || TRIED_TABLES.contains(&key.as_str()));
    }
    tried["description"] = all["properties"]["select"]["description"].clone();
    all["properties"]["select"] = tried;
    axes["properties"]["exclude"] = json!({
        "description": "Cells that are left out: axes and the value, or the values, that all have \
                        to match.",
        "anyOf": [{ "type": "object" }, { "type": "array", "items": { "type": "object" } }],
    });
    axes["description"] = all["properties"]["grid"]["description"].clone();
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
