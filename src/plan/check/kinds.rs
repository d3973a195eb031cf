//! Whether a value is of its schema's kind, and what to say where it is not.

use figment::value::{Num, Value};
use serde_json::Value as Json;

use super::super::schema;
use super::super::spec_layers::{On, PathStep, STUDY_TABLES, dotted};
use super::super::words::kinds;
use super::SpecWalk;

impl SpecWalk<'_> {
    pub(super) fn wrong_kind(&mut self, schema: &Json, value: &Value) -> Json {
        let name = self.name();
        let expected = kinds(schema);
        let found = kind_of(value);
        let hint = self.wrong_kind_hint(schema, value, &expected);
        self.fault(
            On::Value,
            format!("{name} is {found}, not {expected}"),
            hint,
        );
        Json::Null
    }

    fn wrong_kind_hint(&self, schema: &Json, value: &Value, expected: &str) -> Option<String> {
        if let Some(rewritten) = rewritten(value, expected) {
            return Some(format!("write {rewritten}"));
        }
        if let Value::Array(_, elements) = value
            && self.may_be_an_axis()
            && !elements.is_empty()
            && elements.iter().all(|element| fits(schema, element))
        {
            let (key, list) = (dotted(&self.path), self.merged.toml(&self.path));
            return Some(format!(
                "write one of them, or make it an axis of the grid: grid.{key} = {list}"
            ));
        }
        let is_table = matches!(value, Value::Dict(..));
        let below_losses = self.path.len() == 2 && self.path[0] == PathStep::Key("loss".to_owned());
        if below_losses && !is_table {
            return Some(
                "losses are named tables: write it below a header such as [loss.lm]".to_owned(),
            );
        }
        let as_written = || {
            let (_, node) = self.merged.origin(&self.path)?;
            Some(node.toml())
        };
        if expected.starts_with("a list") && fits(&schema["items"], value) {
            return as_written().map(|text| format!("write [{text}]"));
        }
        let is_plain = matches!(value, Value::Num(..) | Value::Bool(..));
        if is_plain && expected.contains("string") {
            return as_written().map(|text| format!("write \"{text}\""));
        }
        self.remedy(schema)
    }

    /// Whether the value is one of a run, which a grid can vary.
    fn may_be_an_axis(&self) -> bool {
        let Some(PathStep::Key(first)) = self.path.first() else {
            return false;
        };
        !STUDY_TABLES.contains(&first.as_str())
            && self
                .path
                .iter()
                .all(|step| matches!(step, PathStep::Key(_)))
    }
}

/// The same value in the kind that is expected, where only its spelling is wrong.
fn rewritten(value: &Value, expected: &str) -> Option<String> {
    match value {
        Value::String(_, text) => {
            let text = text.trim();
            let is_number = expected.contains("number") && text.parse::<f64>().is_ok();
            let is_truth = expected.contains("true") && ["true", "false"].contains(&text);
            (is_number || is_truth).then(|| format!("{text} without quotes"))
        }
        Value::Num(_, Num::F64(number)) => {
            if expected.contains("percentage") && (0.0..=1.0).contains(number) {
                Some(format!("\"{}%\"", (number * 1e8).round() / 1e6))
            } else if expected.contains("whole") && number.fract() == 0.0 && number.abs() < 1e15 {
                Some((*number as i64).to_string())
            } else {
                None
            }
        }
        _ => None,
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::String(..) => "a string",
        Value::Bool(..) => "true or false",
        Value::Num(_, Num::F64(_)) => "a number with a fraction",
        Value::Num(..) => "a whole number",
        Value::Dict(..) => "a table",
        Value::Array(..) => "a list",
        _ => "nothing",
    }
}

/// Whether a value is of the schema's kind at all.
pub(super) fn fits(schema: &Json, value: &Value) -> bool {
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
