//! Merged values against their schema: every fault at once, each on the one value that has it.
//!
//! [`check`] walks the tree of a cell. A table with variants is judged by the variant that its tag
//! names, so that a message speaks of that variant's keys and not of all of them. The walk also
//! gives the value as JSON, with every path beside the folder that it is relative to.

mod keys;
mod kinds;
mod other_names;
mod ranges;
mod values;

use figment::value::{Dict, Value};
use serde_json::{Map, Value as Json, json};

use super::diagnostics::{Diagnostic, similar};
use super::schema::{self, Variants};
use super::spec_layers::{Merged, On, PathStep, dotted};
use super::words::{allowed, description, is_name, quoted, quoted_list, short_dotted};

use keys::TableKeys;
use kinds::fits;

/// Most faults of one tree that are told: whoever has more made one mistake many times.
const MOST_FAULTS: usize = 200;

/// What the walk found.
#[derive(Debug, Default)]
pub struct Checked {
    pub value: Json,
    pub faults: Vec<Diagnostic>,
    /// Keys that an axis, the environment or `--set` gives and this cell's variant has not, with
    /// the reason: no fault while another cell has a use for them.
    pub unused: Vec<(String, Diagnostic)>,
}

/// Checks a merged tree against the schema of its table.
pub fn check(merged: &Merged, schema: &Json) -> Checked {
    let mut walk = SpecWalk {
        merged,
        path: Vec::new(),
        list_description: None,
        untold: 0,
        checked: Checked::default(),
    };
    let value = walk.table(schema, &merged.values, None);
    if walk.untold > 0 {
        let message = format!(
            "there are {} more mistakes, which are not shown",
            walk.untold
        );
        walk.checked
            .faults
            .push(Diagnostic::new(message).hint("mend these first"));
    }
    Checked {
        value,
        ..walk.checked
    }
}

struct SpecWalk<'a> {
    merged: &'a Merged,
    path: Vec<PathStep>,
    /// What the list around the value is about.
    list_description: Option<String>,
    untold: usize,
    checked: Checked,
}

impl SpecWalk<'_> {
    fn name(&self) -> String {
        short_dotted(&self.path)
    }

    /// What to write where a value is not as its schema wants it.
    fn remedy(&self, schema: &Json) -> Option<String> {
        let about = match (description(schema), &self.list_description) {
            (Some(own), _) => format!(": {own}"),
            (None, Some(of_list)) => format!(" ({of_list})"),
            (None, None) => String::new(),
        };
        Some(format!("write {}{about}", allowed(schema)))
    }

    fn fault(&mut self, on: On, message: String, hint: Option<String>) {
        if self.checked.faults.len() >= MOST_FAULTS {
            self.untold += 1;
            return;
        }
        let place = self.merged.place(&self.path, on);
        self.checked.faults.push(Diagnostic {
            message,
            place,
            hint,
        });
    }

    fn value(&mut self, schema: &Json, value: &Value) -> Json {
        let options = match schema::variants(schema) {
            Some(_) => None,
            None => schema.get("anyOf").and_then(Json::as_array),
        };
        let chosen = match options {
            Some(options) => options.iter().find(|option| fits(option, value)),
            None => Some(schema).filter(|schema| fits(schema, value)),
        };
        let Some(chosen) = chosen else {
            return self.wrong_kind(schema, value);
        };
        let others: Vec<String> = options
            .into_iter()
            .flatten()
            .filter(|option| !std::ptr::eq(*option, chosen))
            .map(allowed)
            .collect();
        match value {
            Value::Dict(_, dict) => match schema::variants(chosen) {
                Some(variants) => self.variant(&variants, dict),
                None => self.table(chosen, dict, None),
            },
            Value::Array(_, elements) => self.list(chosen, elements),
            Value::String(_, text) => self.string(chosen, text, &others),
            Value::Num(_, number) => self.number(chosen, *number, &others),
            Value::Bool(_, truth) => json!(truth),
            _ => Json::Null,
        }
    }

    fn variant(&mut self, variants: &Variants, dict: &Dict) -> Json {
        let tag = variants.tag;
        let names: Vec<&str> = variants.branches.iter().map(|(name, _)| *name).collect();
        let table = self.name();
        let Some(chosen) = dict.get(tag) else {
            let meant = self
                .sibling_with(tag)
                .map(|sibling| format!("; or did you mean {sibling}?"))
                .unwrap_or_default();
            self.fault(
                On::Key,
                format!("{table} has no {tag}"),
                Some(format!("write {tag} = {}{meant}", quoted_list(&names))),
            );
            return Json::Null;
        };
        self.path.push(PathStep::Key(tag.to_owned()));
        let Value::String(_, text) = chosen else {
            let json = self.wrong_kind(&json!({ "enum": names }), chosen);
            self.path.pop();
            return json;
        };
        let branch = variants.branches.iter().find(|(name, _)| name == text);
        if branch.is_none() {
            self.unknown_word(&names, text, &[]);
        }
        self.path.pop();
        match branch {
            Some((_, branch)) => self.table(branch, dict, Some(variants)),
            None => Json::Null,
        }
    }

    /// The table beside this one that has the tag and a similar name.
    fn sibling_with(&self, tag: &str) -> Option<String> {
        let (last, around) = self.path.split_last()?;
        let name = match last {
            PathStep::Key(key) => key.as_str(),
            PathStep::Index(_) => "",
        };
        let Value::Dict(_, siblings) = self.merged.find(around)? else {
            return None;
        };
        let tagged = siblings.iter().filter(|(key, value)| {
            key.as_str() != name && matches!(value, Value::Dict(_, dict) if dict.contains_key(tag))
        });
        similar(name, tagged.map(|(key, _)| key.as_str()))
            .map(|sibling| format!("{}.{sibling}", dotted(around)))
    }

    fn table(&mut self, schema: &Json, dict: &Dict, variants: Option<&Variants>) -> Json {
        let mut out = Map::new();
        let properties = schema.get("properties").and_then(Json::as_object);
        let others = schema
            .get("additionalProperties")
            .filter(|others| others.is_object());
        let open = properties.is_none() && others.is_none();
        let keys = TableKeys::new(properties, variants, dict);
        let mut meant = Vec::new();
        for (key, value) in dict {
            self.path.push(PathStep::Key(key.clone()));
            let known = properties
                .and_then(|properties| properties.get(key))
                .or(others);
            if schema.get("propertyNames").is_some() && !is_name(key) {
                self.bad_name(key);
            } else if let Some(known) = known {
                let json = self.value(known, value);
                out.insert(key.clone(), json);
            } else if open {
                let json = self.value(&json!({}), value);
                out.insert(key.clone(), json);
            } else {
                meant.extend(self.unknown_key(key, value, &keys));
            }
            self.path.pop();
        }
        let required = schema.get("required").and_then(Json::as_array);
        for key in required.into_iter().flatten().filter_map(Json::as_str) {
            if !dict.contains_key(key) && !meant.iter().any(|meant| meant == key) {
                self.missing_key(key, &schema["properties"][key], &keys);
            }
        }
        Json::Object(out)
    }

    fn bad_name(&mut self, key: &str) {
        let of_arms = self.path[0] == PathStep::Key("arms".to_owned());
        let kind = if of_arms { "an arm" } else { "a loss" };
        self.fault(
            On::Key,
            format!("{} is no name for {kind}", quoted(key)),
            Some("write a name of letters, digits, - and _".to_owned()),
        );
    }
}
