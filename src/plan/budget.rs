//! Arms that may compute as much as another, whatever a step of theirs costs: the steps that
//! `train.budget` pays for.
//!
//! A training of S steps takes F(S) = F₀ + f·S operations: those of the student, of its
//! teacher's forward passes and of critics, by [`cost`](crate::cost). F₀ is what is computed
//! once, before the first step. A budget B pays for ⌊(B − F₀) / f⌋ steps, so that nothing
//! computes more than it.

use std::borrow::Cow;

use super::diagnostics::similar;
use super::estimate::estimate;
use super::facts::AskedInputs;
use super::findings::CellFindings;
use super::grid::Grid;
use super::read_run::read_run;
use super::resolve::{KnownFacts, Problem, resolve};
use super::run::Budget;
use super::spec_layers::{On, Stack};
use super::written::WrittenRun;

/// The key.
const KEY: &str = "train.budget";
/// More steps than any training may have.
const MOST_STEPS: f64 = 1e9;
/// What can be written.
const FORMS: &str = "write \"flops of ARM\" with the name of an arm, or a number of operations";

fn problem(message: String, hint: impl Into<String>) -> Problem {
    Problem {
        key: KEY.to_owned(),
        on: On::Value,
        message,
        hint: hint.into(),
    }
}

/// What is wrong with the budget of a cell, as far as that is known without its inputs.
pub fn budget_problem(
    run: &WrittenRun,
    stack: &Stack,
    grid: &Grid,
    cell: &[usize],
) -> Option<Problem> {
    let Budget::Words(words) = run.train.budget.as_ref()? else {
        return None;
    };
    let said = format!("{KEY} = \"{words}\"");
    let Some(arm) = run.train.budget.as_ref().and_then(Budget::arm) else {
        return Some(problem(format!("{said} is no budget"), FORMS));
    };
    let arms = stack.arms();
    if !arms.iter().any(|known| known == arm) {
        let near =
            similar(arm, arms.iter().map(String::as_str)).or(arms.first().map(String::as_str));
        let hint = near.map_or_else(
            || "add a table [arms.NAME], or write a number of operations".to_owned(),
            |near| format!("write \"flops of {near}\", or a number of operations"),
        );
        return Some(problem(format!("{said}: there is no arm \"{arm}\""), hint));
    }
    let reference = reference_run(stack, grid, cell, arm)?;
    let of_another = |budget: &Budget| budget.arm() != Some(arm);
    if reference.train.budget.as_ref().is_some_and(of_another) {
        let message = format!("{said}: the arm \"{arm}\" has a budget itself");
        let hint = "name the arm whose train.steps count, or write a number of operations";
        return Some(problem(message, hint));
    }
    None
}

/// The run that a cell would be with another arm; none where that arm has faults of its own, which
/// are told for themselves.
fn reference_run(stack: &Stack, grid: &Grid, cell: &[usize], arm: &str) -> Option<WrittenRun> {
    let merged = stack.run(Some(arm), &grid.layers_with_arm(cell, Some(arm)));
    read_run(&merged, "", &mut CellFindings::default())
}

/// The run of a cell with the steps that its budget pays for; as it is written where it has
/// none, or is the one that the budget names.
///
/// # Errors
/// A budget that pays for no step, or for more than any training may have.
pub fn within_budget<'a>(
    run: &'a WrittenRun,
    known: &KnownFacts,
    (stack, grid, cell): (&Stack, &Grid, &[usize]),
    asked: &mut AskedInputs,
) -> Result<Cow<'a, WrittenRun>, Problem> {
    let Some(budget) = &run.train.budget else {
        return Ok(Cow::Borrowed(run));
    };
    let arm = budget.arm();
    if arm.is_some() && arm == grid.arm(cell) {
        return Ok(Cow::Owned(paid(run, run.train.steps)));
    }
    let flops = match budget {
        Budget::Flops(flops) => *flops,
        Budget::Words(_) => {
            let Some(other) = arm.and_then(|arm| reference_run(stack, grid, cell, arm)) else {
                return Ok(Cow::Borrowed(run));
            };
            let facts = asked.facts_of(&other);
            flops_of(&other, &facts.known, other.train.steps)
        }
    };
    let (one, two) = (flops_of(run, known, 1), flops_of(run, known, 2));
    let of_step = two - one;
    // A whole number of steps is not lost to the last bit of a sum.
    let steps = ((flops - (one - of_step)) / of_step * (1.0 + 1e-12)).floor();
    if steps < 1.0 {
        return Err(problem(
            format!("{KEY}, {flops:.3e} operations, pays for no step: the first takes {one:.3e}"),
            "give more, or lower train.batch, train.accumulate or train.context",
        ));
    }
    if steps > MOST_STEPS {
        return Err(problem(
            format!("{KEY}, {flops:.3e} operations, pays for {steps:.0} steps"),
            format!("give less: a training has {MOST_STEPS:.0} steps at the most"),
        ));
    }
    Ok(Cow::Owned(paid(run, steps as u64)))
}

/// The run with the steps that its budget came to.
fn paid(run: &WrittenRun, steps: u64) -> WrittenRun {
    let mut run = run.clone();
    run.train.steps = steps;
    run.train.budget = None;
    run
}

/// Operations of a run's training if it had so many steps.
fn flops_of(run: &WrittenRun, known: &KnownFacts, steps: u64) -> f64 {
    let mut run = run.clone();
    run.train.steps = steps;
    estimate(&resolve(&run, known).spec, known).flops
}
