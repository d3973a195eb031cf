//! The template: a built-in one, or a file of the user's. It sees the variables of
//! [`super::context`] and nothing else: it cannot read files, and its work and its output are
//! limited.

use std::cell::RefCell;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use super::context::Context;
use super::format;
use super::ordering::add_orderings;
use crate::files;
use crate::panics::panic_as_error;

/// The name of the built-in template in a spec, and its text.
const BUILT_IN: (&str, &str) = ("report.md.j2", include_str!("../../templates/report.md.j2"));
/// Instructions that a template may take for every run of the study, and at least.
const FUEL: u64 = 2_000_000;
/// The most bytes of a template, and of a report.
const LIMIT: u64 = 1 << 20;
const OUTPUT_LIMIT: usize = 64 << 20;
/// How deep macros may call each other.
const DEPTH: usize = 64;

/// A template and where it came from.
#[derive(Debug, Clone)]
pub struct TemplateSource {
    pub name: String,
    pub text: String,
}

/// The template at `path`, or else the one that a study names: the built-in one, or a path relative
/// to the working folder.
///
/// # Errors
/// A file that cannot be read.
pub fn source(path: Option<&Path>, named: &str) -> Result<TemplateSource> {
    let path = match path {
        Some(path) => path,
        None if named == BUILT_IN.0 => {
            return Ok(TemplateSource {
                name: named.to_owned(),
                text: BUILT_IN.1.to_owned(),
            });
        }
        None => Path::new(named),
    };
    let text = files::read_text(path, LIMIT).with_context(|| {
        format!(
            "the report's template {} cannot be read; give another with --template, or `{}` for \
             the built-in one",
            path.display(),
            BUILT_IN.0
        )
    })?;
    Ok(TemplateSource {
        name: path.display().to_string(),
        text,
    })
}

/// Looks whether the template that a study names can be read, and is one.
///
/// # Errors
/// A file that cannot be read; what is no template, with line and column.
pub fn check(named: &str) -> Result<()> {
    let source = source(None, named)?;
    let environment = environment(1);
    let read = environment.template_from_named_str(&source.name, &source.text);
    match read {
        Ok(_) => Ok(()),
        Err(error) => Err(located(&error, &source)),
    }
}

/// Fills a template.
///
/// # Errors
/// A template that is not valid, uses a variable that there is not, includes another or goes on
/// without end: with its line and column.
pub fn fill(source: &TemplateSource, context: &Context) -> Result<String> {
    guarded(environment(context.counts.runs as u64), source, context)
}

/// Fills a template in an environment. A part of the template library that panics at what the
/// template asks of it ends in an error too.
fn guarded(environment: Environment, source: &TemplateSource, context: &Context) -> Result<String> {
    let output = RefCell::new(Vec::new());
    panic_as_error(
        || filled(&environment, source, context, Limited(&output)),
        |words| {
            format!(
                "{}: something that the template uses came to a halt ({words}) {}; a filter or a \
                 test of minijinja with an argument that it has no answer to, most likely",
                source.name,
                place_in(&output)
            )
        },
    )
}

fn filled(
    environment: &Environment,
    source: &TemplateSource,
    context: &Context,
    mut output: Limited,
) -> Result<String> {
    let template = environment
        .template_from_named_str(&source.name, &source.text)
        .map_err(|error| located(&error, source))?;
    let filled = template
        .render_captured_to(Value::from_serialize(context), &mut output)
        .map(drop);
    let text = output.0.take();
    if text.len() >= OUTPUT_LIMIT {
        bail!(
            "{}: the report would be longer than {} MiB",
            source.name,
            OUTPUT_LIMIT >> 20
        );
    }
    filled.map_err(|error| located(&error, source))?;
    let mut text = String::from_utf8(text).context("a report is text")?;
    text.truncate(text.trim_end().len());
    text.push('\n');
    Ok(text)
}

/// How far a report is that nothing more will be added to.
fn place_in(output: &RefCell<Vec<u8>>) -> String {
    let written = output.try_borrow().map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output).into_owned(),
    );
    match written.lines().rfind(|line| !line.trim().is_empty()) {
        None => "before anything was written".to_owned(),
        Some(last) => {
            let start = last
                .char_indices()
                .rev()
                .nth(SHOWN / 2)
                .map_or(0, |(at, _)| at);
            format!("in or behind the line that ends in {:?}", &last[start..])
        }
    }
}

/// Output that refuses to grow without end.
struct Limited<'a>(&'a RefCell<Vec<u8>>);

impl std::io::Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut output = self.0.borrow_mut();
        if output.len() + bytes.len() > OUTPUT_LIMIT {
            output.resize(OUTPUT_LIMIT, b' ');
            return Err(std::io::Error::other("the report is too long"));
        }
        output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An error of the template as `name:line:column: what`, with the line and a caret.
fn located(error: &Error, source: &TemplateSource) -> anyhow::Error {
    let what = match error.kind() {
        ErrorKind::OutOfFuel => {
            "the template takes too long: is there a loop without end?".to_owned()
        }
        ErrorKind::UndefinedError => {
            let detail = error.detail().map_or_else(
                || "it uses a variable that there is not".to_owned(),
                str::to_owned,
            );
            format!(
                "{detail}; templates/README.md lists the variables, and `x is defined` asks \
                 whether there is one"
            )
        }
        ErrorKind::TemplateNotFound => {
            "a template cannot include, import or extend another file".to_owned()
        }
        kind => error
            .detail()
            .map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}")),
    };
    let Some(line) = error.line() else {
        return anyhow::anyhow!("{}: {what}", source.name);
    };
    let text = source.text.lines().nth(line - 1).unwrap_or("");
    let start: usize = source
        .text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let offset = error
        .range()
        .map_or(0, |range| range.start.saturating_sub(start))
        .min(text.len());
    let column = text
        .char_indices()
        .take_while(|(place, _)| *place < offset)
        .count();
    let margin = " ".repeat(line.to_string().len());
    // Of a long line, what is around the mark.
    let from = if column > SHOWN {
        column - SHOWN / 2
    } else {
        0
    };
    let shown: String = text.chars().skip(from).take(2 * SHOWN).collect();
    anyhow::anyhow!(
        "{}:{line}:{}: {what}\n{margin} |\n{line} | {shown}\n{margin} | {}^",
        source.name,
        column + 1,
        " ".repeat(column - from)
    )
}

/// Characters of a line up to the mark that are shown with an error, and half of those that are
/// shown in all.
const SHOWN: usize = 120;

/// What a template may use: bounded filters, and no more work than a report of so many runs needs.
fn environment(runs: u64) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_fuel(Some(FUEL + runs * 20_000));
    environment.set_recursion_limit(DEPTH);
    // These make long texts and lists out of nothing.
    environment.remove_filter("format");
    environment.remove_filter("indent");
    environment.remove_filter("slice");
    environment.remove_filter("batch");
    environment.remove_global("debug");
    // The library's own panics at 0.
    environment.add_test("divisibleby", divisible_by);
    environment.add_filter("join", |values: Value, between: Option<String>| {
        join(values, &between.unwrap_or_default(), OUTPUT_LIMIT)
    });
    environment.add_filter("replace", |text: String, from: String, to: String| {
        replace(&text, &from, &to, OUTPUT_LIMIT)
    });
    environment.add_filter("inert", |value: Value| text(&value, format::inert));
    environment.add_filter("code", |value: Value| text(&value, format::code));
    add_orderings(&mut environment);
    add_number_filters(&mut environment);
    environment
}

/// The filters that write a number in the forms of a report.
fn add_number_filters(environment: &mut Environment) {
    environment.add_filter("sig", |value: Value, digits: Option<usize>| {
        number(&value, |x| {
            format::significant(x, digits.unwrap_or(4).clamp(1, 17))
        })
    });
    environment.add_filter("plain", |value: Value| number(&value, format::plain));
    environment.add_filter("fixed", |value: Value, decimals: usize| {
        number(&value, |x| format::fixed(x, decimals.min(17)))
    });
    environment.add_filter("signed", |value: Value, decimals: usize| {
        number(&value, |x| format::signed(x, decimals.min(17)))
    });
    environment.add_filter("end", |value: Value, decimals: usize| {
        number(&value, |x| format::interval_end(x, decimals.min(15)))
    });
    environment.add_filter("percent", |value: Value, decimals: Option<usize>| {
        number(&value, |x| {
            format!(
                "{} %",
                format::fixed(100.0 * x, decimals.unwrap_or(0).min(17))
            )
        })
    });
    environment.add_filter("whole", |value: Value| number(&value, format::count));
    environment.add_filter("power", |value: Value, digits: Option<usize>| {
        number(&value, |x| {
            format::power(x, digits.unwrap_or(3).clamp(1, 17))
        })
    });
    environment.add_filter("prefixed", |value: Value, digits: Option<usize>| {
        number(&value, |x| {
            format::prefixed(x, digits.unwrap_or(3).clamp(1, 17))
        })
    });
    environment.add_filter("duration", |value: Value| number(&value, format::duration));
    environment.add_filter("exp", |value: Value| match value.kind() {
        ValueKind::Number => f64::try_from(value).map(|x| Value::from(x.exp())),
        kind => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a number is needed, not a {kind}"),
        )),
    });
}

/// Whether a number is a multiple of another.
fn divisible_by(value: Value, by: Value) -> Result<bool, Error> {
    let whole = |value: &Value| i128::try_from(value.clone()).ok();
    match (whole(&value), whole(&by)) {
        (_, Some(0)) => Err(Error::new(
            ErrorKind::InvalidOperation,
            "nothing is divisible by 0",
        )),
        (Some(value), Some(by)) => Ok(value.checked_rem(by).is_none_or(|rest| rest == 0)),
        _ => match (f64::try_from(value), f64::try_from(by)) {
            (Ok(value), Ok(by)) => Ok(value % by == 0.0),
            _ => Ok(false),
        },
    }
}

/// The values one after the other, with a text between them: at most `limit` bytes.
fn join(values: Value, between: &str, limit: usize) -> Result<String, Error> {
    let mut text = String::new();
    let values: Box<dyn Iterator<Item = Value>> = match values.as_str() {
        Some(text) => Box::new(
            text.chars()
                .map(|c| Value::from(c.to_string()))
                .collect::<Vec<_>>()
                .into_iter(),
        ),
        None => Box::new(values.try_iter()?),
    };
    for (index, value) in values.enumerate() {
        let value = value.to_string();
        bounded(text.len() + between.len() + value.len(), limit)?;
        text.push_str(if index == 0 { "" } else { between });
        text.push_str(&value);
    }
    Ok(text)
}

/// The text with every `from` in it replaced: at most `limit` bytes.
fn replace(text: &str, from: &str, to: &str, limit: usize) -> Result<String, Error> {
    let added = text.matches(from).count().saturating_mul(to.len());
    bounded(text.len().saturating_add(added), limit)?;
    Ok(text.replace(from, to))
}

fn bounded(length: usize, limit: usize) -> Result<(), Error> {
    if length <= limit {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidOperation,
        format!("a text would be longer than {} MiB", limit >> 20),
    ))
}

/// Formats a number; what is absent shows as such, and what is undefined or no number is an error.
fn number(value: &Value, form: impl FnOnce(f64) -> String) -> Result<String, Error> {
    match value.kind() {
        ValueKind::None => Ok(format::ABSENT.to_owned()),
        ValueKind::Number => f64::try_from(value.clone()).map(form),
        ValueKind::Undefined => Err(Error::new(ErrorKind::UndefinedError, "undefined value")),
        kind => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a number is needed, not a {kind}"),
        )),
    }
}

fn text(value: &Value, form: impl FnOnce(&str) -> String) -> Result<String, Error> {
    match value.kind() {
        ValueKind::None => Ok(format::ABSENT.to_owned()),
        ValueKind::Undefined => Err(Error::new(ErrorKind::UndefinedError, "undefined value")),
        _ => Ok(form(value.as_str().unwrap_or(&value.to_string()))),
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
