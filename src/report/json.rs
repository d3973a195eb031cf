//! The report for programs: all that a template sees, under the same names.

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::context::Context;

/// The number of the form: it changes where a key goes, or comes to mean something else. Keys that
/// come new do not change it.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct ReportJson<'a> {
    format: u32,
    #[serde(flatten)]
    context: &'a Context,
}

/// The report as JSON. What is absent, and what is no number, is null.
///
/// # Errors
/// None that a context can cause.
pub fn report_json(context: &Context) -> Result<String> {
    let format = FORMAT;
    let mut text = serde_json::to_string_pretty(&ReportJson { format, context })
        .context("the report cannot be written as JSON")?;
    text.push('\n');
    Ok(text)
}
