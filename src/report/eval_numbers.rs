//! Every number of an `eval.json` under a name of its own, for the columns of `runs.csv`: the path
//! in the file with dots, such as `test.nll_nats_per_token`.

use anyhow::Result;
use serde_json::Value;

use crate::record::evaluation::Evaluation;

/// A number of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EvalNumber {
    Count(u64),
    Real(f64),
    /// There is such a number, and it has no value here.
    Absent,
}

/// All numbers, in the order of the file. Losses by document are left out; distances of layers have
/// the number of the student's layer in their names.
///
/// # Errors
/// None that an evaluation which was read can cause.
pub fn eval_numbers(evaluation: &Evaluation) -> Result<Vec<(String, EvalNumber)>> {
    let mut numbers = Vec::new();
    if let Value::Object(parts) = serde_json::to_value(evaluation)? {
        for (part, values) in &parts {
            if let Value::Object(values) = values {
                for (name, value) in values {
                    push(&mut numbers, &format!("{part}.{name}"), value);
                }
            }
        }
    }
    Ok(numbers)
}

fn push(numbers: &mut Vec<(String, EvalNumber)>, path: &str, value: &Value) {
    let number = match value {
        Value::Null => EvalNumber::Absent,
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(count), _) => EvalNumber::Count(count),
            (None, Some(real)) => EvalNumber::Real(real),
            (None, None) => return,
        },
        Value::Array(layers) => {
            for (name, value) in layers.iter().flat_map(layer) {
                push(numbers, &format!("{path}.{name}"), value);
            }
            return;
        }
        Value::Bool(_) | Value::String(_) | Value::Object(_) => return,
    };
    numbers.push((column_name(path), number));
}

/// The numbers of a layer; none of an array of anything else.
fn layer(value: &Value) -> Vec<(String, &Value)> {
    let Some((own, layer)) = value
        .as_object()
        .and_then(|layer| Some((layer.get("student")?.as_u64()?, layer)))
    else {
        return Vec::new();
    };
    let others = layer.iter().filter(|(name, _)| name.as_str() != "student");
    others
        .map(|(name, value)| (format!("{own}.{name}"), value))
        .collect()
}

/// The names that columns have had from the first.
fn column_name(path: &str) -> String {
    match path {
        "teacher.top1" => "teacher.top1_agreement".to_owned(),
        path => path.to_owned(),
    }
}
