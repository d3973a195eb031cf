//! Lists, strings and numbers: their lengths, words, patterns and ranges.

use figment::value::{Num, Value};
use serde_json::{Value as Json, json};

use super::super::diagnostics::similar;
use super::super::run::DeviceSpec;
use super::super::schedule::percentage;
use super::super::schema;
use super::super::spec_layers::{On, PathStep};
use super::super::words::{
    description, is_device, is_file_name, is_percentage, number_text, quoted, quoted_list,
};
use super::SpecWalk;
use super::ranges::{SIZES_IN_WORDS, is_held, is_inside};

impl SpecWalk<'_> {
    pub(super) fn list(&mut self, schema: &Json, elements: &[Value]) -> Json {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let most = schema["maxItems"].as_u64().unwrap_or(u64::MAX);
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
            let hint = description(schema)
                .or_else(|| self.list_description.clone())
                .map(|about| format!("write {expected}: {about}"));
            self.fault(
                On::Value,
                format!("{name} has {count} {entries}, not {expected}"),
                hint,
            );
            return Json::Null;
        }
        let outer = description(schema).map(|about| self.list_description.replace(about));
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
            self.list_description = outer;
        }
        Json::Array(out)
    }

    /// `others` is what else could stand here.
    pub(super) fn string(&mut self, schema: &Json, text: &str, others: &[String]) -> Json {
        if let Some(words) = schema::words(schema) {
            if !words.contains(&text) {
                self.unknown_word(&words, text, others);
            }
            return json!(text);
        }
        let name = self.name();
        if text.is_empty() && schema["minLength"].as_u64().is_some_and(|least| least > 0) {
            let about = description(schema)
                .map(|about| format!(": {about}"))
                .unwrap_or_default();
            self.fault(
                On::Value,
                format!("{name} is empty"),
                Some(format!("write it out{about}")),
            );
        }
        if let Some(control) = control_character(text) {
            let control = control.escape_unicode();
            self.fault(
                On::Value,
                format!("{name} holds the control character {control}"),
                Some("take it out: it could command a terminal".to_owned()),
            );
            return Json::Null;
        }
        if schema["format"] == "path" {
            let origin = self.merged.origin(&self.path);
            let base = origin
                .map(|(layer, _)| layer.source.base.clone())
                .unwrap_or_default();
            return json!({ "written": text, "base": base });
        }
        if is_percentage(schema) {
            if percentage(text).is_none() {
                let message = format!(
                    "{name} = {} is not a percentage from 0% to 100%",
                    quoted(text)
                );
                self.fault(On::Value, message, Some(percentage_hint(text, others)));
            }
        } else if is_device(schema) {
            return self.device(text);
        } else if schema.get("pattern").is_some() && !is_file_name(text) {
            let hint = "write a name of letters, digits, -, _ and ., which begins with a letter \
                        or a digit";
            self.fault(
                On::Value,
                format!("{name} = {} is no name for a folder", quoted(text)),
                Some(hint.to_owned()),
            );
        }
        json!(text)
    }

    fn device(&mut self, text: &str) -> Json {
        if DeviceSpec::parse(text).is_some() {
            return json!(text);
        }
        let name = self.name();
        let hint = "write \"cpu\", or \"cuda:0\" for the first NVIDIA GPU";
        self.fault(
            On::Value,
            format!("{} is not a value of {name}", quoted(text)),
            Some(hint.to_owned()),
        );
        Json::Null
    }

    pub(super) fn number(&mut self, schema: &Json, number: Num, others: &[String]) -> Json {
        let value = number
            .to_f64()
            .unwrap_or_else(|| number.to_i128().map_or(0.0, |whole| whole as f64));
        let is_held = schema["type"] != "number" || !self.is_of_a_run() || is_held(value);
        if !is_held || !is_inside(schema, value) {
            let message = format!("{} = {} is out of range", self.name(), number_text(number));
            let others: String = others.iter().map(|other| format!(", or {other}")).collect();
            let why = if is_held {
                String::new()
            } else {
                format!("; {SIZES_IN_WORDS}")
            };
            let hint = self
                .remedy(schema)
                .map(|remedy| format!("{remedy}{others}{why}"));
            self.fault(On::Value, message, hint);
        }
        match number.to_i128() {
            Some(whole) => json!(whole as i64),
            None => json!(value),
        }
    }

    pub(super) fn unknown_word(&mut self, words: &[&str], text: &str, others: &[String]) {
        let name = self.name();
        let others: String = others.iter().map(|other| format!(", or {other}")).collect();
        let hint = match similar(text, words.iter().copied()) {
            Some(meant) if words.len() > 1 => format!(
                "write \"{meant}\"; the values are {}{others}",
                quoted_list(words)
            ),
            _ => format!("write {}{others}", quoted_list(words)),
        };
        self.fault(
            On::Value,
            format!("{} is not a value of {name}", quoted(text)),
            Some(hint),
        );
    }
}

/// The first character that is none of a text; line breaks and tabs are.
fn control_character(text: &str) -> Option<char> {
    text.chars()
        .find(|c| c.is_control() && !['\n', '\t'].contains(c))
}

/// What to write instead of a text that is no percentage; `others` is what else could stand there.
fn percentage_hint(text: &str, others: &[String]) -> String {
    const SHARE: &str = "a share such as \"20%\"";
    // A file by itself.
    if others.iter().any(|other| other == "a list") && !text.contains('%') {
        return format!("write [{}], or {SHARE}", quoted(text));
    }
    match text.trim().parse::<u64>() {
        Ok(steps) if !others.is_empty() => format!("write {steps} without quotes, or {SHARE}"),
        Ok(_) | Err(_) => {
            let all = [SHARE].into_iter().chain(others.iter().map(String::as_str));
            format!("write {}", all.collect::<Vec<_>>().join(" or "))
        }
    }
}
