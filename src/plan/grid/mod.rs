//! The grid: axes over arms, seeds and keys, their product in the order of the spec, and the cells
//! that are taken out.

mod axes;
mod candidates;
mod excludes;

use std::collections::BTreeMap;

use super::diagnostics::{Diagnostic, Diagnostics, Place};
use super::planned::ARM;
use super::source::Content;
use super::spec_layers::{On, Origin, PathStep, SpecLayer, Stack, key_path};

use axes::{FoundAxis, check_arm, collapse_to_outside_value, read_axes};
use excludes::read_excludes;

pub use candidates::Candidates;

/// Most cells of a grid: more is a slip of the pen, and is refused before anything is made of it.
const MOST_CELLS: u128 = 10_000;

/// What was chosen for each arm among the values that `[select]` tries, by the keys of its axes;
/// the arm of a study without arms is "".
pub type Choice = BTreeMap<String, BTreeMap<String, String>>;

/// An axis with its values.
#[derive(Debug, Clone)]
pub struct GridAxis {
    /// `arm`, `seed` or a dotted key.
    pub key: String,
    pub path: Vec<PathStep>,
    pub values: Vec<AxisValue>,
    /// Every value that the layers' grids give it.
    pub all_values: Vec<String>,
    /// It is one value alone, because its key is set from outside.
    pub is_set_from_outside: bool,
    /// Of its values.
    pub place: Place,
}

impl GridAxis {
    /// Whether some cell has the value.
    pub fn has_value(&self, text: &str) -> bool {
        self.values.iter().any(|value| value.text == text)
    }

    /// Whether the spec's grid gives the axis the value, and what is set from outside took it away.
    pub fn has_lost(&self, text: &str) -> bool {
        self.is_set_from_outside && self.all_values.iter().any(|value| value == text)
    }
}

/// A value of an axis.
#[derive(Debug, Clone)]
pub struct AxisValue {
    pub text: String,
    /// What the axis sets in a cell; none on the axis of arms, and where the value comes from
    /// outside.
    pub layer: Option<SpecLayer>,
}

/// Axes and cells.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    pub axes: Vec<GridAxis>,
    /// Of each axis the index of its value.
    pub cells: Vec<Vec<usize>>,
    pub notices: Vec<String>,
    /// What the choice of `[select]` sets in the cells of each arm, below their axes.
    chosen: BTreeMap<String, Vec<SpecLayer>>,
}

impl Grid {
    /// Whether it is as the spec has it: no axis is set from outside.
    pub fn is_whole(&self) -> bool {
        !self.axes.iter().any(|axis| axis.is_set_from_outside)
    }

    /// The arm of a cell.
    pub fn arm(&self, cell: &[usize]) -> Option<&str> {
        let axis = self.axes.iter().position(|axis| axis.key == ARM)?;
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

    /// The values of a cell by axis.
    pub fn values_of(&self, cell: &[usize]) -> BTreeMap<String, String> {
        self.axes
            .iter()
            .zip(cell)
            .map(|(axis, value)| (axis.key.clone(), axis.values[*value].text.clone()))
            .collect()
    }

    /// What the choice of `[select]` and the axes set in a cell.
    pub fn layers(&self, cell: &[usize]) -> Vec<SpecLayer> {
        self.layers_with_arm(cell, self.arm(cell))
    }

    /// What they would set in a cell if it had another arm.
    pub fn layers_with_arm(&self, cell: &[usize], arm: Option<&str>) -> Vec<SpecLayer> {
        let of_axes = self.axes.iter().zip(cell);
        let of_axes = of_axes.filter_map(|(axis, value)| axis.values[*value].layer.clone());
        self.chosen_layers(arm)
            .iter()
            .cloned()
            .chain(of_axes)
            .collect()
    }

    /// What the choice of `[select]` sets in every cell of an arm.
    pub fn chosen_layers(&self, arm: Option<&str>) -> &[SpecLayer] {
        self.chosen
            .get(arm.unwrap_or_default())
            .map_or(&[], Vec::as_slice)
    }

    /// Sets in every cell what `[select]` chose for its arm.
    pub fn choose(&mut self, candidates: &Candidates, choice: &Choice) {
        self.chosen = candidates.layers(choice);
    }

    /// Reads `[grid]` from the layers.
    ///
    /// # Errors
    /// Every axis that cannot be one, a grid without cells or with too many.
    pub fn read(stack: &Stack) -> Result<Self, Diagnostics> {
        let mut mistakes = Vec::new();
        let mut notices = Vec::new();
        let mut axes = read_axes(stack, "grid", &mut mistakes);
        for axis in &mut axes {
            collapse_to_outside_value(axis, stack, &mut notices);
        }
        if let Some((name, place)) = &stack.arm {
            check_arm(name, || place.clone(), &stack.arms(), &mut mistakes);
            if !axes.iter().any(|axis| axis.key == ARM) {
                axes.push(axis_of_one_arm(name, place, stack));
            }
        }
        if let Some(of_arms) = axes.iter().find(|axis| axis.key == ARM) {
            let names = of_arms.values.iter().map(|value| value.text.as_str());
            let words = (
                "every cell has the value of its axis in its place",
                "leave it out, or leave the axis out of [grid]",
            );
            for (axis, unused) in unused_in_arms(names, &axes, stack, words) {
                // An axis that another file or `--set` brings is meant to take its place.
                if unused
                    .place
                    .as_ref()
                    .is_some_and(|place| place.file == axis.place.file)
                {
                    mistakes.push(unused);
                } else {
                    notices.push(unused.message);
                }
            }
        }
        let excludes = read_excludes(stack, &axes, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(Diagnostics(mistakes));
        }
        let count = cell_count(&axes)?;
        let cells: Vec<Vec<usize>> = (0..count)
            .map(|index| cell_at(&axes, index))
            .filter(|cell| !excludes.iter().any(|exclude| exclude.takes_out(cell)))
            .collect();
        if cells.is_empty() {
            return Err(nothing_left(stack).into());
        }
        Ok(Self {
            axes,
            cells,
            notices,
            chosen: BTreeMap::new(),
        })
    }
}

/// What arms set where an axis has values for it, which take its place, each with that axis.
/// `words` say so, and what to do.
fn unused_in_arms<'a, 'b>(
    arms: impl Iterator<Item = &'a str>,
    axes: &'b [GridAxis],
    stack: &Stack,
    (why, hint): (&str, &str),
) -> Vec<(&'b GridAxis, Diagnostic)> {
    let mut found = Vec::new();
    for arm in arms {
        let own = stack.run(Some(arm), &[]);
        // What is set from outside takes the place of both.
        for axis in axes.iter().filter(|axis| !axis.is_set_from_outside) {
            let Some((layer, node)) = own.origin(&key_path(&axis.key)) else {
                continue;
            };
            // Tables are merged key by key.
            let is_merged = matches!(node.content, Content::Table(_));
            if layer.origin == Origin::Arm && !is_merged {
                let message = format!("arms.{arm}.{} is never used: {why}", axis.key);
                let place = layer.place(node, On::Value);
                found.push((axis, Diagnostic::new(message).at(place).hint(hint)));
            }
        }
    }
    found
}

/// The axis of arms where the grid has none and `--set` chooses one.
fn axis_of_one_arm(name: &str, place: &Place, stack: &Stack) -> GridAxis {
    GridAxis {
        key: ARM.to_owned(),
        path: Vec::new(),
        values: vec![AxisValue {
            text: name.to_owned(),
            layer: None,
        }],
        all_values: stack.arms(),
        is_set_from_outside: true,
        place: place.clone(),
    }
}

/// The number of cells of the whole product, unless there are too many.
fn cell_count(axes: &[GridAxis]) -> Result<usize, Diagnostics> {
    let count = axes.iter().fold(1u128, |count, axis| {
        count.saturating_mul(axis.values.len() as u128)
    });
    if count <= MOST_CELLS {
        return Ok(count as usize);
    }
    let longest = axes.iter().max_by_key(|axis| axis.values.len());
    let hint = longest.map_or_else(String::new, |axis| {
        let (key, values) = (&axis.key, axis.values.len());
        format!("leave values out: the longest axis, {key}, has {values}")
    });
    let message = format!("the grid has {count} cells; the most is {MOST_CELLS}");
    Err(Diagnostic::new(message)
        .at(longest.map(|axis| axis.place.clone()))
        .hint(hint)
        .into())
}

/// The cell of that index in the product, whose last axis moves fastest.
fn cell_at(axes: &[GridAxis], index: usize) -> Vec<usize> {
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
    cell
}

fn nothing_left(stack: &Stack) -> Diagnostic {
    let place = stack.files.iter().rev().find_map(|layer| {
        let exclude = layer.root.get("grid")?.get("exclude")?;
        Some(layer.place(exclude, On::Key))
    });
    Diagnostic::new("the grid is empty: grid.exclude takes out every cell")
        .at(place)
        .hint("leave at least one cell")
}
