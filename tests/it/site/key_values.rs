//! What a key may be, in words, as its schema says it.

use kdpipe::plan::grouped;
use serde_json::Value as Json;

/// The words of a value, and what each of several words means.
pub struct KeyWords {
    pub words: String,
    pub notes: Vec<String>,
}

impl KeyWords {
    pub fn plain(words: String) -> Self {
        let notes = Vec::new();
        Self { words, notes }
    }
}

/// Text of the schema as Markdown in a cell: nothing in it is markup but code.
pub fn escaped(text: &str) -> String {
    let text = text.replace('\n', " ").replace('|', "\\|");
    let mut told = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            told += &format!("`{part}`");
        } else {
            let part = part.replace('<', "&lt;").replace('*', "\\*");
            told += &part.replace('[', "\\[").replace('_', "\\_");
        }
    }
    told
}

fn branches(schema: &Json) -> &[Json] {
    let list = schema.get("oneOf").or_else(|| schema.get("anyOf"));
    list.and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// Whether the schema is that of a value by step.
pub fn is_schedule(schema: &Json) -> bool {
    let of = branches(schema).first();
    of.is_some_and(|of| of["properties"].get("shape").is_some())
}

/// The words of the default, as a spec has them.
pub fn default_in_words(default: &Json) -> String {
    match default {
        Json::String(text) if text.is_empty() => "`\"\"`".to_owned(),
        Json::Number(number) if number.is_u64() => {
            format!("`{}`", grouped(&number.to_string()).replace(',', "_"))
        }
        Json::Array(all) => {
            let all: Vec<String> = all.iter().map(Json::to_string).collect();
            format!("`[{}]`", all.join(", "))
        }
        other => format!("`{other}`"),
    }
}

pub fn value(schema: &Json) -> KeyWords {
    if is_schedule(schema) {
        return KeyWords::plain("[value by step](#values-by-step)".to_owned());
    }
    if let Some(words) = schema.get("enum").and_then(Json::as_array) {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        return KeyWords::plain(either(&words));
    }
    if schema.get("const").is_some() {
        return KeyWords::plain(format!("`{}`", schema["const"]));
    }
    let options = branches(schema);
    if !options.is_empty() {
        let words: Vec<String> = options.iter().map(|one| value(one).words).collect();
        let explained = |one: &Json| {
            let text = one.get("description")?.as_str()?;
            Some(format!("`{}`: {}", one.get("const")?, escaped(text)))
        };
        let notes = options.iter().filter_map(explained).collect();
        let words = either(&words);
        return KeyWords { words, notes };
    }
    KeyWords::plain(of_one_kind(schema))
}

fn of_one_kind(schema: &Json) -> String {
    match schema["type"].as_str().unwrap_or_default() {
        "integer" => format!("whole number{}", range(schema)),
        "number" => format!("number{}", range(schema)),
        "boolean" => "`true` or `false`".to_owned(),
        "string" => text(schema),
        "array" => list(schema),
        _ if schema.get("properties").is_some() => "table".to_owned(),
        "object" => "table of axes and values".to_owned(),
        other => panic!("the page has no words for {other}: {schema}"),
    }
}

fn text(schema: &Json) -> String {
    match schema.get("pattern").and_then(Json::as_str) {
        Some(pattern) if pattern.ends_with("%$") => "share, such as `\"5%\"`".to_owned(),
        Some(pattern) => {
            let pattern = pattern.trim_matches(['^', '$']).replace('|', "\\|");
            format!("text of the form `{pattern}`")
        }
        None if schema["format"] == "path" => "path".to_owned(),
        None => "text".to_owned(),
    }
}

fn list(schema: &Json) -> String {
    if let Some(parts) = schema.get("prefixItems").and_then(Json::as_array) {
        let parts: Vec<String> = parts.iter().map(|one| value(one).words).collect();
        return format!("pair: {}", parts.join("; "));
    }
    let of = &schema["items"];
    let is_two = schema["minItems"] == 2 && schema["maxItems"] == 2;
    let words = value(of).words;
    match words.as_str() {
        _ if is_two => format!("two, each a {words}"),
        _ if of["type"] == "object" => "list of tables".to_owned(),
        "path" => "list of paths".to_owned(),
        _ => format!("list, each a {words}"),
    }
}

fn either(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        // Words that have a comma in them are kept apart by more than one.
        _ if words.iter().any(|one| one.contains(", ")) => words.join("; or "),
        [many @ .., last] => format!("{} or {last}", many.join(", ")),
    }
}

/// The range, as it follows "number".
fn range(schema: &Json) -> String {
    let told = |number: &Json| match number.as_u64() {
        Some(whole) => grouped(&whole.to_string()),
        None => number.to_string(),
    };
    let most = schema
        .get("maximum")
        .filter(|most| most.as_u64() != Some(i64::MAX as u64));
    let least = match (schema.get("minimum"), schema.get("exclusiveMinimum")) {
        (Some(least), _) => Some(told(least)),
        (None, Some(below)) => Some(format!("above {}", told(below))),
        (None, None) => None,
    };
    let most = match (most, schema.get("exclusiveMaximum")) {
        (Some(most), _) => Some(told(most)),
        (None, Some(above)) => Some(format!("below {}", told(above))),
        (None, None) => None,
    };
    match (least, most) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) if least.starts_with("above") => format!(", {least}"),
        (Some(least), None) => format!(", {least} or more"),
        (None, Some(most)) => format!(", at most {most}"),
        (None, None) => String::new(),
    }
}
