//! What the checks find over all cells of a grid.
//!
//! A mistake in the values of several cells is told once, with the cells that have it. A key that
//! one cell has no use for is no mistake while another has.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::diagnostics::{Diagnostic, Place};

/// What is found while the cells are read.
#[derive(Default)]
pub struct CellFindings {
    /// Faults of single values.
    pub mistakes: Vec<Diagnostic>,
    pub problems: CellProblems,
    pub unused: UnusedKeys,
}

/// Mistakes that only the values of a cell together show.
#[derive(Default)]
pub struct CellProblems(BTreeMap<(Option<Place>, String), CountedProblem>);

struct CountedProblem {
    diagnostic: Diagnostic,
    cell_count: usize,
    first_cell: String,
}

impl CellProblems {
    /// Adds what is wrong in the cell of that label.
    pub fn add(&mut self, diagnostic: Diagnostic, cell: &str) {
        let key = (diagnostic.place.clone(), diagnostic.message.clone());
        let problem = self.0.entry(key).or_insert_with(|| CountedProblem {
            diagnostic,
            cell_count: 0,
            first_cell: cell.to_owned(),
        });
        problem.cell_count += 1;
    }

    /// The mistakes; of those that only some of all cells have, with which.
    pub fn report(self, all_cells: usize, mistakes: &mut Vec<Diagnostic>) {
        for problem in self.0.into_values() {
            let CountedProblem {
                mut diagnostic,
                cell_count,
                first_cell,
            } = problem;
            if cell_count < all_cells {
                let others = if cell_count > 1 {
                    format!(" and {} more", cell_count - 1)
                } else {
                    String::new()
                };
                let cells = format!(" (in the cell {first_cell}{others})");
                diagnostic.message.push_str(&cells);
            }
            mistakes.push(diagnostic);
        }
    }
}

/// Keys without effect.
#[derive(Default)]
pub struct UnusedKeys(BTreeMap<String, CountedUnusedKey>);

struct CountedUnusedKey {
    cell_count: usize,
    /// Cells whose user should hear of it, even where others have a use for the key.
    noticed_count: usize,
    diagnostic: Diagnostic,
}

impl UnusedKeys {
    /// Adds a key that one cell has no use for; `notice` where the user should hear of it even if
    /// other cells have one.
    pub fn add(&mut self, key: String, notice: bool, diagnostic: impl FnOnce() -> Diagnostic) {
        match self.0.entry(key) {
            Entry::Vacant(free) => {
                free.insert(CountedUnusedKey {
                    cell_count: 1,
                    noticed_count: usize::from(notice),
                    diagnostic: diagnostic(),
                });
            }
            Entry::Occupied(known) => {
                let known = known.into_mut();
                if notice && known.noticed_count == 0 {
                    known.diagnostic = diagnostic();
                }
                known.cell_count += 1;
                known.noticed_count += usize::from(notice);
            }
        }
    }

    /// Keys that no cell has a use for are mistakes; of the others some deserve a notice.
    pub fn report(
        self,
        all_cells: usize,
        mistakes: &mut Vec<Diagnostic>,
        notices: &mut Vec<String>,
    ) {
        for (key, unused) in self.0 {
            if unused.cell_count == all_cells {
                mistakes.push(unused.diagnostic);
            } else if unused.noticed_count > 0 {
                let (count, reason) = (unused.noticed_count, unused.diagnostic.message);
                notices.push(format!(
                    "{key} has no effect in {count} of {all_cells} cells: {reason}"
                ));
            }
        }
    }
}
