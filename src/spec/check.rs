//! Merged values against their schema: every fault at once, each on the one value that has it.
//!
//! A table with variants is judged by the variant that its tag names, so that a message speaks of that variant's keys and not of all of them. The walk also gives the value as
//! JSON, with every path beside the folder that it is relative to.

use figment::value::{Dict, Num, Value};
use serde_json::{Map, Value as Json, json};

use super::diagnostics::{Diagnostic, similar};
use super::layers::{Merged, On, Origin, Step, dotted};
use super::schedule::percentage;
use super::schema::{self, Variants};
use super::source::{float_text, key_text, string_text};

/// What the walk found.
#[derive(Debug, Default)]
pub struct Checked {
    pub value: Json,
    pub faults: Vec<Diagnostic>,
    /// Keys that an axis, the environment or `--set` gives and this cell's variant has not, with the reason: no fault while another cell has a use for them.
    pub idle: Vec<(String, Diagnostic)>,
}

/// Checks a merged tree against the schema of its table.
pub fn check(merged: &Merged, schema: &Json) -> Checked {
    let mut walk = Walk { merged, path: Vec::new(), checked: Checked::default() };
    let value = walk.table(schema, &merged.values, None);
    Checked { value, ..walk.checked }
}

struct Walk<'a> {
    merged: &'a Merged,
    path: Vec<Step>,
    checked: Checked,
}

impl Walk<'_> {
    fn name(&self) -> String {
        dotted(&self.path)
    }

    fn fault(&mut self, on: On, message: String, hint: Option<String>) {
        let place = self.merged.place(&self.path, on);
        self.checked.faults.push(Diagnostic { message, place, hint });
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
        let Some(chosen) = chosen else { return self.wrong_type(schema, value) };
        match value {
            Value::Dict(_, dict) => match schema::variants(chosen) {
                Some(variants) => self.variant(&variants, dict),
                None => self.table(chosen, dict, None),
            },
            Value::Array(_, elements) => self.list(chosen, elements),
            Value::String(_, text) => self.string(chosen, text),
            Value::Num(_, number) => self.number(chosen, *number),
            Value::Bool(_, truth) => json!(truth),
            _ => Json::Null,
        }
    }

    fn variant(&mut self, variants: &Variants, dict: &Dict) -> Json {
        let tag = variants.tag;
        let names: Vec<&str> = variants.branches.iter().map(|(name, _)| *name).collect();
        let table = self.name();
        let Some(chosen) = dict.get(tag) else {
            let name =
                self.path.last().and_then(|step| if let Step::Key(key) = step { Some(key.clone()) } else { None }).unwrap_or_default();
            let meant = self.sibling_with(tag, &name).map(|sibling| format!(", or did you mean {sibling}?")).unwrap_or_default();
            self.fault(On::Key, format!("{table} has no {tag}"), Some(format!("write {tag} = one of {}{meant}", list_of(&names))));
            return Json::Null;
        };
        self.path.push(Step::Key(tag.to_owned()));
        let Value::String(_, text) = chosen else {
            let json = self.wrong_type(&json!({ "enum": names }), chosen);
            self.path.pop();
            return json;
        };
        let branch = variants.branches.iter().find(|(name, _)| name == text);
        if branch.is_none() {
            self.unknown_word(&names, text);
        }
        self.path.pop();
        match branch {
            Some((_, branch)) => self.table(branch, dict, Some(variants)),
            None => Json::Null,
        }
    }

    /// The table beside this one that has the tag and a similar name.
    fn sibling_with(&self, tag: &str, name: &str) -> Option<String> {
        let (_, around) = self.path.split_last()?;
        let Value::Dict(_, siblings) = self.merged.find(around)? else { return None };
        let tagged = siblings.iter().filter(|(key, value)| *key != name && matches!(value, Value::Dict(_, dict) if dict.contains_key(tag)));
        similar(name, tagged.map(|(key, _)| key.as_str())).map(|sibling| format!("{}.{sibling}", dotted(around)))
    }

    fn table(&mut self, schema: &Json, dict: &Dict, variants: Option<&Variants>) -> Json {
        let mut out = Map::new();
        let properties = schema.get("properties").and_then(Json::as_object);
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        let open = properties.is_none() && others.is_none();
        for (key, value) in dict {
            self.path.push(Step::Key(key.clone()));
            let known = properties.and_then(|properties| properties.get(key)).or(others);
            if schema.get("propertyNames").is_some() && !is_name(key) {
                let message = format!("{} is no name for one of {}", string_text(key), dotted(&self.path[..self.path.len() - 1]));
                self.fault(On::Key, message, Some("a name is letters, digits, - and _".to_owned()));
            } else if let Some(known) = known {
                let json = self.value(known, value);
                out.insert(key.clone(), json);
            } else if open {
                let json = self.value(&json!({}), value);
                out.insert(key.clone(), json);
            } else {
                let keys: Vec<&str> = properties.into_iter().flat_map(Map::keys).map(String::as_str).collect();
                self.unknown_key(key, value, &keys, dict, variants);
            }
            self.path.pop();
        }
        for key in schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
            if !dict.contains_key(key) {
                self.missing(key, &schema["properties"][key], dict, variants);
            }
        }
        Json::Object(out)
    }

    fn missing(&mut self, key: &str, schema: &Json, dict: &Dict, variants: Option<&Variants>) {
        let table = self.name();
        let full = if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") };
        let about = schema["description"].as_str().map(|text| format!(": {}", lower_first(text.trim_end_matches('.')))).unwrap_or_default();
        let chosen = variants.and_then(|variants| Some((variants.tag, dict.get(variants.tag)?.as_str()?)));
        match chosen {
            Some((tag, name)) => {
                self.path.push(Step::Key(tag.to_owned()));
                self.fault(On::Value, format!("{full} is missing"), Some(format!("{tag} = \"{name}\" needs {key}{about}")));
                self.path.pop();
            }
            None => self.fault(On::Key, format!("{full} is missing"), Some(format!("write {key}{about}"))),
        }
    }

    fn unknown_key(&mut self, key: &str, value: &Value, keys: &[&str], dict: &Dict, variants: Option<&Variants>) {
        let name = self.name();
        let chosen = variants.and_then(|variants| Some((variants.tag, dict.get(variants.tag)?.as_str()?)));
        let owners: Vec<&str> = variants
            .map(|variants| {
                variants.branches.iter().filter(|(_, branch)| branch["properties"].get(key).is_some()).map(|(name, _)| *name).collect()
            })
            .unwrap_or_default();
        if let (Some((tag, chosen)), false) = (chosen, owners.is_empty()) {
            let message = format!("{name} is no key of {tag} = \"{chosen}\"");
            let hint = format!("it belongs to {tag} = {}; \"{chosen}\" has {}", list_of(&owners), plain_list(keys));
            let place = self.merged.place(&self.path, On::Key);
            let diagnostic = Diagnostic { message, place, hint: Some(hint) };
            let mut leaves = Vec::new();
            self.leaves(value, &mut self.path.clone(), &mut leaves);
            if leaves.iter().all(|(_, soft)| *soft) {
                self.checked.idle.extend(leaves.into_iter().map(|(path, _)| (path, diagnostic.clone())));
            } else {
                self.checked.faults.push(diagnostic);
            }
            return;
        }
        let hint = match similar(key, keys.iter().copied()) {
            Some(meant) => format!("write {meant}"),
            None => match self.path.len() {
                1 => format!("the keys of a spec are {}", plain_list(keys)),
                length => format!("the keys of {} are {}", dotted(&self.path[..length - 1]), plain_list(keys)),
            },
        };
        self.fault(On::Key, format!("{name} is not a key"), Some(hint));
    }

    /// The values below one, and whether each comes from outside the files or from an axis.
    fn leaves(&self, value: &Value, path: &mut Vec<Step>, out: &mut Vec<(String, bool)>) {
        if let Value::Dict(_, dict) = value
            && !dict.is_empty()
        {
            for (key, value) in dict {
                path.push(Step::Key(key.clone()));
                self.leaves(value, path, out);
                path.pop();
            }
            return;
        }
        let soft =
            self.merged.layer_of(value).is_some_and(|layer| matches!(layer.origin, Origin::Axis | Origin::Environment | Origin::Set));
        out.push((dotted(path), soft));
    }

    fn list(&mut self, schema: &Json, elements: &[Value]) -> Json {
        let (least, most) = (schema["minItems"].as_u64().unwrap_or(0), schema["maxItems"].as_u64().unwrap_or(u64::MAX));
        let count = elements.len() as u64;
        if count < least || count > most {
            let expected = if least == most {
                format!("{least}")
            } else if count < least {
                format!("at least {least}")
            } else {
                format!("at most {most}")
            };
            let name = self.name();
            self.fault(On::Value, format!("{name} has {count} entries, not {expected}"), describe(schema));
            return Json::Null;
        }
        let any = json!({});
        let mut out = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            self.path.push(Step::Index(index));
            let schema = schema["prefixItems"].get(index).or_else(|| schema.get("items")).unwrap_or(&any);
            let json = self.value(schema, element);
            out.push(json);
            self.path.pop();
        }
        Json::Array(out)
    }

    fn string(&mut self, schema: &Json, text: &str) -> Json {
        if let Some(words) = schema::words(schema) {
            if !words.contains(&text) {
                self.unknown_word(&words, text);
            }
            return json!(text);
        }
        if text.is_empty() && schema["minLength"].as_u64().is_some_and(|least| least > 0) {
            let name = self.name();
            self.fault(On::Value, format!("{name} is empty"), describe(schema));
        }
        if schema["format"] == "path" {
            let base = self.merged.origin(&self.path).map(|(layer, _)| layer.source.base.clone()).unwrap_or_default();
            return json!({ "written": text, "base": base });
        }
        match schema["pattern"].as_str() {
            Some(pattern) if pattern.ends_with("%$") && percentage(text).is_none() => {
                let name = self.name();
                let message = format!("{name} = {} is not a percentage from 0% to 100%", shown(text));
                self.fault(On::Value, message, Some("write a share such as \"20%\"".to_owned()));
            }
            Some(pattern) if !pattern.ends_with("%$") && !is_file_name(text) => {
                let name = self.name();
                let message = format!("{name} = {} is no name for a folder", shown(text));
                self.fault(
                    On::Value,
                    message,
                    Some("a name is letters, digits, -, _ and ., and begins with a letter or a digit".to_owned()),
                );
            }
            _ => {}
        }
        json!(text)
    }

    fn number(&mut self, schema: &Json, number: Num) -> Json {
        let value = number.to_f64().unwrap_or_else(|| number.to_i128().map_or(0.0, |whole| whole as f64));
        for (keyword, words) in
            [("minimum", "at least"), ("maximum", "at most"), ("exclusiveMinimum", "more than"), ("exclusiveMaximum", "less than")]
        {
            if let Some(bound) = schema.get(keyword).and_then(Json::as_f64)
                && !match keyword {
                    "minimum" => value >= bound,
                    "maximum" => value <= bound,
                    "exclusiveMinimum" => value > bound,
                    _ => value < bound,
                }
            {
                let name = self.name();
                let message = format!("{name} = {} is out of range: it is {words} {}", number_text(number), schema[keyword]);
                self.fault(On::Value, message, describe(schema));
            }
        }
        match number.to_i128() {
            Some(whole) => json!(whole as i64),
            None => json!(value),
        }
    }

    fn unknown_word(&mut self, words: &[&str], text: &str) {
        let name = self.name();
        let meant = similar(text, words.iter().copied());
        let hint = match meant {
            Some(meant) => format!("write \"{meant}\"; the values are {}", list_of(words)),
            None => format!("the values are {}", list_of(words)),
        };
        self.fault(On::Value, format!("{} is not a value of {name}", shown(text)), Some(hint));
    }

    fn wrong_type(&mut self, schema: &Json, value: &Value) -> Json {
        let name = self.name();
        let expected = kinds(schema);
        let hint = match value {
            Value::String(_, text) if expected.contains("number") && text.trim().parse::<f64>().is_ok() => {
                Some(format!("write {} without quotes", text.trim()))
            }
            Value::String(_, text) if expected.contains("true") && ["true", "false"].contains(&text.trim()) => {
                Some(format!("write {} without quotes", text.trim()))
            }
            Value::Num(_, Num::F64(share)) if expected.contains("percentage") && (0.0..=1.0).contains(share) => {
                Some(format!("write \"{}%\"", (share * 1e8).round() / 1e6))
            }
            Value::Num(_, Num::F64(number)) if expected.contains("whole") && number.fract() == 0.0 && number.abs() < 1e15 => {
                Some(format!("write {}", *number as i64))
            }
            Value::Dict(..) => schema["description"].as_str().map(str::to_owned),
            other if expected.starts_with("a list") && fits(&schema["items"], other) => {
                self.merged.origin(&self.path).map(|(_, node)| format!("write [{}]", node.toml()))
            }
            Value::Num(..) | Value::Bool(..) if expected.contains("string") => {
                self.merged.origin(&self.path).map(|(_, node)| format!("write \"{}\"", node.toml()))
            }
            _ => describe(schema),
        };
        let found = match value {
            Value::String(..) => "a string",
            Value::Bool(..) => "true or false",
            Value::Num(_, Num::F64(_)) => "a number with a fraction",
            Value::Num(..) => "a whole number",
            Value::Dict(..) => "a table",
            Value::Array(..) => "a list",
            _ => "nothing",
        };
        self.fault(On::Value, format!("{name} is {found}, not {expected}"), hint);
        Json::Null
    }
}

/// Whether a value is of the schema's kind at all.
fn fits(schema: &Json, value: &Value) -> bool {
    if let Some(options) = schema.get("anyOf").and_then(Json::as_array)
        && schema::variants(schema).is_none()
    {
        return options.iter().any(|option| fits(option, value));
    }
    if schema::variants(schema).is_some() {
        return matches!(value, Value::Dict(..));
    }
    if schema::words(schema).is_some() {
        return matches!(value, Value::String(..));
    }
    match schema["type"].as_str() {
        Some("object") => matches!(value, Value::Dict(..)),
        Some("array") => matches!(value, Value::Array(..)),
        Some("string") => matches!(value, Value::String(..)),
        Some("integer") => matches!(value, Value::Num(_, number) if !matches!(number, Num::F64(_) | Num::F32(_))),
        Some("number") => matches!(value, Value::Num(..)),
        Some("boolean") => matches!(value, Value::Bool(..)),
        _ => true,
    }
}

/// The kinds of value that a schema takes, in words.
fn kinds(schema: &Json) -> String {
    if schema::variants(schema).is_some() {
        return "a table".to_owned();
    }
    if let Some(words) = schema::words(schema) {
        return format!("one of {}", list_of(&words));
    }
    if let Some(options) = schema.get("anyOf").and_then(Json::as_array) {
        return options.iter().map(kinds).collect::<Vec<_>>().join(" or ");
    }
    match schema["type"].as_str() {
        Some("object") => "a table".to_owned(),
        Some("array") => "a list".to_owned(),
        Some("string") if schema["pattern"].as_str().is_some_and(|pattern| pattern.ends_with("%$")) => "a percentage".to_owned(),
        Some("string") => "a string".to_owned(),
        Some("integer") => "a whole number".to_owned(),
        Some("number") => "a number".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        _ => "a value".to_owned(),
    }
}

fn describe(schema: &Json) -> Option<String> {
    schema["description"].as_str().map(|text| text.trim_end_matches('.').to_owned())
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// `"a", "b" or "c"`.
pub(super) fn list_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| string_text(name)).collect();
    join(&quoted)
}

/// `a, b and c` without quotes.
pub(super) fn plain_list(names: &[&str]) -> String {
    let mut names: Vec<String> = names.iter().map(|name| key_text(name)).collect();
    match names.pop() {
        Some(last) if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        Some(only) => only,
        None => "none".to_owned(),
    }
}

fn join(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A text of a spec in a message, not longer than a message can bear.
pub(super) fn shown(text: &str) -> String {
    if text.chars().count() > 60 { string_text(&format!("{}…", text.chars().take(60).collect::<String>())) } else { string_text(text) }
}

fn number_text(number: Num) -> String {
    match number.to_i128() {
        Some(whole) => whole.to_string(),
        None => float_text(number.to_f64().unwrap_or_default()),
    }
}

/// Names of losses and arms: what `schema::NAME_PATTERN` matches.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Names of studies, which become folders.
pub(super) fn is_file_name(name: &str) -> bool {
    name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
