//! Tests of `settings.rs`: which changes of a spec are changes of a study.

use std::path::Path;

use super::super::planned::Overrides;
use super::*;
use crate::plan::load;

const SPEC: &str = r#"
[dataset]
source = "text"
train = ["a.txt"]
validation = ["b.txt"]
test = ["c.txt"]
[teacher]
source = "dir"
path = "teacher"
[loss.lm]
kind = "lm"
[loss.hidden]
kind = "hidden.mse"
weight = 0.5
[arms.none.loss.hidden]
enabled = false
[arms.mse]
[grid]
arm = ["none", "mse"]
seed = [0, 1]
[train]
steps = 5
"#;

/// The spec with some of its text replaced.
fn loaded(changes: &[(&str, &str)]) -> Loaded {
    let mut text = SPEC.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.toml");
    std::fs::write(&path, text).unwrap();
    load(
        &path,
        &Overrides {
            working_folder: Path::new(".").to_owned(),
            ..Overrides::default()
        },
    )
    .unwrap_or_else(|mistakes| panic!("{}", mistakes.render(false)))
}

/// What differs after a change, in words, paths apart.
fn told(changes: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let stored = loaded(&[]);
    let now = loaded(changes);
    let (paths, others): (Vec<_>, Vec<_>) = now
        .changes_since(&stored.settings())
        .into_iter()
        .partition(|change| change.is_path);
    let mut words = now.axes_since(&stored.axes(), &stored.select_axes());
    words.extend(others.iter().map(ToString::to_string));
    (words, paths.iter().map(ToString::to_string).collect())
}

#[test]
fn what_a_study_does_is_told_key_by_key_for_all_arms_or_for_one() {
    let none: Vec<String> = Vec::new();
    for (changes, words) in [
        (vec![], vec![]),
        (
            vec![("steps = 5", "steps = 50")],
            vec!["train.steps 5 → 50"],
        ),
        // How often the validation split is looked at follows from the steps.
        (
            vec![("steps = 5", "steps = 5\nevaluate_every = 2")],
            vec!["train.evaluate_every 1 → 2"],
        ),
        (
            vec![("weight = 0.5", "weight = 0.7")],
            vec!["loss.hidden.weight 0.5 → 0.7 in the arm mse"],
        ),
        (
            vec![("[arms.mse]", "[arms.mse.train]\nbatch = 3")],
            vec!["train.batch 8 → 3 in the arm mse"],
        ),
        (
            vec![("seed = [0, 1]", "seed = [0, 1, 2]")],
            vec!["grid.seed [0, 1] → [0, 1, 2]"],
        ),
        (
            vec![("seed = [0, 1]", "")],
            vec!["grid.seed [0, 1] → (absent)"],
        ),
        (
            vec![("[train]", "[evaluate]\nstride = 9\n[train]")],
            vec!["evaluate.stride 128 → 9"],
        ),
    ] {
        let (found, paths) = told(&changes);
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!((found, paths), (words, none.clone()), "{changes:?}");
    }
}

#[test]
fn words_of_the_report_and_the_order_of_keys_are_no_change() {
    let said = "[report]\nmargin = 0.5\n[pipeline]\ndescription = \"?\"\n[train]";
    for changes in [
        vec![("[train]", said)],
        vec![("steps = 5", "clip = 1.0\nsteps = 5")],
        // What is written beside the results is none of them.
        vec![("steps = 5", "tensorboard = true\nsteps = 5")],
        // Of a loss that is off in every arm nothing counts.
        vec![(
            "[arms.none.loss.hidden]\nenabled = false",
            "[arms.none.loss]\nhidden = { enabled = false, weight = 9.0 }",
        )],
    ] {
        assert_eq!(told(&changes), (vec![], vec![]), "{changes:?}");
    }
}

#[test]
fn a_path_that_is_written_otherwise_may_hold_the_same() {
    let (words, paths) = told(&[
        ("\"a.txt\"", "\"d/a.txt\""),
        ("path = \"teacher\"", "path = \"t\""),
    ]);
    assert_eq!(words, Vec::<String>::new());
    assert_eq!(
        paths,
        [
            "dataset.train [\"a.txt\"] → [\"d/a.txt\"]",
            "teacher.path \"teacher\" → \"t\""
        ]
    );
}

#[test]
fn a_key_that_the_build_which_stored_a_study_did_not_know_is_no_change_at_its_default() {
    let mut stored = loaded(&[]).settings();
    assert!(stored.shared.remove("train.clip").is_some());
    assert_eq!(loaded(&[]).changes_since(&stored), vec![]);
    let now = loaded(&[("steps = 5", "steps = 5\nclip = 2.0")]);
    let changes: Vec<String> = now
        .changes_since(&stored)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(changes, ["train.clip (absent) → 2.0"]);
}
