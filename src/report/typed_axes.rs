//! The axes of the grid as columns of a table: whole numbers as whole numbers, decimals as
//! decimals, switches as switches, and all else as text.

use super::axes::ARM;
use crate::record::study::{Axis, Study};
use crate::table::Column;

/// What all values of an axis are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AxisKind {
    Whole,
    /// Whole numbers beyond those with a sign, as a seed may be.
    Large,
    Number,
    Flag,
    Text,
}

/// An axis with the kind of its values, which is the same for all tables of a study.
#[derive(Debug, Clone)]
pub struct TypedAxis<'a> {
    study: &'a Study,
    axis: &'a Axis,
    kind: AxisKind,
}

/// The axes of a study, in the order of the spec.
pub fn typed_axes(study: &Study) -> Vec<TypedAxis<'_>> {
    let typed = |axis| {
        let kind = kind_of(axis, study);
        TypedAxis { study, axis, kind }
    };
    study.axes.iter().map(typed).collect()
}

fn kind_of(axis: &Axis, study: &Study) -> AxisKind {
    let all = |is: fn(&str) -> bool| {
        let mut values = study.cells.iter().map(|cell| cell.at.get(&axis.key));
        values.all(|value| value.is_some_and(|value| is(value)))
    };
    // A name stays one, whatever it looks like.
    if axis.key == ARM {
        AxisKind::Text
    } else if all(|value| value.parse::<i64>().is_ok()) {
        AxisKind::Whole
    } else if all(|value| value.parse::<u64>().is_ok()) {
        AxisKind::Large
    } else if all(|value| number(value).is_some()) {
        AxisKind::Number
    } else if all(|value| value.parse::<bool>().is_ok()) {
        AxisKind::Flag
    } else {
        AxisKind::Text
    }
}

/// A number written in digits; words that stand for numbers are left words.
fn number(value: &str) -> Option<f64> {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    let begins = digits.starts_with(|first: char| first.is_ascii_digit());
    begins.then(|| value.parse().ok()).flatten()
}

impl TypedAxis<'_> {
    pub fn key(&self) -> &str {
        &self.axis.key
    }

    /// The values of cells, one after the other.
    pub fn column(&self, cells: impl Iterator<Item = usize>) -> Column {
        let at = |cell: usize| {
            let value = self.study.cells[cell].at.get(&self.axis.key);
            value.map_or("", String::as_str)
        };
        // Every value was parsed when the kind was found.
        match self.kind {
            AxisKind::Whole => {
                Column::I64(cells.map(|cell| at(cell).parse().unwrap_or(0)).collect())
            }
            AxisKind::Large => {
                Column::U64(cells.map(|cell| at(cell).parse().unwrap_or(0)).collect())
            }
            AxisKind::Number => Column::F64(
                cells
                    .map(|cell| number(at(cell)).unwrap_or(f64::NAN))
                    .collect(),
            ),
            AxisKind::Flag => Column::Flags(cells.map(|cell| at(cell) == "true").collect()),
            AxisKind::Text => Column::Text(cells.map(|cell| at(cell).to_owned()).collect()),
        }
    }
}

#[cfg(test)]
#[path = "typed_axes_tests.rs"]
mod tests;
