//! Whether a value is of its schema's kind, and what to say where it is not.

use figment::value::{Num, Value};
use serde_json::Value as Json;

use super::super::schema;
use super::super::source::float_text;
use super::super::spec_layers::{On, PathStep, STUDY_TABLES, dotted};
use super::super::words::kinds;
use super::SpecWalk;
use super::ranges::{is_held, is_inside};

impl SpecWalk<'_> {
    pub(super) fn wrong_kind(&mut self, schema: &Json, value: &Value) -> Json {
        let name = self.name();
        let expected = kinds(schema);
        let hint = self.wrong_kind_hint(schema, value, &expected);
        let found = kind_of(value);
        let message = match value {
            // Words of `--set` and of the environment need no quotes, so these come as words.
            Value::String(_, text) if is_beyond_numbers(text) && expected.contains("number") => {
                format!("{name} = {} is no number that is finite", text.trim())
            }
            _ => format!("{name} is {found}, not {expected}"),
        };
        self.fault(On::Value, message, hint);
        Json::Null
    }

    fn wrong_kind_hint(&self, schema: &Json, value: &Value, expected: &str) -> Option<String> {
        if let Some(rewritten) = rewritten(schema, value, expected) {
            let quotes = if self.is_quoted() {
                " without quotes"
            } else {
                ""
            };
            return Some(format!("write {rewritten}{quotes}"));
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
        // A learning rate that is a number is its peak.
        if let Some(peak) = schema.pointer("/properties/peak")
            && matches!(value, Value::Num(..))
            && fits(peak, value)
        {
            return as_written().map(|text| format!("write {{ peak = {text} }}"));
        }
        let is_plain = matches!(value, Value::Num(..) | Value::Bool(..));
        if is_plain && expected.contains("string") {
            return as_written().map(|text| format!("write \"{text}\""));
        }
        self.remedy(schema)
    }

    /// Whether the value stands in quotes, as it is written.
    fn is_quoted(&self) -> bool {
        self.merged.origin(&self.path).is_some_and(|(layer, node)| {
            let written = layer.source.text.get(node.value.clone());
            written.is_some_and(|text| text.trim_start().starts_with(['"', '\'']))
        })
    }

    /// Whether the value is a run's, and none of the study's tables.
    pub(super) fn is_of_a_run(&self) -> bool {
        let Some(PathStep::Key(first)) = self.path.first() else {
            return false;
        };
        !STUDY_TABLES.contains(&first.as_str())
    }

    /// Whether the value is one of a run, which a grid can vary.
    fn may_be_an_axis(&self) -> bool {
        self.is_of_a_run()
            && self
                .path
                .iter()
                .all(|step| matches!(step, PathStep::Key(_)))
    }
}

/// The same value in the kind that is expected, where only its spelling is wrong.
fn rewritten(schema: &Json, value: &Value, expected: &str) -> Option<String> {
    match value {
        Value::String(_, text) => {
            let text = text.trim();
            if expected.contains("true") && ["true", "false"].contains(&text) {
                return Some(text.to_owned());
            }
            number_as_toml(text).filter(|written| would_be_taken(schema, written))
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

/// A number as TOML writes it, which knows no `.5`, `5.`, `+5` or `07`; whole ones without a
/// fraction.
fn number_as_toml(text: &str) -> Option<String> {
    let whole = text.parse::<i64>().ok().map(|whole| whole.to_string());
    whole.or_else(|| {
        let number = text
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())?;
        let is_whole = number.fract() == 0.0 && number.abs() < 1e15;
        Some(if is_whole && text.ends_with('.') {
            (number as i64).to_string()
        } else {
            float_text(number)
        })
    })
}

/// Whether one of the kinds of a schema takes a number that is written so.
fn would_be_taken(schema: &Json, written: &str) -> bool {
    if let Some(options) = schema.get("anyOf").and_then(Json::as_array) {
        // Weights and temperatures, by step or as they are, are never below 0.
        return !written.starts_with('-')
            && options.iter().any(|option| would_be_taken(option, written));
    }
    let Ok(number) = written.parse::<f64>() else {
        return false;
    };
    match schema["type"].as_str() {
        Some("integer") => written.parse::<i64>().is_ok() && is_inside(schema, number),
        Some("number") => is_inside(schema, number) && is_held(number),
        _ => false,
    }
}

/// Whether a text spells a number that none of 64 bits is: `1e400`, `inf`, `nan`.
fn is_beyond_numbers(text: &str) -> bool {
    text.trim()
        .parse()
        .is_ok_and(|number: f64| !number.is_finite())
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
