//! The entry point: [`load`] reads a spec and checks every cell as far as that goes without its
//! inputs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::budget::budget_problem;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::findings::CellFindings;
use super::frozen::{FrozenOrigin, FrozenSpec};
use super::grid::{Candidates, Choice, Grid, GridAxis};
use super::planned::{ARM, Overrides};
use super::read_run::{located, read_run};
use super::run::{Budget, TaskSpec};
use super::source::SpecNode;
use super::spec_layers::{Merged, SpecLayer, Stack};
use super::study::{self, CheckedStudy};
use super::words::join;
use super::written::WrittenRun;

/// Most values of an axis that are looked at where the axes make no grid.
const MOST_SINGLE_VALUES: usize = 100;

/// A spec whose every cell was checked as far as that goes without its inputs.
#[derive(Debug)]
pub struct Loaded {
    pub(super) stack: Stack,
    pub(super) grid: Grid,
    /// What `[select]` tries, where some arm has more than one value to try.
    pub(super) candidates: Option<Candidates>,
    /// Whether the first of what is tried stands in for what is to be chosen.
    pub(super) awaits_choice: bool,
    /// In the order of their cells.
    tried: Vec<WrittenRun>,
    pub(super) study: CheckedStudy,
    /// In the order of `grid.cells`.
    pub(super) cells: Vec<WrittenRun>,
    pub(super) notices: Vec<String>,
}

/// Reads the spec at `spec` with everything that it extends. Until `[select]` has chosen
/// ([`Loaded::with_choice`]), the first of the values that it tries stand in.
///
/// # Errors
/// Every mistake that can be known without inputs.
pub fn load(spec: &Path, options: &Overrides) -> Result<Loaded, Diagnostics> {
    let stack = Stack::load(spec, options)?;
    let mut mistakes = Vec::new();
    let study = study::read(&stack, &mut mistakes);
    let mut grid = match Grid::read(&stack) {
        Ok(grid) => grid,
        Err(more) => {
            mistakes.extend(more.0);
            mistakes.extend(mistakes_without_grid(&stack));
            return Err(Diagnostics(mistakes).sorted());
        }
    };
    let mut notices = grid.notices.clone();
    let (candidates, tried) = Candidates::read(&stack, &grid, &mut mistakes, &mut notices)
        .and_then(|candidates| checked_candidates(&stack, candidates, &mut mistakes))
        .unzip();
    if let Some(candidates) = &candidates {
        grid.choose(candidates, &candidates.first());
    }
    let all = grid.cells.len();
    let cells = read_cells(&stack, &grid, all, &mut mistakes, &mut notices);
    mistakes.extend(mistakes_of_arms_not_run(&stack, &grid));
    notices.extend(arms_left_out(&stack, &grid));
    let study = study.map(|study| study.checked(&stack, &grid, &mut mistakes, &mut notices));
    match study {
        Some(study) if mistakes.is_empty() => Ok(Loaded {
            stack,
            grid,
            awaits_choice: candidates.is_some(),
            candidates,
            tried: tried.unwrap_or_default(),
            study,
            cells,
            notices,
        }),
        Some(_) | None => Err(Diagnostics(mistakes).sorted()),
    }
}

/// Every cell of a grid in its written form; those with faults are missing. A key that is not used
/// in any of `all` cells is a mistake.
fn read_cells(
    stack: &Stack,
    grid: &Grid,
    all: usize,
    mistakes: &mut Vec<Diagnostic>,
    notices: &mut Vec<String>,
) -> Vec<WrittenRun> {
    let mut findings = CellFindings::default();
    let mut cells = Vec::with_capacity(grid.cells.len());
    for cell in &grid.cells {
        let merged = stack.run(grid.arm(cell), &grid.layers(cell));
        let label = grid.label(cell);
        let run = read_run(&merged, &label, &mut findings);
        let over_budget = run
            .as_ref()
            .and_then(|run| budget_problem(run, stack, grid, cell));
        if let Some(problem) = over_budget {
            findings.problems.add(located(&merged, problem), &label);
        }
        cells.extend(run);
    }
    mistakes.extend(findings.mistakes);
    findings.problems.report(grid.cells.len(), mistakes);
    findings.unused.report(all, mistakes, notices);
    cells
}

/// The candidates without those of arms that they change nothing in, and without repetitions: a
/// weight of a loss that an arm has not is nothing to choose. With the runs of their cells.
fn checked_candidates(
    stack: &Stack,
    mut candidates: Candidates,
    mistakes: &mut Vec<Diagnostic>,
) -> Option<(Candidates, Vec<WrittenRun>)> {
    let before = mistakes.len();
    // Of the study's cells these are some: what they do not use others may.
    let runs = read_cells(
        stack,
        &candidates.grid,
        usize::MAX,
        mistakes,
        &mut Vec::new(),
    );
    mistakes.extend(unequal_budgets(&candidates, &runs));
    if mistakes.len() > before {
        return None;
    }
    let grid = &candidates.grid;
    let mut kept: Vec<(Vec<usize>, WrittenRun)> = Vec::new();
    for (cell, run) in grid.cells.iter().zip(runs) {
        let is_known = |(known, other): &(Vec<usize>, WrittenRun)| {
            grid.arm(known) == grid.arm(cell) && *other == run
        };
        if !kept.iter().any(is_known) {
            kept.push((cell.clone(), run));
        }
    }
    let mut values: BTreeMap<Option<String>, BTreeSet<_>> = BTreeMap::new();
    let arm_of = |cell: &[usize]| grid.arm(cell).map(str::to_owned);
    for (cell, _) in &kept {
        let of_arm = values.entry(arm_of(cell)).or_default();
        of_arm.insert(candidates.tried_in(cell));
    }
    kept.retain(|(cell, _)| values[&arm_of(cell)].len() > 1);
    let (cells, runs) = kept.into_iter().unzip();
    candidates.grid.cells = cells;
    if candidates.grid.cells.is_empty() && stack.arm.is_some() {
        // The one arm that is run has nothing to choose.
        return None;
    }
    if candidates.grid.cells.is_empty() {
        let message = "[select] leaves nothing to choose: every arm has one value of what it tries";
        let hint = "write at least two values that make a difference in some arm";
        mistakes.push(Diagnostic::new(message).hint(hint));
        return None;
    }
    Some((candidates, runs))
}

/// Values of an arm with a budget that are paid for differently: while they are tried, the arm that
/// the budget names has them, too.
fn unequal_budgets(candidates: &Candidates, runs: &[WrittenRun]) -> Option<Diagnostic> {
    let has_budget = |run: &WrittenRun| run.train.budget.as_ref().and_then(Budget::arm).is_some();
    let axes = candidates.grid.axes.iter();
    let mut tried = axes.filter(|axis| candidates.keys.contains(&axis.key));
    let axis = tried.find(|axis| keys_set_by(axis).iter().any(|key| changes_cost(key)))?;
    let key = &axis.key;
    runs.iter().any(has_budget).then(|| {
        Diagnostic::new(format!(
            "select.{key} changes what a training costs, and an arm that it is tried in has the \
             operations of another arm"
        ))
        .at(axis.place.clone())
        .hint("leave that arm out, with select.arm = [\"NAME\"] for the others")
    })
}

/// The keys that the values of an axis set: of tables those inside.
fn keys_set_by(axis: &GridAxis) -> Vec<String> {
    fn walk(node: &SpecNode, key: &str, found: &mut Vec<String>) {
        if node.entries().is_empty() {
            found.push(key.to_owned());
        }
        for (name, inner) in node.entries() {
            let below = [key, name.as_str()].join(".");
            walk(inner, below.trim_start_matches('.'), found);
        }
    }
    let mut found = Vec::new();
    for layer in axis.values.iter().filter_map(|value| value.layer.as_ref()) {
        walk(&layer.root, "", &mut found);
    }
    found
}

/// Whether other values of a key may be other operations of a training.
fn changes_cost(key: &str) -> bool {
    let of_tables = [
        "train.steps",
        "train.batch",
        "train.accumulate",
        "train.context",
        "student.",
        "match.strategy",
        "match.pairs",
        "balance.mode",
        "balance.batches",
        "balance.every",
    ];
    let of_losses = [
        ".kind",
        ".enabled",
        ".directions",
        ".tokens",
        ".iterations",
        ".critic.width",
        ".critic.depth",
        ".critic.steps",
        ".critic.lipschitz",
        ".critic.warmup",
    ];
    of_tables.iter().any(|costly| key.starts_with(costly))
        || key.starts_with("loss.") && of_losses.iter().any(|costly| key.ends_with(costly))
}

/// The faults of the spec, of its arms and of the values of its axes, where the grid has faults and
/// the cells are unknown.
fn mistakes_without_grid(stack: &Stack) -> Vec<Diagnostic> {
    let arms = stack.arms();
    let mut mistakes = mistakes_of_values(&stack.run(None, &[]));
    for arm in &arms {
        mistakes.extend(mistakes_of_values(&stack.run(Some(arm), &[])));
    }
    let axes = Grid::values_of_axes(stack, &mut mistakes);
    for (at, values) in axes.iter().enumerate() {
        for value in values.iter().take(MOST_SINGLE_VALUES) {
            let others = |(other, values): (usize, &Vec<SpecLayer>)| {
                if other == at { value } else { &values[0] }.clone()
            };
            let layers: Vec<SpecLayer> = axes.iter().enumerate().map(others).collect();
            mistakes.extend(mistakes_with_every_arm(stack, &arms, &layers));
        }
    }
    mistakes
}

/// The faults of single values that these layers of axes have with every arm: what they lack with
/// some, the others may have.
fn mistakes_with_every_arm(
    stack: &Stack,
    arms: &[String],
    layers: &[SpecLayer],
) -> Vec<Diagnostic> {
    let with = |arm: Option<&str>| mistakes_of_values(&stack.run(arm, layers));
    let Some((first, others)) = arms.split_first() else {
        return with(None);
    };
    let mut found = with(Some(first.as_str()));
    for arm in others {
        if !found.is_empty() {
            let here = with(Some(arm.as_str()));
            found.retain(|one| here.contains(one));
        }
    }
    found
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
            let layers = grid.layers_with_arm(&grid.cells[0], Some(&arm));
            let merged = stack.run(Some(&arm), &layers);
            mistakes.extend(mistakes_of_values(&merged));
        }
    }
    mistakes
}

/// A word on the arms that the grid leaves out by itself: one that is set from outside is meant.
fn arms_left_out(stack: &Stack, grid: &Grid) -> Option<String> {
    let axis = grid.axes.iter().find(|axis| axis.key == ARM);
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

    /// The study of what `[select]` tries, without its evaluation; none where there is nothing to
    /// choose.
    pub fn selection(&self) -> Option<Self> {
        let candidates = self.candidates.as_ref()?;
        Some(Self {
            stack: self.stack.clone(),
            grid: candidates.grid.clone(),
            candidates: None,
            awaits_choice: false,
            tried: Vec::new(),
            study: self.study.clone(),
            cells: self.tried.clone(),
            notices: Vec::new(),
        })
    }

    /// The same study with what was chosen for every arm.
    ///
    /// # Errors
    /// What only the chosen values show.
    pub fn with_choice(&self, choice: &Choice) -> Result<Self, Diagnostics> {
        let mut grid = self.grid.clone();
        if let Some(candidates) = &self.candidates {
            grid.choose(candidates, choice);
        }
        let mut mistakes = Vec::new();
        let mut notices = Vec::new();
        let all = grid.cells.len();
        let cells = read_cells(&self.stack, &grid, all, &mut mistakes, &mut notices);
        if !mistakes.is_empty() {
            return Err(Diagnostics(mistakes).sorted());
        }
        Ok(Self {
            stack: self.stack.clone(),
            grid,
            candidates: self.candidates.clone(),
            awaits_choice: false,
            tried: self.tried.clone(),
            study: self.study.clone(),
            cells,
            notices: self.notices.clone(),
        })
    }

    /// Whether some run takes something from the hub.
    pub fn uses_hub(&self) -> bool {
        self.cells.iter().any(|run| {
            run.dataset.is_of_hub()
                || run.tokenizer.is_of_hub()
                || run.teacher.is_of_hub()
                || run.evaluate.tasks.values().any(TaskSpec::is_of_hub)
        })
    }
}
