//! The ways to move in a schema: to the variants of a table, the words of a choice, a key.

use serde_json::Value as Json;

use super::super::source::{Content, SpecNode};
use super::{run, study};

/// A table whose keys depend on the value of one of them.
pub(in crate::plan) struct Variants<'a> {
    pub tag: &'a str,
    /// Value of the tag, and the schema of its table.
    pub branches: Vec<(&'a str, &'a Json)>,
}

/// The variants, where the schema is a choice between tagged tables.
pub(in crate::plan) fn variants(schema: &Json) -> Option<Variants<'_>> {
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
pub(in crate::plan) fn words(schema: &Json) -> Option<Vec<&str>> {
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
pub(in crate::plan) fn table_of(schema: &Json) -> Option<&Json> {
    if variants(schema).is_some() || schema["type"] == "object" {
        return Some(schema);
    }
    schema.get("anyOf")?.as_array()?.iter().find_map(table_of)
}

/// The schema of `key` in a table of schema `schema`, in the variant that `tag_value` gives for a
/// tag, or else in the first that has the key.
pub(in crate::plan) fn property<'a>(
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
pub(in crate::plan) fn tables_with(key: &str) -> Vec<String> {
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
pub(in crate::plan) fn drop_foreign(schema: &Json, lower: &mut SpecNode, upper: &SpecNode) {
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
