//! `train.budget`: arms that compute as much as another.

use kdpipe::plan::Plan;

use crate::plan::{Folder, RICH};

/// A dear arm, a cheap one, and cheap ones with the operations of the dear one.
const STUDY: &str = r#"
[arms.wasserstein]
[arms.none.loss.hidden]
enabled = false
[arms.none-long]
loss.hidden.enabled = false
train.budget = "flops of wasserstein"
[arms.wasserstein-paid]
train.budget = "flops of wasserstein-paid"
[grid]
arm = ["wasserstein", "none", "none-long", "wasserstein-paid"]
seed = [0]
"#;

fn study() -> Folder {
    Folder::new(&format!("{RICH}{STUDY}"))
}

/// Steps and operations of an arm.
fn arm(plan: &Plan, name: &str) -> (u64, f64) {
    let cell = plan.cells.iter().find(|cell| cell.at["arm"] == name);
    let run = &plan.runs[cell.expect("a cell").run];
    (run.spec.train.steps, run.estimate.flops)
}

#[test]
fn an_arm_with_the_budget_of_another_takes_as_many_steps_as_it_pays_for_and_no_more() {
    let folder = study();
    let plan = folder.plan(&[]);
    let (steps, dear) = arm(&plan, "wasserstein");
    let (short, _) = arm(&plan, "none");
    let (long, spent) = arm(&plan, "none-long");
    assert_eq!(short, steps);
    assert!(long > steps, "{long}");
    // One step more would be too many; of each it is known what it takes.
    let with = |steps: u64| arm(&folder.plan(&[&format!("train.steps={steps}")]), "none").1;
    assert_eq!(with(long), spent);
    assert!(spent <= dear && with(long + 1) > dear, "{spent} {dear}");
}

#[test]
fn what_measures_the_balance_anew_is_paid_for_too() {
    let folder = Folder::new(&format!(
        "{RICH}every = 20\n{STUDY}{}",
        r#"
[arms.mse.loss.hidden]
kind = "hidden.mse"
[arms.mse-long]
loss.hidden.kind = "hidden.mse"
train.budget = "flops of wasserstein"
"#
    ));
    let arms = ["grid.arm=[\"wasserstein\", \"mse\", \"mse-long\"]"];
    let plan = folder.plan(&arms);
    let (_, dear) = arm(&plan, "wasserstein");
    let (long, spent) = arm(&plan, "mse-long");
    let with = |steps: u64| {
        let steps = format!("train.steps={steps}");
        arm(&folder.plan(&[arms[0], &steps]), "mse").1
    };
    assert_eq!(with(long), spent);
    assert!(spent <= dear && with(long + 1) > dear, "{spent} {dear}");
}

#[test]
fn steps_beside_or_over_a_budget_of_operations_are_never_used() {
    let folder = study();
    let words = "train.steps has no effect with train.budget = 1e15";
    let over = folder.refused(&["train.budget=1e15", "train.steps=2"]);
    assert!(over.contains(words), "{over}");
    // Below it they are what it replaces, and those of an arm that is named count.
    folder.plan(&["train.steps=2", "train.budget=1e15"]);
    let told = folder.plan(&["train.steps=2"]).notices;
    assert!(!told.concat().contains("train.steps"), "{told:?}");
    let paid = "[train]\nsteps = 50\n[arms.a]\n[arms.paid.train]\nbudget = 1e15\n[grid]\narm = \
                [\"a\", \"paid\"]\n";
    let folder = Folder::new(&format!("{RICH}{paid}"));
    assert_eq!(folder.plan(&[]).notices, [""; 0]);
    assert_eq!(
        folder.plan(&["train.steps=2"]).notices,
        [format!(
            "train.steps has no effect in 1 of 2 cells: {words}"
        )]
    );
}

#[test]
fn a_run_with_a_budget_is_the_run_with_its_steps() {
    let folder = study();
    let plan = folder.plan(&[]);
    let run = |plan: &Plan, name: &str| {
        let cell = plan.cells.iter().find(|cell| cell.at["arm"] == name);
        plan.runs[cell.expect("a cell").run].clone()
    };
    let paid = run(&plan, "none-long");
    let steps = paid.spec.train.steps;
    let written = run(&folder.plan(&[&format!("train.steps={steps}")]), "none");
    assert_eq!(paid.id, written.id);
    assert_eq!(paid.spec, written.spec);
    // The arm that a budget names takes the steps that it is given.
    assert_eq!(
        run(&plan, "wasserstein-paid").id,
        run(&plan, "wasserstein").id
    );
}

#[test]
fn a_budget_can_be_a_number_of_operations() {
    let folder = study();
    let (_, dear) = arm(&folder.plan(&[]), "wasserstein");
    let plan = folder.plan(&[&format!("train.budget={dear:e}")]);
    let long = arm(&plan, "none-long");
    assert_eq!(arm(&plan, "none"), long);
    assert_eq!(long, arm(&folder.plan(&[]), "none-long"));
    let refused = folder.try_plan("study.toml", &["train.budget=1.5"], &[]);
    let text = refused.expect_err("too little").render(false);
    assert!(text.contains("pays for no step"), "{text}");
}
