//! Merged values against their schema: every fault at once, each on the one value that has it.
//!
//! A table with variants is judged by the variant that its tag names, so that a message speaks of
//! that variant's keys and not of all of them. The walk also gives the value as JSON, with every
//! path beside the folder that it is relative to.

use figment::value::{Dict, Num, Value};
use serde_json::{Map, Value as Json, json};

use super::diagnostics::{Diagnostic, similar};
use super::layers::{Merged, On, Origin, PathStep, STUDY, dotted};
use super::schedule::percentage;
use super::schema::{self, Variants};
use super::words::{
    about, allowed, is_file_name, is_name, is_percentage, join, kinds, list_of, number_text,
    plain_list, shown, spelled,
};

/// Most faults of one tree that are told: whoever has more made one mistake many times.
const MOST_FAULTS: usize = 200;

/// What the walk found.
#[derive(Debug, Default)]
pub struct Checked {
    pub value: Json,
    pub faults: Vec<Diagnostic>,
    /// Keys that an axis, the environment or `--set` gives and this cell's variant has not, with
    /// the reason: no fault while another cell has a use for them.
    pub idle: Vec<(String, Diagnostic)>,
}

/// Checks a merged tree against the schema of its table.
pub fn check(merged: &Merged, schema: &Json) -> Checked {
    let mut walk = SpecWalk {
        merged,
        path: Vec::new(),
        about: None,
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
    about: Option<String>,
    untold: usize,
    checked: Checked,
}

impl SpecWalk<'_> {
    fn name(&self) -> String {
        spelled(&self.path)
    }

    /// What to write where a value is not as its schema wants it.
    fn remedy(&self, schema: &Json) -> Option<String> {
        let about = match (about(schema), &self.about) {
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
            return self.wrong_type(schema, value);
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
            let name = self
                .path
                .last()
                .and_then(|step| {
                    if let PathStep::Key(key) = step {
                        Some(key.clone())
                    } else {
                        None
                    }
                })
                .unwrap_or_default();
            let meant = self
                .sibling_with(tag, &name)
                .map(|sibling| format!("; or did you mean {sibling}?"))
                .unwrap_or_default();
            self.fault(
                On::Key,
                format!("{table} has no {tag}"),
                Some(format!("write {tag} = {}{meant}", list_of(&names))),
            );
            return Json::Null;
        };
        self.path.push(PathStep::Key(tag.to_owned()));
        let Value::String(_, text) = chosen else {
            let json = self.wrong_type(&json!({ "enum": names }), chosen);
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
    fn sibling_with(&self, tag: &str, name: &str) -> Option<String> {
        let (_, around) = self.path.split_last()?;
        let Value::Dict(_, siblings) = self.merged.find(around)? else {
            return None;
        };
        let tagged = siblings.iter().filter(|(key, value)| {
            *key != name && matches!(value, Value::Dict(_, dict) if dict.contains_key(tag))
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
        let mut meant = Vec::new();
        for (key, value) in dict {
            self.path.push(PathStep::Key(key.clone()));
            let known = properties
                .and_then(|properties| properties.get(key))
                .or(others);
            if schema.get("propertyNames").is_some() && !is_name(key) {
                let kind = if matches!(&self.path[0], PathStep::Key(first) if first == "arms") {
                    "an arm"
                } else {
                    "a loss"
                };
                self.fault(
                    On::Key,
                    format!("{} is no name for {kind}", shown(key)),
                    Some("write a name of letters, digits, - and _".to_owned()),
                );
            } else if let Some(known) = known {
                let json = self.value(known, value);
                out.insert(key.clone(), json);
            } else if open {
                let json = self.value(&json!({}), value);
                out.insert(key.clone(), json);
            } else {
                let keys: Vec<&str> = properties
                    .into_iter()
                    .flat_map(Map::keys)
                    .map(String::as_str)
                    .collect();
                meant.extend(self.unknown_key(key, value, &keys, dict, variants));
            }
            self.path.pop();
        }
        for key in schema
            .get("required")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
        {
            if !dict.contains_key(key) && !meant.iter().any(|meant| meant == key) {
                self.missing(key, &schema["properties"][key], dict, variants);
            }
        }
        Json::Object(out)
    }

    fn missing(&mut self, key: &str, schema: &Json, dict: &Dict, variants: Option<&Variants>) {
        let table = self.name();
        let full = if table.is_empty() {
            key.to_owned()
        } else {
            format!("{table}.{key}")
        };
        let about = about(schema)
            .map(|about| format!(": {about}"))
            .unwrap_or_default();
        let chosen =
            variants.and_then(|variants| Some((variants.tag, dict.get(variants.tag)?.as_str()?)));
        match chosen {
            Some((tag, name)) => {
                self.path.push(PathStep::Key(tag.to_owned()));
                self.fault(
                    On::Value,
                    format!("{full} is missing"),
                    Some(format!("{tag} = \"{name}\" needs the key {key}{about}")),
                );
                self.path.pop();
            }
            None => self.fault(
                On::Key,
                format!("{full} is missing"),
                Some(format!("add the key {key}{about}")),
            ),
        }
    }

    /// Says that a key is not one here; gives the key of the table that was probably meant.
    fn unknown_key(
        &mut self,
        key: &str,
        value: &Value,
        keys: &[&str],
        dict: &Dict,
        variants: Option<&Variants>,
    ) -> Option<String> {
        let name = self.name();
        let chosen =
            variants.and_then(|variants| Some((variants.tag, dict.get(variants.tag)?.as_str()?)));
        let owners = |key: &str| -> Vec<&str> {
            let branches = variants.iter().flat_map(|variants| &variants.branches);
            branches
                .filter(|(_, branch)| branch["properties"].get(key).is_some())
                .map(|(name, _)| *name)
                .collect()
        };
        if let (Some((tag, chosen)), false) = (chosen, owners(key).is_empty()) {
            let message = format!("{name} is no key of {tag} = \"{chosen}\"");
            let own: Vec<&str> = keys.iter().copied().filter(|key| *key != tag).collect();
            let own = if own.is_empty() {
                "no other key".to_owned()
            } else {
                plain_list(&own)
            };
            let hint = format!(
                "it belongs to {tag} = {}; \"{chosen}\" has {own}",
                list_of(&owners(key))
            );
            let place = self.merged.place(&self.path, On::Key);
            let diagnostic = Diagnostic {
                message,
                place,
                hint: Some(hint),
            };
            let mut leaves = Vec::new();
            self.leaves(value, &mut self.path.clone(), &mut leaves);
            if leaves.iter().all(|(_, soft)| *soft) {
                self.checked.idle.extend(
                    leaves
                        .into_iter()
                        .map(|(path, _)| (path, diagnostic.clone())),
                );
            } else {
                self.checked.faults.push(diagnostic);
            }
            return None;
        }
        let in_arm = self
            .merged
            .origin(&self.path)
            .is_some_and(|(layer, _)| layer.origin == Origin::Arm);
        let around = spelled(&self.path[..self.path.len() - 1]);
        let mut candidates = keys.to_vec();
        if around.is_empty() && !in_arm {
            candidates.extend(STUDY);
        }
        let mut elsewhere = if around.is_empty() {
            Vec::new()
        } else {
            schema::tables_with(key)
        };
        let inside = format!("{around}.");
        if elsewhere.iter().any(|table| table.starts_with(&inside)) {
            elsewhere.retain(|table| table.starts_with(&inside));
        }
        elsewhere.sort_by_key(|table| table.matches('.').count());
        let foreign = variants.and_then(|variants| {
            let all = variants
                .branches
                .iter()
                .filter_map(|(_, branch)| branch["properties"].as_object())
                .flat_map(Map::keys);
            similar(key, all.map(String::as_str))
        });
        let meant = similar(key, candidates.iter().copied());
        let list = match around.as_str() {
            "" => format!("the keys of a spec are {}", plain_list(&candidates)),
            around => format!("the keys of {around} are {}", plain_list(keys)),
        };
        let hint = match (meant, foreign, chosen) {
            _ if around.is_empty() && STUDY.contains(&key) => {
                format!("{key} belongs to the study as a whole: write it outside the arm")
            }
            _ if around.is_empty() && key == "arm" => "arms are chosen in the grid: write \
                                                       grid.arm = [\"NAME\"], or --set arm=NAME"
                .to_owned(),
            _ if elsewhere.iter().any(String::is_empty) => {
                format!("{key} stands at the top of a spec, above its first table")
            }
            (Some(meant), ..) if elsewhere.is_empty() => format!("write {meant}"),
            (_, Some(foreign), Some((tag, _))) if elsewhere.is_empty() => {
                format!(
                    "{foreign} belongs to {tag} = {}; {list}",
                    list_of(&owners(foreign))
                )
            }
            _ if !elsewhere.is_empty() => {
                format!("{key} is a key of {}; {list}", join(&elsewhere, "and"))
            }
            _ => list,
        };
        self.fault(On::Key, format!("{name} is not a key"), Some(hint));
        meant.map(str::to_owned)
    }

    /// The values below one, and whether each comes from outside the files or from an axis.
    fn leaves(&self, value: &Value, path: &mut Vec<PathStep>, out: &mut Vec<(String, bool)>) {
        if let Value::Dict(_, dict) = value
            && !dict.is_empty()
        {
            for (key, value) in dict {
                path.push(PathStep::Key(key.clone()));
                self.leaves(value, path, out);
                path.pop();
            }
            return;
        }
        let soft = self.merged.layer_of(value).is_some_and(|layer| {
            matches!(
                layer.origin,
                Origin::Axis | Origin::Environment | Origin::Set
            )
        });
        out.push((dotted(path), soft));
    }

    fn list(&mut self, schema: &Json, elements: &[Value]) -> Json {
        let (least, most) = (
            schema["minItems"].as_u64().unwrap_or(0),
            schema["maxItems"].as_u64().unwrap_or(u64::MAX),
        );
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
            let entries = if count == 1 { "entry" } else { "entries" };
            let hint = about(schema)
                .or_else(|| self.about.clone())
                .map(|about| format!("write {expected}: {about}"));
            self.fault(
                On::Value,
                format!("{name} has {count} {entries}, not {expected}"),
                hint,
            );
            return Json::Null;
        }
        let outer = about(schema).map(|about| self.about.replace(about));
        let any = json!({});
        let mut out = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            self.path.push(PathStep::Index(index));
            let schema = schema["prefixItems"]
                .get(index)
                .or_else(|| schema.get("items"))
                .unwrap_or(&any);
            let json = self.value(schema, element);
            out.push(json);
            self.path.pop();
        }
        if let Some(outer) = outer {
            self.about = outer;
        }
        Json::Array(out)
    }

    /// `others` is what else could stand here.
    fn string(&mut self, schema: &Json, text: &str, others: &[String]) -> Json {
        if let Some(words) = schema::words(schema) {
            if !words.contains(&text) {
                self.unknown_word(&words, text, others);
            }
            return json!(text);
        }
        let name = self.name();
        if text.is_empty() && schema["minLength"].as_u64().is_some_and(|least| least > 0) {
            let about = about(schema)
                .map(|about| format!(": {about}"))
                .unwrap_or_default();
            self.fault(
                On::Value,
                format!("{name} is empty"),
                Some(format!("write it out{about}")),
            );
        }
        if let Some(control) = text
            .chars()
            .find(|c| c.is_control() && !['\n', '\t'].contains(c))
        {
            let message = format!(
                "{name} holds the control character {}",
                control.escape_unicode()
            );
            self.fault(
                On::Value,
                message,
                Some("take it out: it could command a terminal".to_owned()),
            );
            return Json::Null;
        }
        if schema["format"] == "path" {
            let base = self
                .merged
                .origin(&self.path)
                .map(|(layer, _)| layer.source.base.clone())
                .unwrap_or_default();
            return json!({ "written": text, "base": base });
        }
        if is_percentage(schema) && percentage(text).is_none() {
            let hint = match text.trim().parse::<u64>() {
                Ok(steps) if !others.is_empty() => {
                    format!("write {steps} without quotes, or a share such as \"20%\"")
                }
                _ => ["a share such as \"20%\""]
                    .into_iter()
                    .chain(others.iter().map(String::as_str))
                    .collect::<Vec<_>>()
                    .join(" or "),
            };
            let hint = if hint.starts_with("write") {
                hint
            } else {
                format!("write {hint}")
            };
            self.fault(
                On::Value,
                format!(
                    "{name} = {} is not a percentage from 0% to 100%",
                    shown(text)
                ),
                Some(hint),
            );
        } else if schema.get("pattern").is_some() && !is_percentage(schema) && !is_file_name(text) {
            let hint = "write a name of letters, digits, -, _ and ., which begins with a letter \
                        or a digit";
            self.fault(
                On::Value,
                format!("{name} = {} is no name for a folder", shown(text)),
                Some(hint.to_owned()),
            );
        }
        json!(text)
    }

    fn number(&mut self, schema: &Json, number: Num, others: &[String]) -> Json {
        let value = number
            .to_f64()
            .unwrap_or_else(|| number.to_i128().map_or(0.0, |whole| whole as f64));
        let bound = |keyword: &str| schema.get(keyword).and_then(Json::as_f64);
        let inside = bound("minimum").is_none_or(|bound| value >= bound)
            && bound("maximum").is_none_or(|bound| value <= bound)
            && bound("exclusiveMinimum").is_none_or(|bound| value > bound)
            && bound("exclusiveMaximum").is_none_or(|bound| value < bound);
        if !inside {
            let message = format!("{} = {} is out of range", self.name(), number_text(number));
            let others: String = others.iter().map(|other| format!(", or {other}")).collect();
            let hint = self
                .remedy(schema)
                .map(|remedy| format!("{remedy}{others}"));
            self.fault(On::Value, message, hint);
        }
        match number.to_i128() {
            Some(whole) => json!(whole as i64),
            None => json!(value),
        }
    }

    fn unknown_word(&mut self, words: &[&str], text: &str, others: &[String]) {
        let name = self.name();
        let others: String = others.iter().map(|other| format!(", or {other}")).collect();
        let hint = match similar(text, words.iter().copied()) {
            Some(meant) if words.len() > 1 => format!(
                "write \"{meant}\"; the values are {}{others}",
                list_of(words)
            ),
            _ => format!("write {}{others}", list_of(words)),
        };
        self.fault(
            On::Value,
            format!("{} is not a value of {name}", shown(text)),
            Some(hint),
        );
    }

    fn wrong_type(&mut self, schema: &Json, value: &Value) -> Json {
        let name = self.name();
        let expected = kinds(schema);
        let hint = match value {
            Value::String(_, text)
                if expected.contains("number") && text.trim().parse::<f64>().is_ok() =>
            {
                Some(format!("write {} without quotes", text.trim()))
            }
            Value::String(_, text)
                if expected.contains("true") && ["true", "false"].contains(&text.trim()) =>
            {
                Some(format!("write {} without quotes", text.trim()))
            }
            Value::Num(_, Num::F64(share))
                if expected.contains("percentage") && (0.0..=1.0).contains(share) =>
            {
                Some(format!("write \"{}%\"", (share * 1e8).round() / 1e6))
            }
            Value::Num(_, Num::F64(number))
                if expected.contains("whole") && number.fract() == 0.0 && number.abs() < 1e15 =>
            {
                Some(format!("write {}", *number as i64))
            }
            Value::Array(_, elements)
                if self.may_be_an_axis()
                    && !elements.is_empty()
                    && elements.iter().all(|one| fits(schema, one)) =>
            {
                let list = self.merged.toml(&self.path);
                Some(format!(
                    "write one of them, or make it an axis of the grid: grid.{} = {list}",
                    dotted(&self.path)
                ))
            }
            other
                if !matches!(other, Value::Dict(..))
                    && self.path.len() == 2
                    && self.path[0] == PathStep::Key("loss".to_owned()) =>
            {
                Some(
                    "losses are named tables: write it below a header such as [loss.lm]".to_owned(),
                )
            }
            other if expected.starts_with("a list") && fits(&schema["items"], other) => self
                .merged
                .origin(&self.path)
                .map(|(_, node)| format!("write [{}]", node.toml())),
            Value::Num(..) | Value::Bool(..) if expected.contains("string") => self
                .merged
                .origin(&self.path)
                .map(|(_, node)| format!("write \"{}\"", node.toml())),
            _ => self.remedy(schema),
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
        self.fault(
            On::Value,
            format!("{name} is {found}, not {expected}"),
            hint,
        );
        Json::Null
    }

    /// Whether the value is one of a run, which a grid can vary.
    fn may_be_an_axis(&self) -> bool {
        let of_a_run = matches!(self.path.first(), Some(PathStep::Key(first)) if !STUDY.contains(&first.as_str()));
        of_a_run
            && self
                .path
                .iter()
                .all(|step| matches!(step, PathStep::Key(_)))
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
        Some("integer") => {
            matches!(value, Value::Num(_, number) if !matches!(number, Num::F64(_) | Num::F32(_)))
        }
        Some("number") => matches!(value, Value::Num(..)),
        Some("boolean") => matches!(value, Value::Bool(..)),
        _ => true,
    }
}
