//! Values, keys and schemas in the words of a message.

use figment::value::Num;
use serde_json::Value as Json;

use super::run::DEVICE_PATTERN;
use super::schema;
use super::source::{float_text, key_text, string_text};
use super::spec_layers::{PathStep, dotted};

/// Most characters of a text of the user that a message repeats.
const SHOWN: usize = 60;
/// From here on a bound is one of a number's type, which nobody needs to hear of.
const NO_BOUND: f64 = 1e15;

/// `1,234,567`: the digits of a whole number with commas between thousands.
pub fn grouped(digits: &str) -> String {
    let chunks: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|chunk| std::str::from_utf8(chunk).ok())
        .collect();
    chunks.join(",")
}

/// `1 run`, `3 runs`.
pub fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The kinds of value that a schema takes.
pub fn kinds(schema: &Json) -> String {
    if schema::variants(schema).is_some() {
        return "a table".to_owned();
    }
    if let Some(words) = schema::words(schema) {
        return format!("one of {}", quoted_list(&words));
    }
    if let Some(options) = schema.get("anyOf").and_then(Json::as_array) {
        return options.iter().map(kinds).collect::<Vec<_>>().join(" or ");
    }
    match schema["type"].as_str() {
        Some("object") => "a table".to_owned(),
        Some("array") => "a list".to_owned(),
        Some("string") if is_percentage(schema) => "a percentage".to_owned(),
        Some("string") => "a string".to_owned(),
        Some("integer") => "a whole number".to_owned(),
        Some("number") => "a number".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        _ => "a value".to_owned(),
    }
}

/// The values that a schema takes, with their bounds.
pub fn allowed(schema: &Json) -> String {
    if let Some(variants) = schema::variants(schema) {
        let names: Vec<&str> = variants.branches.iter().map(|(name, _)| *name).collect();
        return match variants.tag {
            "shape" => "a table such as { shape = \"linear\", from = 0.0, to = 1.0, over = \
                        \"20%\" }"
                .to_owned(),
            tag => format!("a table with {tag} = {}", quoted_list(&names)),
        };
    }
    if let Some(words) = schema::words(schema) {
        return quoted_list(&words);
    }
    if let Some(options) = schema.get("anyOf").and_then(Json::as_array) {
        return options.iter().map(allowed).collect::<Vec<_>>().join(" or ");
    }
    match schema["type"].as_str() {
        Some("object") => match schema.get("properties").and_then(Json::as_object) {
            Some(keys) => format!(
                "a table of {}",
                plain_list(&keys.keys().map(String::as_str).collect::<Vec<_>>())
            ),
            None => "a table".to_owned(),
        },
        Some("string") if is_percentage(schema) => "a share such as \"20%\"".to_owned(),
        Some("string") if is_device(schema) => "\"cpu\" or \"cuda:0\"".to_owned(),
        Some("integer" | "number") => format!("{}{}", kinds(schema), bounds(schema)),
        _ => kinds(schema),
    }
}

/// ` from 1 to 10`, ` that is more than 0`.
fn bounds(schema: &Json) -> String {
    let bound = |keyword: &str| {
        schema
            .get(keyword)
            .filter(|bound| bound.as_f64().is_some_and(|bound| bound < NO_BOUND))
    };
    let lower = bound("minimum").map(|least| format!("at least {least}"));
    let lower =
        lower.or_else(|| bound("exclusiveMinimum").map(|least| format!("more than {least}")));
    let upper = bound("maximum").map(|most| format!("at most {most}"));
    let upper = upper.or_else(|| bound("exclusiveMaximum").map(|most| format!("less than {most}")));
    match (bound("minimum"), bound("maximum"), lower, upper) {
        (Some(least), Some(most), ..) => format!(" from {least} to {most}"),
        (.., Some(lower), Some(upper)) => format!(" that is {lower} and {upper}"),
        (.., Some(one), None) | (.., None, Some(one)) => format!(" that is {one}"),
        _ => String::new(),
    }
}

pub fn is_device(schema: &Json) -> bool {
    schema["pattern"].as_str() == Some(DEVICE_PATTERN)
}

pub fn is_percentage(schema: &Json) -> bool {
    schema["pattern"]
        .as_str()
        .is_some_and(|pattern| pattern.ends_with("%$"))
}

/// What a schema says of its values, as the end of a sentence.
pub fn description(schema: &Json) -> Option<String> {
    let text = schema["description"].as_str()?.replace('\n', " ");
    let text = text.trim_end_matches('.');
    // "Tokens of a sequence" goes on in small letters, "AdamW" and "λ" stay.
    let proper = text
        .chars()
        .skip(1)
        .take_while(|c| c.is_alphabetic())
        .any(char::is_uppercase);
    let mut characters = text.chars();
    let first = characters.next()?;
    Some(if proper {
        text.to_owned()
    } else {
        first.to_lowercase().chain(characters).collect()
    })
}

/// `"a", "b" or "c"`.
pub fn quoted_list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    join(&quoted, "or")
}

/// `a, b and c` without quotes.
pub fn plain_list(names: &[&str]) -> String {
    let names: Vec<String> = names
        .iter()
        .map(|name| key_text(&shortened(name)))
        .collect();
    join(&names, "and")
}

pub fn join(names: &[String], word: &str) -> String {
    match names {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

/// The first of many values of an axis.
pub fn first_values<'a>(values: impl ExactSizeIterator<Item = &'a str>) -> String {
    const MOST: usize = 20;
    let count = values.len();
    let first = values
        .take(MOST)
        .map(shortened)
        .collect::<Vec<_>>()
        .join(", ");
    if count > MOST {
        format!("{first} and {} more", count - MOST)
    } else {
        first
    }
}

/// A text of a spec in quotes, not longer than a message can bear.
pub fn quoted(text: &str) -> String {
    string_text(&shortened(text))
}

/// The way to a value, with no key longer than a message can bear.
pub fn short_dotted(path: &[PathStep]) -> String {
    let short = path.iter().map(|step| match step {
        PathStep::Key(key) => PathStep::Key(shortened(key)),
        PathStep::Index(index) => PathStep::Index(*index),
    });
    dotted(&short.collect::<Vec<_>>())
}

fn shortened(text: &str) -> String {
    if text.chars().count() > SHOWN {
        format!("{}…", text.chars().take(SHOWN).collect::<String>())
    } else {
        text.to_owned()
    }
}

/// A number as TOML.
pub fn number_text(number: Num) -> String {
    match number.to_i128() {
        Some(whole) => whole.to_string(),
        None => float_text(number.to_f64().unwrap_or_default()),
    }
}

/// Names of losses and arms: what `schema::NAME_PATTERN` matches.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Names of studies, which become folders.
pub fn is_file_name(name: &str) -> bool {
    name.bytes()
        .next()
        .is_some_and(|first| first.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
