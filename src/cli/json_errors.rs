//! Errors for programs to read: with `--json` standard output holds one value, whatever came of
//! the command.

use serde_json::{Value, json};

use super::CommandError;
use crate::plan::{Diagnostic, Diagnostics};

/// An error as `{ "error": { "message", "exit", "diagnostics" } }`.
pub(super) fn as_json(error: &CommandError, exit: u8) -> Value {
    let (message, diagnostics) = match error {
        CommandError::Spec(diagnostics) => {
            let first = diagnostics.0.first();
            let message = first.map_or_else(String::new, |first| first.message.clone());
            (message, list(diagnostics))
        }
        CommandError::Other(error) | CommandError::Run(error) => (format!("{error:#}"), Vec::new()),
    };
    of_message(&message, exit, diagnostics)
}

/// An error in the arguments.
pub(super) fn of_arguments(error: &clap::Error, exit: u8) -> Value {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    of_message(text.trim_end(), exit, Vec::new())
}

fn of_message(message: &str, exit: u8, diagnostics: Vec<Value>) -> Value {
    json!({ "error": { "message": message, "exit": exit, "diagnostics": diagnostics } })
}

/// Every mistake of a spec, with its place and what to write instead.
pub(super) fn list(diagnostics: &Diagnostics) -> Vec<Value> {
    diagnostics.0.iter().map(of_diagnostic).collect()
}

fn of_diagnostic(diagnostic: &Diagnostic) -> Value {
    let place = diagnostic.place.as_ref();
    json!({
        "message": diagnostic.message,
        "help": diagnostic.hint,
        "file": place.map(|place| &place.file),
        "line": place.map(|place| place.line),
        "column": place.map(|place| place.column),
        "length": place.map(|place| place.length),
    })
}
