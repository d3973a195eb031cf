//! Words on what is allowed and seldom meant.

use crate::plan::{Folder, RICH};

#[test]
fn what_is_allowed_and_seldom_meant_gets_a_word() {
    let folder = Folder::new(RICH);
    assert_eq!(folder.plan(&[]).notices, [""; 0]);
    let told = |set: &[&str]| folder.plan(set).notices;
    assert_eq!(
        told(&["student.layers=7", "match.strategy=all-to-one"]),
        [
            "student.layers = 7 is more than the teacher's 6: the student is usually the smaller \
             one"
        ]
    );
    assert_eq!(
        told(&["train.context=1"]),
        [
            "train.context = 1: every window is a single token, so the model learns nothing of \
             what comes before it"
        ]
    );
    assert_eq!(
        told(&["loss.hidden.kind=hidden.cka", "train.batch=1"]),
        [
            "loss.hidden compares 128 tokens of 96 coordinates: CKA of so few is high whatever \
             the states are; a larger train.batch or train.context tells more"
        ]
    );
    assert_eq!(
        told(&["train.steps=100", "train.lr.warmup=500"]),
        [
            "train.lr.warmup = 500 steps and train.steps = 100: the rate never comes to its peak \
             of 0.001; a share such as \"5%\" goes along with the steps"
        ]
    );
    assert_eq!(told(&["train.steps=100", "train.lr.warmup=100"]), [""; 0]);
    assert_eq!(
        told(&["teacher.train.lr.peak=30"]),
        [
            "teacher.train.lr.peak = 30: AdamW moves every weight by up to that much in a step; \
             usual rates are 1e-5 to 1e-2"
        ]
    );
}

#[test]
fn an_end_that_no_step_of_a_schedule_sees_and_losses_that_count_nothing_get_a_word() {
    let folder = Folder::new(RICH);
    let told = |set: &[&str]| folder.plan(set).notices;
    let with = |schedule: &str| {
        let schedule = format!("loss.kl.temperature={{ {schedule} }}");
        told(&["train.steps=100", &schedule])
    };
    let over = |shape: &str, over: &str| {
        with(&format!(
            "shape = \"{shape}\", from = 4.0, to = 1.0, over = {over}"
        ))
    };
    let points = |points: &str| with(&format!("shape = \"piecewise\", points = {points}"));
    let words = |step: u64| {
        [format!(
            "loss.kl.temperature comes to 1 at step {step} and train.steps = 100: no step has it; \
             a share such as \"50%\" goes along with the steps"
        )]
    };
    assert_eq!(over("cosine", "500"), words(500));
    assert_eq!(over("step", "100"), words(100));
    assert_eq!(points("[[0, 4.0], [500, 1.0]]"), words(500));
    assert_eq!(over("linear", "100"), [""; 0]);
    assert_eq!(over("linear", "\"100%\""), [""; 0]);
    assert_eq!(over("step", "99"), [""; 0]);
    assert_eq!(points("[[0, 4.0], [50, 1.0], [500, 1.0]]"), [""; 0]);
    let nothing = ["lm", "kl", "hidden"].map(|name| format!("loss.{name}.weight=0"));
    let nothing = nothing.each_ref().map(String::as_str);
    assert_eq!(
        told(&nothing),
        ["the weight of every loss is 0 at every step: the student learns nothing"]
    );
    assert_eq!(told(&nothing[1..]), [""; 0]);
}

#[test]
fn a_word_on_some_runs_of_a_grid_says_how_many() {
    let folder = Folder::new(&format!("{RICH}[grid]\nstudent.width = [96, 192, 288]\n"));
    let notices = folder.plan(&[]).notices;
    assert_eq!(
        notices,
        [
            "student.width = 192 is more than the teacher's 96: the student is usually the \
             smaller one (in 1 of 3 runs)",
            "student.width = 288 is more than the teacher's 96: the student is usually the \
             smaller one (in 1 of 3 runs)"
        ]
    );
}

#[test]
fn arms_that_are_the_same_runs_are_named() {
    let arms = "[arms.a]\n[arms.b.train]\nsteps = 7\n[arms.c.train]\nsteps = 7\n";
    let grid = "[grid]\narm = [\"a\", \"b\", \"c\"]\nseed = [0, 1]\n";
    let folder = Folder::new(&format!("{RICH}{arms}{grid}"));
    assert_eq!(
        folder.plan(&[]).notices,
        [
            "arms b and c are the same runs: nothing that is set in one of them alone has an \
             effect"
        ]
    );
    assert_eq!(folder.plan(&["arms.c.train.steps=9"]).notices, [""; 0]);
}

#[test]
fn an_arm_that_the_grid_leaves_out_is_named() {
    let arms = "[arms.a]\n[arms.b.train]\nsteps = 7\n[arms.c.train]\nsteps = 9\n";
    let folder = Folder::new(&format!("{RICH}{arms}[grid]\narm = [\"a\", \"b\"]\n"));
    assert_eq!(
        folder.plan(&[]).notices,
        ["c is defined and not run: no cell of the grid has it (grid.arm)"]
    );
    // An arm that is chosen from outside leaves the others out on purpose.
    assert_eq!(
        folder.plan(&["arm=a"]).notices,
        ["the axis arm is \"a\" alone, set by --set"]
    );
    let none = Folder::new(&format!("{RICH}{arms}"));
    assert_eq!(
        none.plan(&[]).notices,
        ["a, b and c are defined and not run: no cell of the grid has them (grid.arm)"]
    );
}
