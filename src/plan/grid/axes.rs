//! The axes: lists of values below `[grid]`, one list for every key that varies.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::super::diagnostics::{Diagnostic, Place, similar};
use super::super::planned::ARM;
use super::super::schema;
use super::super::source::{Content, SpecNode, SpecText};
use super::super::spec_layers::{On, Origin, PathStep, STUDY_TABLES, SpecLayer, Stack};
use super::super::words::{is_name, plain_list, quoted, quoted_list};
use super::{AxisValue, Grid, GridAxis, MOST_CELLS};

/// The table of the values that are tried, whose axes are read as those of `grid` are.
pub(super) const SELECT: &str = "select";

/// An axis while its values are still nodes of a file.
pub(super) struct FoundAxis {
    /// The names of its key with their places.
    pub path: Vec<(String, Range<usize>)>,
    pub node: SpecNode,
    /// The table that it stands in, `grid` or `select`.
    table: &'static str,
    source: Arc<SpecText>,
}

impl FoundAxis {
    pub fn key(&self) -> String {
        let names: Vec<&str> = self.path.iter().map(|(name, _)| name.as_str()).collect();
        names.join(".")
    }

    /// `grid.seed`: its key with the table that it stands in.
    fn full_key(&self) -> String {
        format!("{}.{}", self.table, self.key())
    }

    /// Whether its key has no other values than whole numbers.
    fn takes_whole_numbers(&self) -> bool {
        let mut names = self.path.iter().map(|(name, _)| name.as_str());
        let first = names
            .next()
            .and_then(|name| schema::run()["properties"].get(name));
        let own = names.try_fold(first, |schema, name| {
            Some(schema::property(schema?, name, |_| None))
        });
        own.flatten()
            .is_some_and(|schema| schema["type"] == "integer")
    }

    fn place(&self, span: &Range<usize>) -> Place {
        self.source.place(span.clone())
    }
}

/// The axes of a table, `grid` or `select`, in the order of the spec; a higher layer gives an axis
/// other values and leaves it where it is.
pub(super) fn read_axes(
    stack: &Stack,
    table: &'static str,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<GridAxis> {
    let mut found: Vec<FoundAxis> = Vec::new();
    for layer in stack.files.iter().chain(&stack.outside) {
        let Some(node) = layer.root.get(table) else {
            continue;
        };
        let mut here = collect_axes(node, table, &layer.source);
        // What [grid] takes out is no axis; [select] takes nothing out.
        let is_exclude =
            |axis: &FoundAxis| axis.path.first().is_some_and(|(key, _)| key == "exclude");
        here.retain(|axis| table != "grid" || !is_exclude(axis));
        here.sort_by_key(|axis| axis.path.last().map(|(_, span)| span.start));
        for axis in here {
            match found.iter_mut().find(|earlier| earlier.key() == axis.key()) {
                Some(earlier) => *earlier = axis,
                None => found.push(axis),
            }
        }
    }
    let arms = stack.arms();
    found
        .iter()
        .filter_map(|axis| read_axis(axis, &arms, mistakes))
        .collect()
}

impl Grid {
    /// What each value of an axis sets, axis by axis, those of `[select]` below those of `[grid]`;
    /// what is wrong with the axes is told, too.
    pub fn values_of_axes(stack: &Stack, mistakes: &mut Vec<Diagnostic>) -> Vec<Vec<SpecLayer>> {
        let mut axes = read_axes(stack, SELECT, mistakes);
        axes.extend(read_axes(stack, "grid", mistakes));
        let layers = axes.into_iter().map(|axis| {
            let values = axis.values.into_iter();
            let layers = values.filter_map(|value| value.layer);
            layers.collect::<Vec<SpecLayer>>()
        });
        layers.filter(|layers| !layers.is_empty()).collect()
    }
}

/// Every value below a table that is no table itself, with its dotted key.
pub(super) fn collect_axes(
    node: &SpecNode,
    table: &'static str,
    source: &Arc<SpecText>,
) -> Vec<FoundAxis> {
    fn walk(
        node: &SpecNode,
        path: &mut Vec<(String, Range<usize>)>,
        (table, source): (&'static str, &Arc<SpecText>),
        found: &mut Vec<FoundAxis>,
    ) {
        let Content::Table(entries) = &node.content else {
            found.push(FoundAxis {
                path: path.clone(),
                node: node.clone(),
                table,
                source: source.clone(),
            });
            return;
        };
        for (key, child) in entries {
            let depth = path.len();
            let names = key.split('.');
            path.extend(names.map(|name| (name.to_owned(), child.key.clone())));
            walk(child, path, (table, source), found);
            path.truncate(depth);
        }
    }
    let mut found = Vec::new();
    walk(node, &mut Vec::new(), (table, source), &mut found);
    found
}

fn read_axis(
    axis: &FoundAxis,
    arms: &[String],
    mistakes: &mut Vec<Diagnostic>,
) -> Option<GridAxis> {
    let elements = match check_key(axis).and_then(|()| elements_of(axis)) {
        Ok(elements) => elements,
        Err(mistake) => {
            mistakes.push(*mistake);
            return None;
        }
    };
    let key = axis.key();
    let mut values: Vec<AxisValue> = Vec::with_capacity(elements.len());
    let mut seen = BTreeSet::new();
    for element in elements {
        let text = element.text();
        if !seen.insert(text.clone()) {
            let message = format!("{} has {} twice", axis.full_key(), element.toml());
            mistakes.push(
                Diagnostic::new(message)
                    .at(axis.place(&element.value))
                    .hint("every value of an axis stands once"),
            );
            continue;
        }
        let layer = if key == ARM {
            check_arm(&text, || axis.place(&element.value), arms, mistakes);
            None
        } else {
            Some(layer_of(axis, element))
        };
        values.push(AxisValue { text, layer });
    }
    let path = axis.path.iter();
    let path = path.map(|(name, _)| PathStep::Key(name.clone())).collect();
    let all_values = values.iter().map(|value| value.text.clone()).collect();
    Some(GridAxis {
        key,
        path,
        values,
        all_values,
        is_set_from_outside: false,
        place: axis.place(&axis.node.value),
    })
}

/// An axis is `arm`, or a key of a run.
fn check_key(axis: &FoundAxis) -> Result<(), Box<Diagnostic>> {
    let key = axis.key();
    let properties = schema::run()["properties"].as_object();
    let mut run_keys: Vec<&str> = properties
        .into_iter()
        .flat_map(serde_json::Map::keys)
        .map(String::as_str)
        .collect();
    let Some((first, span)) = axis.path.first() else {
        return Ok(());
    };
    if key == ARM || run_keys.contains(&first.as_str()) {
        return Ok(());
    }
    let list = plain_list(&run_keys);
    run_keys.push(ARM);
    let hint = match similar(first, run_keys.iter().copied()) {
        Some(meant) => format!("write {meant}"),
        None if STUDY_TABLES.contains(&first.as_str()) => {
            format!("{first} belongs to the study as a whole, which has one value of each key")
        }
        None => format!("an axis is arm, or a key of a run: {list}"),
    };
    let message = format!("{} is an axis on a key that no run has", axis.full_key());
    Err(Box::new(
        Diagnostic::new(message).at(axis.place(span)).hint(hint),
    ))
}

/// The values of an axis, at least one and not too many.
fn elements_of(axis: &FoundAxis) -> Result<&[SpecNode], Box<Diagnostic>> {
    let key = axis.full_key();
    let refusal = |message: String, hint: &str| {
        let place = axis.place(&axis.node.value);
        Err(Box::new(Diagnostic::new(message).at(place).hint(hint)))
    };
    let Content::List(elements) = &axis.node.content else {
        return refusal(
            format!("{key} is not a list of values"),
            &format!("write {}", as_list(axis)),
        );
    };
    if elements.is_empty() {
        return refusal(
            format!("the grid is empty: {key} has no values"),
            "write at least one value, or leave the axis out",
        );
    }
    let count = elements.len();
    if count as u128 > MOST_CELLS {
        return refusal(
            format!("{key} has {count} values; the most cells of a grid are {MOST_CELLS}"),
            "leave values out",
        );
    }
    Ok(elements)
}

/// What is no list, as the list that may be meant.
fn as_list(axis: &FoundAxis) -> String {
    let text = match &axis.node.content {
        Content::String(text) if axis.takes_whole_numbers() => text,
        _ => return format!("[{}]", axis.node.toml()),
    };
    numbers_of_a_range(text).unwrap_or_else(|| "[0, 1, 2], with every value by itself".to_owned())
}

/// `0..3` and `0..=2`, as Rust has ranges, and `0-2`, number by number; none of what is no range,
/// or has more numbers than anyone reads.
fn numbers_of_a_range(text: &str) -> Option<String> {
    const MOST: u64 = 32;
    let ends = |separator: &str| text.split_once(separator);
    let (from, to, has_end) = match (ends("..="), ends(".."), ends("-")) {
        (Some((from, to)), ..) | (None, None, Some((from, to))) => (from, to, 1),
        (None, Some((from, to)), _) => (from, to, 0),
        (None, None, None) => return None,
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (from, to) = (number(from)?, number(to)?.checked_add(has_end)?);
    if from >= to || to - from > MOST {
        return None;
    }
    let numbers: Vec<String> = (from..to).map(|n| n.to_string()).collect();
    Some(format!("[{}]", numbers.join(", ")))
}

/// What a value of the axis sets in its cells.
fn layer_of(axis: &FoundAxis, element: &SpecNode) -> SpecLayer {
    let key_span = axis.path.last().map(|(_, span)| span.clone());
    let value = SpecNode {
        key: key_span.unwrap_or_default(),
        ..element.clone()
    };
    SpecLayer {
        source: axis.source.clone(),
        root: SpecNode::nested(&axis.path, value),
        origin: Origin::Axis,
        name: match axis.table {
            SELECT => format!("[select] in {}", axis.source.name),
            _ => format!("the axis {} in {}", axis.key(), axis.source.name),
        },
    }
}

/// Refuses an arm that no file has.
pub(super) fn check_arm(
    name: &str,
    place: impl Fn() -> Place,
    arms: &[String],
    mistakes: &mut Vec<Diagnostic>,
) {
    if arms.iter().any(|arm| arm == name) {
        return;
    }
    let known: Vec<&str> = arms.iter().map(String::as_str).collect();
    let hint = match similar(name, known.iter().copied()) {
        _ if !is_name(name) => format!("write the name of an arm: {}", quoted_list(&known)),
        Some(meant) => format!("write \"{meant}\", or add a table [arms.{name}]"),
        None if known.is_empty() => {
            format!("add a table [arms.{name}]; empty, it is the spec itself")
        }
        None => format!(
            "write {}, or add a table [arms.{name}]",
            quoted_list(&known)
        ),
    };
    mistakes.push(
        Diagnostic::new(format!("there is no arm {}", quoted(name)))
            .at(place())
            .hint(hint),
    );
}

/// A value that is set from outside, with who sets it.
struct OutsideValue {
    text: String,
    place: Place,
    set_by: &'static str,
}

/// An axis whose key is set from outside has that value alone.
pub(super) fn collapse_to_outside_value(
    axis: &mut GridAxis,
    stack: &Stack,
    notices: &mut Vec<String>,
) {
    let outside = match (axis.key.as_str(), &stack.arm) {
        (ARM, Some((name, place))) => Some(OutsideValue {
            text: name.clone(),
            place: place.clone(),
            set_by: "--set",
        }),
        _ => outside_value(axis, stack, notices),
    };
    if let Some(OutsideValue {
        text,
        place,
        set_by,
    }) = outside
    {
        notices.push(format!(
            "the axis {} is {} alone, set by {set_by}",
            axis.key,
            quoted(&text)
        ));
        axis.values = vec![AxisValue { text, layer: None }];
        axis.is_set_from_outside = true;
        axis.place = place;
    }
}

/// The value that the highest layer outside the files gives the axis as a whole.
fn outside_value(
    axis: &GridAxis,
    stack: &Stack,
    notices: &mut Vec<String>,
) -> Option<OutsideValue> {
    stack.outside.iter().rev().find_map(|layer| {
        let node = layer.find(&axis.path)?;
        let set_by = if layer.origin == Origin::Environment {
            "the environment"
        } else {
            "--set"
        };
        // A dotted key that goes on inside the table leaves its other keys to the axis.
        if let [(_, inner)] = node.entries()
            && inner.value == node.value
        {
            let (key, part) = (&axis.key, node.toml());
            notices.push(format!(
                "the axis {key} is set in part, by {set_by}: {part}"
            ));
            return None;
        }
        Some(OutsideValue {
            text: node.text(),
            place: layer.place(node, On::Value),
            set_by,
        })
    })
}
