//! What of a template puts values in order: the filters `sort`, `min` and `max`, and the tests that
//! compare. The library takes what is absent for less than every number, so that a setting without
//! a result would be the best of all; here it has no place in an order, and is refused.

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, State, Value, filters};

/// Puts these in the place of the library's own.
pub(super) fn add_orderings(environment: &mut Environment) {
    environment.add_filter("sort", sort);
    environment.add_filter("min", |state: &State, values: Value| {
        filters::min(state, present(values, None)?)
    });
    environment.add_filter("max", |state: &State, values: Value| {
        filters::max(state, present(values, None)?)
    });
    for name in ["lt", "lessthan", "<"] {
        environment.add_test(name, |a: Value, b: Value| compared(a, b, |a, b| a < b));
    }
    for name in ["le", "<="] {
        environment.add_test(name, |a: Value, b: Value| compared(a, b, |a, b| a <= b));
    }
    for name in ["gt", "greaterthan", ">"] {
        environment.add_test(name, |a: Value, b: Value| compared(a, b, |a, b| a > b));
    }
    for name in ["ge", ">="] {
        environment.add_test(name, |a: Value, b: Value| compared(a, b, |a, b| a >= b));
    }
}

fn sort(state: &State, values: Value, options: Kwargs) -> Result<Value, Error> {
    let attributes: Option<&str> = options.get("attribute")?;
    let values = present(values, attributes)?;
    filters::sort(state, values, options)
}

/// The values as a list, each of which is there, or has what it is ordered by.
fn present(values: Value, attributes: Option<&str>) -> Result<Value, Error> {
    let values: Vec<Value> = values.try_iter()?.collect();
    for value in &values {
        match attributes {
            None if is_absent(value) => return Err(absent("a value", "select(\"number\")")),
            None => {}
            Some(attributes) => {
                for path in attributes.split(',').map(str::trim) {
                    if is_absent(&at_path(value, path)) {
                        let first = format!("selectattr(\"{path}\", \"number\")");
                        return Err(absent(&format!("`{path}` of an item"), &first));
                    }
                }
            }
        }
    }
    Ok(Value::from(values))
}

/// What lies at a dotted path of a value; undefined where nothing does.
fn at_path(value: &Value, path: &str) -> Value {
    path.split('.').fold(value.clone(), |value, name| {
        let found = match name.parse() {
            Ok(index) => value.get_item_by_index(index),
            Err(_) => value.get_attr(name),
        };
        found.unwrap_or(Value::UNDEFINED)
    })
}

fn compared(a: Value, b: Value, holds: impl Fn(&Value, &Value) -> bool) -> Result<bool, Error> {
    if is_absent(&a) || is_absent(&b) {
        return Err(absent("a value", "the test \"number\""));
    }
    Ok(holds(&a, &b))
}

fn is_absent(value: &Value) -> bool {
    value.is_none() || value.is_undefined()
}

fn absent(what: &str, first: &str) -> Error {
    Error::new(
        ErrorKind::InvalidOperation,
        format!(
            "{what} is absent and has no place in an order; take those that have one by {first}"
        ),
    )
}

#[cfg(test)]
#[path = "ordering_tests.rs"]
mod tests;
