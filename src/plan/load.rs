//! The entry point: [`load`] reads a spec and checks every cell as far as that goes without its
//! inputs.

use std::collections::BTreeSet;
use std::path::Path;

use super::budget::budget_problem;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::findings::CellFindings;
use super::frozen::{FrozenOrigin, FrozenSpec};
use super::grid::Grid;
use super::planned::Overrides;
use super::read_run::{located, read_run};
use super::spec_layers::{Merged, Stack};
use super::study::{self, CheckedStudy};
use super::words::join;
use super::written::WrittenRun;

/// A spec whose every cell was checked as far as that goes without its inputs.
#[derive(Debug)]
pub struct Loaded {
    pub(super) stack: Stack,
    pub(super) grid: Grid,
    pub(super) study: CheckedStudy,
    /// In the order of `grid.cells`.
    pub(super) cells: Vec<WrittenRun>,
    pub(super) notices: Vec<String>,
}

/// Reads the spec at `spec` with everything that it extends.
///
/// # Errors
/// Every mistake that can be known without inputs.
pub fn load(spec: &Path, options: &Overrides) -> Result<Loaded, Diagnostics> {
    let stack = Stack::load(spec, options)?;
    let mut mistakes = Vec::new();
    let study = study::read(&stack, &mut mistakes);
    let grid = match Grid::read(&stack) {
        Ok(grid) => grid,
        Err(more) => {
            mistakes.extend(more.0);
            mistakes.extend(mistakes_without_grid(&stack));
            return Err(Diagnostics(mistakes).sorted());
        }
    };
    let mut findings = CellFindings::default();
    let mut cells = Vec::with_capacity(grid.cells.len());
    for cell in &grid.cells {
        let merged = stack.run(grid.arm(cell), &grid.layers(cell));
        let label = grid.label(cell);
        let run = read_run(&merged, &label, &mut findings);
        let over_budget = run
            .as_ref()
            .and_then(|run| budget_problem(run, &stack, &grid, cell));
        if let Some(problem) = over_budget {
            findings.problems.add(located(&merged, problem), &label);
        }
        cells.extend(run);
    }
    mistakes.extend(findings.mistakes);
    findings.problems.report(grid.cells.len(), &mut mistakes);
    mistakes.extend(mistakes_of_arms_not_run(&stack, &grid));
    let mut notices = grid.notices.clone();
    notices.extend(arms_left_out(&stack, &grid));
    findings
        .unused
        .report(grid.cells.len(), &mut mistakes, &mut notices);
    let study = study.map(|study| study.checked(&stack, &grid, &mut mistakes, &mut notices));
    match study {
        Some(study) if mistakes.is_empty() => Ok(Loaded {
            stack,
            grid,
            study,
            cells,
            notices,
        }),
        Some(_) | None => Err(Diagnostics(mistakes).sorted()),
    }
}

/// The faults of the spec and of its arms, where the grid has faults and the cells are unknown.
fn mistakes_without_grid(stack: &Stack) -> Vec<Diagnostic> {
    let arms = stack.arms();
    let mut mistakes = mistakes_of_values(&stack.run(None, &[]));
    for arm in &arms {
        mistakes.extend(mistakes_of_values(&stack.run(Some(arm), &[])));
    }
    mistakes
}

/// The faults of arms that no cell has. They are read with the axes of some cell, as an arm may
/// need them; what its values together show is no matter while it is not run.
fn mistakes_of_arms_not_run(stack: &Stack, grid: &Grid) -> Vec<Diagnostic> {
    let run: BTreeSet<&str> = grid
        .cells
        .iter()
        .filter_map(|cell| grid.arm(cell))
        .collect();
    let mut mistakes = Vec::new();
    for arm in stack.arms() {
        if !run.contains(arm.as_str()) {
            let merged = stack.run(Some(&arm), &grid.layers(&grid.cells[0]));
            mistakes.extend(mistakes_of_values(&merged));
        }
    }
    mistakes
}

/// A word on the arms that the grid leaves out by itself: one that is set from outside is meant.
fn arms_left_out(stack: &Stack, grid: &Grid) -> Option<String> {
    let axis = grid.axes.iter().find(|axis| axis.key == "arm");
    if axis.is_some_and(|axis| axis.is_set_from_outside) {
        return None;
    }
    let run: BTreeSet<&str> = grid
        .cells
        .iter()
        .filter_map(|cell| grid.arm(cell))
        .collect();
    let arms = stack.arms();
    let left: Vec<String> = arms
        .into_iter()
        .filter(|arm| !run.contains(arm.as_str()))
        .collect();
    let (are, them) = if left.len() == 1 {
        ("is", "it")
    } else {
        ("are", "them")
    };
    (!left.is_empty()).then(|| {
        format!(
            "{} {are} defined and not run: no cell of the grid has {them} (grid.arm)",
            join(&left, "and")
        )
    })
}

/// The faults of single values alone.
fn mistakes_of_values(merged: &Merged) -> Vec<Diagnostic> {
    let mut findings = CellFindings::default();
    read_run(merged, "", &mut findings);
    findings.mistakes
}

impl Loaded {
    /// The name of the study's folder below the results.
    pub fn name(&self) -> &str {
        &self.study.name
    }

    /// What the spec was frozen from, where it is a frozen one.
    pub fn origin(&self) -> Option<&FrozenOrigin> {
        self.stack.frozen_from.as_ref()
    }

    /// The spec with everything that reached it, `options` among it, as one that stays.
    pub fn freeze(&self, origin: FrozenOrigin, options: &Overrides) -> FrozenSpec {
        let layers = self.stack.frozen_layers(&origin.working_folder);
        FrozenSpec::new(origin, options, layers)
    }

    /// Whether some run takes something from the hub.
    pub fn uses_hub(&self) -> bool {
        self.cells.iter().any(|run| {
            run.dataset.is_of_hub() || run.tokenizer.is_of_hub() || run.teacher.is_of_hub()
        })
    }
}
