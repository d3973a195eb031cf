//! The grid: axes over arms, seeds and keys, their product in the order of the spec, and the cells
//! that are taken out.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::diagnostics::{Diagnostic, Diagnostics, Place, similar};
use super::layers::{On, Origin, PathStep, STUDY, SpecLayer, Stack};
use super::schema;
use super::source::{Content, SpecNode, SpecText};
use super::words::{is_name, list_of, plain_list, shown, some_of};

/// Most cells of a grid: more is a slip of the pen, and is refused before anything is made of it.
pub const MOST_CELLS: u128 = 10_000;

/// An axis with its values.
#[derive(Debug)]
pub struct GridAxis {
    /// `arm`, `seed` or a dotted key.
    pub key: String,
    pub path: Vec<PathStep>,
    pub values: Vec<AxisValue>,
    /// Every value that the layers' grids give it.
    pub whole: Vec<String>,
    /// It is one value alone, because its key is set from outside.
    pub set: bool,
    /// Of its values.
    pub place: Place,
}

#[derive(Debug)]
pub struct AxisValue {
    pub text: String,
    /// What the axis sets in a cell; none on the axis of arms, and where the value comes from
    /// outside.
    pub layer: Option<SpecLayer>,
}

/// Axes and cells.
#[derive(Debug, Default)]
pub struct Grid {
    pub axes: Vec<GridAxis>,
    /// Of each axis the index of its value.
    pub cells: Vec<Vec<usize>>,
    pub notices: Vec<String>,
}

impl Grid {
    /// The arm of a cell.
    pub fn arm(&self, cell: &[usize]) -> Option<&str> {
        let axis = self.axes.iter().position(|axis| axis.key == "arm")?;
        Some(&self.axes[axis].values[cell[axis]].text)
    }

    /// A cell in words: `arm=kl seed=0`.
    pub fn label(&self, cell: &[usize]) -> String {
        let at = self
            .axes
            .iter()
            .zip(cell)
            .map(|(axis, value)| format!("{}={}", axis.key, axis.values[*value].text));
        at.collect::<Vec<_>>().join(" ")
    }

    /// What the axes set in a cell.
    pub fn layers(&self, cell: &[usize]) -> Vec<SpecLayer> {
        self.axes
            .iter()
            .zip(cell)
            .filter_map(|(axis, value)| axis.values[*value].layer.clone())
            .collect()
    }

    /// Reads `[grid]` from the layers.
    ///
    /// # Errors
    /// Every axis that cannot be one, a grid without cells or with too many.
    pub fn read(stack: &Stack) -> Result<Self, Diagnostics> {
        let mut wrong = Vec::new();
        let mut axes = read_axes(stack, &mut wrong);
        let mut notices = Vec::new();
        axes.iter_mut()
            .for_each(|axis| collapse(axis, stack, &mut notices));
        if let Some((name, place)) = &stack.arm {
            check_arm(name, || place.clone(), &stack.arms(), &mut wrong);
            if !axes.iter().any(|axis| axis.key == "arm") {
                let value = AxisValue {
                    text: name.clone(),
                    layer: None,
                };
                axes.push(GridAxis {
                    key: "arm".to_owned(),
                    path: Vec::new(),
                    values: vec![value],
                    whole: stack.arms(),
                    set: true,
                    place: place.clone(),
                });
            }
        }
        let excludes = read_excludes(stack, &axes, &mut wrong);
        if !wrong.is_empty() {
            return Err(Diagnostics(wrong));
        }
        let count = axes.iter().fold(1u128, |count, axis| {
            count.saturating_mul(axis.values.len() as u128)
        });
        if count > MOST_CELLS {
            let longest = axes.iter().max_by_key(|axis| axis.values.len());
            let hint = longest
                .map(|axis| {
                    format!(
                        "leave values out: the longest axis, {}, has {}",
                        axis.key,
                        axis.values.len()
                    )
                })
                .unwrap_or_default();
            let place = longest.map(|axis| axis.place.clone());
            return Err(Diagnostic::new(format!(
                "the grid has {count} cells; the most is {MOST_CELLS}"
            ))
            .at(place)
            .hint(hint)
            .into());
        }
        let mut cells = Vec::with_capacity(count as usize);
        for index in 0..count as usize {
            let mut rest = index;
            let mut cell: Vec<usize> = axes
                .iter()
                .rev()
                .map(|axis| {
                    let value = rest % axis.values.len();
                    rest /= axis.values.len();
                    value
                })
                .collect();
            cell.reverse();
            if !excludes
                .iter()
                .any(|exclude| exclude.iter().all(|(axis, out)| out[cell[*axis]]))
            {
                cells.push(cell);
            }
        }
        if cells.is_empty() {
            let place = stack.files.iter().rev().find_map(|layer| {
                let exclude = layer.root.get("grid")?.get("exclude")?;
                Some(layer.place(exclude, On::Key))
            });
            return Err(
                Diagnostic::new("the grid is empty: grid.exclude takes out every cell")
                    .at(place)
                    .hint("leave at least one cell")
                    .into(),
            );
        }
        Ok(Self {
            axes,
            cells,
            notices,
        })
    }
}

/// An axis while its values are still nodes of a file.
struct FoundAxis {
    path: Vec<(String, Range<usize>)>,
    node: SpecNode,
    source: Arc<SpecText>,
}

impl FoundAxis {
    fn key(&self) -> String {
        self.path
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join(".")
    }
}

fn read_axes(stack: &Stack, wrong: &mut Vec<Diagnostic>) -> Vec<GridAxis> {
    let mut found: Vec<FoundAxis> = Vec::new();
    for layer in stack.files.iter().chain(&stack.outside) {
        let Some(grid) = layer.root.get("grid") else {
            continue;
        };
        let mut here = Vec::new();
        collect(grid, &mut Vec::new(), &layer.source, &mut here);
        here.retain(|axis| axis.path.first().is_some_and(|(name, _)| name != "exclude"));
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
        .filter_map(|axis| read_axis(axis, &arms, wrong))
        .collect()
}

fn collect(
    node: &SpecNode,
    path: &mut Vec<(String, Range<usize>)>,
    source: &Arc<SpecText>,
    out: &mut Vec<FoundAxis>,
) {
    match &node.content {
        Content::Table(entries) => {
            for (key, child) in entries {
                let depth = path.len();
                path.extend(
                    key.split('.')
                        .map(|name| (name.to_owned(), child.key.clone())),
                );
                collect(child, path, source, out);
                path.truncate(depth);
            }
        }
        _ => out.push(FoundAxis {
            path: path.clone(),
            node: node.clone(),
            source: source.clone(),
        }),
    }
}

fn read_axis(axis: &FoundAxis, arms: &[String], wrong: &mut Vec<Diagnostic>) -> Option<GridAxis> {
    let key = axis.key();
    let place = |span: &Range<usize>| axis.source.place(span.clone());
    let (first, first_span) = axis.path.first()?;
    let (_, last_span) = axis.path.last()?;
    let properties = schema::run()["properties"].as_object()?;
    let is_arm = key == "arm";
    if !is_arm && !properties.contains_key(first) {
        let names: Vec<&str> = properties
            .keys()
            .map(String::as_str)
            .chain(["arm"])
            .collect();
        let hint = match similar(first, names.iter().copied()) {
            Some(meant) => format!("write {meant}"),
            None if STUDY.contains(&first.as_str()) => {
                format!("{first} belongs to the study as a whole, which has one value of each key")
            }
            None => format!(
                "an axis is arm, or a key of a run: {}",
                plain_list(&names[..names.len() - 1])
            ),
        };
        wrong.push(
            Diagnostic::new(format!("grid.{key} is an axis on a key that no run has"))
                .at(place(first_span))
                .hint(hint),
        );
        return None;
    }
    let Content::List(elements) = &axis.node.content else {
        let message = format!("grid.{key} is not a list of values");
        wrong.push(
            Diagnostic::new(message)
                .at(place(&axis.node.value))
                .hint(format!("write [{}]", axis.node.toml())),
        );
        return None;
    };
    if elements.is_empty() {
        let message = format!("the grid is empty: grid.{key} has no values");
        wrong.push(
            Diagnostic::new(message)
                .at(place(&axis.node.value))
                .hint("write at least one value, or leave the axis out"),
        );
        return None;
    }
    if elements.len() as u128 > MOST_CELLS {
        let message = format!(
            "grid.{key} has {} values; the most cells of a grid are {MOST_CELLS}",
            elements.len()
        );
        wrong.push(
            Diagnostic::new(message)
                .at(place(&axis.node.value))
                .hint("leave values out"),
        );
        return None;
    }
    let mut values: Vec<AxisValue> = Vec::with_capacity(elements.len());
    let mut seen = BTreeSet::new();
    for element in elements {
        let text = element.text();
        if !seen.insert(text.clone()) {
            let message = format!("grid.{key} has {} twice", element.toml());
            wrong.push(
                Diagnostic::new(message)
                    .at(place(&element.value))
                    .hint("every value of an axis stands once"),
            );
            continue;
        }
        let layer = if is_arm {
            check_arm(&text, || place(&element.value), arms, wrong);
            None
        } else {
            Some(SpecLayer {
                source: axis.source.clone(),
                root: SpecNode::nested(
                    &axis.path,
                    SpecNode {
                        key: last_span.clone(),
                        ..element.clone()
                    },
                ),
                origin: Origin::Axis,
                name: format!("the axis {key} in {}", axis.source.name),
            })
        };
        values.push(AxisValue { text, layer });
    }
    let path = axis
        .path
        .iter()
        .map(|(name, _)| PathStep::Key(name.clone()))
        .collect();
    let whole = values.iter().map(|value| value.text.clone()).collect();
    Some(GridAxis {
        key,
        path,
        values,
        whole,
        set: false,
        place: place(&axis.node.value),
    })
}

fn check_arm(name: &str, place: impl Fn() -> Place, arms: &[String], wrong: &mut Vec<Diagnostic>) {
    if arms.iter().any(|arm| arm == name) {
        return;
    }
    let known: Vec<&str> = arms.iter().map(String::as_str).collect();
    let hint = match similar(name, known.iter().copied()) {
        _ if !is_name(name) => format!("write the name of an arm: {}", list_of(&known)),
        Some(meant) => format!("write \"{meant}\", or add a table [arms.{name}]"),
        None if known.is_empty() => {
            format!("add a table [arms.{name}]; empty, it is the spec itself")
        }
        None => format!("write {}, or add a table [arms.{name}]", list_of(&known)),
    };
    wrong.push(
        Diagnostic::new(format!("there is no arm {}", shown(name)))
            .at(place())
            .hint(hint),
    );
}

/// An axis whose key is set from outside has that value alone.
fn collapse(axis: &mut GridAxis, stack: &Stack, notices: &mut Vec<String>) {
    let set = match (axis.key.as_str(), &stack.arm) {
        ("arm", Some((name, place))) => Some((name.clone(), place.clone(), "--set")),
        _ => stack.outside.iter().rev().find_map(|layer| {
            let node = layer.find(&axis.path)?;
            let who = if layer.origin == Origin::Environment {
                "the environment"
            } else {
                "--set"
            };
            // A dotted key that goes on inside the table leaves its other keys to the axis.
            if matches!(node.entries(), [(_, inner)] if inner.value == node.value) {
                notices.push(format!(
                    "the axis {} is set in part, by {who}: {}",
                    axis.key,
                    node.toml()
                ));
                return None;
            }
            Some((node.text(), layer.place(node, On::Value), who))
        }),
    };
    if let Some((text, place, who)) = set {
        notices.push(format!(
            "the axis {} is {} alone, set by {who}",
            axis.key,
            shown(&text)
        ));
        axis.values = vec![AxisValue { text, layer: None }];
        (axis.set, axis.place) = (true, place);
    }
}

/// Of every excluded part of the grid its axes, and which of their values it takes out.
fn read_excludes(
    stack: &Stack,
    axes: &[GridAxis],
    wrong: &mut Vec<Diagnostic>,
) -> Vec<Vec<(usize, Vec<bool>)>> {
    let above = stack.files.iter().chain(&stack.outside).rev();
    let Some((layer, node)) = above
        .into_iter()
        .find_map(|layer| Some((layer, layer.root.get("grid")?.get("exclude")?)))
    else {
        return Vec::new();
    };
    let tables: Vec<&SpecNode> = match &node.content {
        Content::List(elements) => elements.iter().collect(),
        _ => vec![node],
    };
    let mut excludes = Vec::new();
    for table in tables {
        if !matches!(table.content, Content::Table(_)) || table.entries().is_empty() {
            let message = "grid.exclude is a table of axes and values";
            wrong.push(
                Diagnostic::new(message)
                    .at(layer.place(table, On::Value))
                    .hint("write [[grid.exclude]] and below it arm = \"NAME\""),
            );
            continue;
        }
        let mut found = Vec::new();
        collect(table, &mut Vec::new(), &layer.source, &mut found);
        let mut exclude = Vec::new();
        for condition in &found {
            let key = condition.key();
            let Some(axis) = axes.iter().position(|axis| axis.key == key) else {
                let names: Vec<&str> = axes.iter().map(|axis| axis.key.as_str()).collect();
                let hint = match similar(&key, names.iter().copied()) {
                    Some(meant) => format!("write {meant}"),
                    None if names.is_empty() => "the grid has no axes".to_owned(),
                    None => format!("the axes are {}", names.join(", ")),
                };
                let place = layer.source.place(
                    condition
                        .path
                        .last()
                        .map(|(_, span)| span.clone())
                        .unwrap_or_default(),
                );
                wrong.push(
                    Diagnostic::new(format!("grid.exclude names {key}, which is no axis"))
                        .at(place)
                        .hint(hint),
                );
                continue;
            };
            let values: Vec<&SpecNode> = match &condition.node.content {
                Content::List(elements) => elements.iter().collect(),
                _ => vec![&condition.node],
            };
            if values.is_empty() {
                let message = format!(
                    "grid.exclude names no value of the axis {key}, so it takes nothing out"
                );
                wrong.push(
                    Diagnostic::new(message)
                        .at(layer.place(&condition.node, On::Value))
                        .hint("write at least one, or leave it out"),
                );
            }
            for value in &values {
                if !axes[axis].whole.contains(&value.text())
                    && !axes[axis].values.iter().any(|own| own.text == value.text())
                {
                    let hint = format!(
                        "its values are {}",
                        some_of(axes[axis].whole.iter().map(String::as_str))
                    );
                    let message = format!(
                        "grid.exclude names {}, which is no value of the axis {key}",
                        value.toml()
                    );
                    wrong.push(
                        Diagnostic::new(message)
                            .at(layer.place(value, On::Value))
                            .hint(hint),
                    );
                }
            }
            let texts: BTreeSet<String> = values.iter().map(|value| value.text()).collect();
            exclude.push((
                axis,
                axes[axis]
                    .values
                    .iter()
                    .map(|own| texts.contains(&own.text))
                    .collect(),
            ));
        }
        excludes.push(exclude);
    }
    excludes
}
