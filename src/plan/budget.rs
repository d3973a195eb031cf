//! Arms that may compute as much as another, whatever a step of theirs costs: the steps that
//! `train.budget` pays for.
//!
//! A training of S steps takes F(S) operations: those of the student, of its teacher's forward
//! passes and of critics, by [`cost`](crate::cost). A budget B pays for the most steps with
//! F(S) ≤ B, so that nothing computes more than it. F is F₀ + f·S, with F₀ for what is
//! computed once, before the first step, and a jump more wherever `balance.every` measures anew.

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
/// A whole number of steps is not lost to the last bit of a sum.
const SLACK: f64 = 1.0 + 1e-12;
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
    let one = flops_of(run, known, 1);
    let of_step = flops_of(run, known, 2) - one;
    let steps = (flops * SLACK - (one - of_step)) / of_step;
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
    // Without a balance that is measured anew these are the steps themselves.
    let pays = |steps: u64| flops_of(run, known, steps) <= flops * SLACK;
    Ok(Cow::Owned(paid(run, last_that(pays, steps as u64))))
}

/// The last of the steps 1 … `most` that a budget pays for; it pays for the first of them, and
/// for all before one that it pays for.
fn last_that(pays: impl Fn(u64) -> bool, most: u64) -> u64 {
    if pays(most) {
        return most;
    }
    let (mut paid, mut unpaid) = (1, most);
    while unpaid - paid > 1 {
        let middle = paid + (unpaid - paid) / 2;
        if pays(middle) {
            paid = middle;
        } else {
            unpaid = middle;
        }
    }
    paid
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
