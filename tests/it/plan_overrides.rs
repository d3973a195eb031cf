//! What becomes of an axis, an arm or a key that is set from outside the files.

use crate::plan::{Folder, RICH};
use crate::plan_layers::{study, train};

#[test]
fn an_axis_that_is_set_from_outside_is_that_value_alone_with_a_notice() {
    let folder = study();
    let plan = folder.plan(&["seed=7"]);
    assert_eq!(
        plan.axes
            .iter()
            .find(|axis| axis.key == "seed")
            .map(|axis| axis.values.clone()),
        Some(vec!["7".to_owned()])
    );
    assert_eq!(plan.notices, ["the axis seed is \"7\" alone, set by --set"]);
    assert!(plan.runs.iter().all(|run| run.spec.seed == 7) && plan.cells.len() == 6);
    let both = folder
        .try_plan(
            "study.toml",
            &["match.strategy=last"],
            &[("KDPIPE_MATCH__STRATEGY", "first")],
        )
        .expect("a plan");
    assert_eq!(
        both.notices,
        ["the axis match.strategy is \"last\" alone, set by --set"]
    );
    let environment = folder
        .try_plan("study.toml", &[], &[("KDPIPE_MATCH__STRATEGY", "first")])
        .expect("a plan");
    assert_eq!(
        environment.notices,
        ["the axis match.strategy is \"first\" alone, set by the environment"]
    );
    let table = folder.plan(&["match={ strategy = \"last\" }"]);
    assert_eq!(table.cells.len(), 6);
}

#[test]
fn an_axis_of_tables_that_is_set_in_part_keeps_its_other_keys() {
    let folder = Folder::new(&format!(
        "{RICH}[grid]\ntrain = [{{ steps = 5, batch = 2 }}, {{ steps = 6, batch = 3 }}]\n"
    ));
    let plan = folder.plan(&["train.steps=9"]);
    let seen: Vec<_> = plan
        .runs
        .iter()
        .map(|run| (run.spec.train.steps, run.spec.train.batch))
        .collect();
    assert_eq!(seen, [(9, 2), (9, 3)]);
    assert_eq!(
        plan.notices,
        ["the axis train is set in part, by --set: { steps = 9 }"]
    );
}

#[test]
fn an_arm_that_is_set_from_outside_is_run_alone_and_is_its_own_baseline() {
    let folder = study();
    let plan = folder.plan(&["arm=mse"]);
    assert!(plan.cells.len() == 4 && plan.cells.iter().all(|cell| cell.at["arm"] == "mse"));
    assert_eq!(plan.report.baseline["arm"], "mse");
    assert_eq!(
        plan.notices,
        [
            "the axis arm is \"mse\" alone, set by --set",
            "report.baseline is arm=mse: the axis arm is that alone"
        ]
    );
    // The same runs as in the whole study.
    let whole = folder.plan(&[]);
    assert!(
        plan.runs
            .iter()
            .all(|run| whole.runs.iter().any(|other| other.id == run.id))
    );
    let without_axis = Folder::new(&format!("{RICH}[arms.a.train]\nsteps = 5\n"));
    assert_eq!(train(&without_axis.plan(&["arm=a"])).steps, 5);
    assert_eq!(train(&without_axis.plan(&[])).steps, 1000);
}

#[test]
fn the_baseline_can_be_set_from_outside_whatever_the_spec_names() {
    let folder = study();
    let baseline = |set: &[&str]| folder.plan(set).report.baseline["arm"].clone();
    assert_eq!(baseline(&[]), "none");
    assert_eq!(baseline(&["report.baseline.arm=mse"]), "mse");
    assert_eq!(baseline(&["report.baseline={ arm = \"mse\" }"]), "mse");
    // Where the grid has lost the spec's baseline, the one from outside is taken and the other is
    // no mistake.
    assert_eq!(
        baseline(&[
            "grid.arm=[\"mse\", \"wasserstein\"]",
            "report.baseline.arm=wasserstein"
        ]),
        "wasserstein"
    );
    assert_eq!(baseline(&["arm=mse", "report.baseline.arm=mse"]), "mse");
    let environment = folder
        .try_plan(
            "study.toml",
            &["arm=wasserstein"],
            &[("KDPIPE_REPORT__BASELINE__ARM", "wasserstein")],
        )
        .expect("a plan");
    assert_eq!(environment.report.baseline["arm"], "wasserstein");
    let collapsed = folder.plan(&["seed=5", "report.baseline.seed=5"]);
    assert_eq!(collapsed.report.baseline["seed"], "5");
    assert!(
        folder
            .refused(&["grid.arm=[\"mse\", \"wasserstein\"]"])
            .contains("report.baseline names \"none\"")
    );
    assert!(
        folder
            .refused(&["arm=mse", "report.baseline.arm=none"])
            .contains("report.baseline names \"none\"")
    );
}

#[test]
fn what_an_axis_has_lost_is_left_out_of_the_expectations_and_of_the_primary_contrast() {
    let folder = study();
    folder.write(
        "expecting.toml",
        "extends = \"study.toml\"\nreport.primary = { arm = \"wasserstein\" \
         }\n[expect]\nperplexity = [{ arm = \"none\", at_most = 60 }, { at_most = 90 }]\nbetter = \
         [{ arm = \"mse\", than = \"none\" }]\n",
    );
    let whole = folder.try_plan("expecting.toml", &[], &[]).expect("a plan");
    assert_eq!(
        (whole.expect.perplexity.len(), whole.expect.better.len()),
        (2, 1)
    );
    assert_eq!(
        whole.report.primary.as_ref().map(|at| at["arm"].values()),
        Some(&["wasserstein".to_owned()][..])
    );
    let alone = folder
        .try_plan("expecting.toml", &["arm=mse"], &[])
        .expect("a plan");
    assert_eq!(
        (
            alone.expect.perplexity.len(),
            alone.expect.better.len(),
            alone.report.primary
        ),
        (1, 0, None)
    );
    assert_eq!(alone.notices.len(), 5, "{:?}", alone.notices);
}

#[test]
fn a_key_that_only_some_cells_can_use_is_a_notice_and_one_that_none_can_use_an_error() {
    let folder = study();
    let some = folder.plan(&["loss.hidden.critic.width=8"]);
    assert_eq!(
        some.notices,
        [
            "loss.hidden.critic.width has no effect in 4 of 12 cells: loss.hidden.critic is no \
             key of kind = \"hidden.mse\""
        ]
    );
    assert!(
        folder
            .refused(&["arm=mse", "loss.hidden.critic.width=8"])
            .contains("loss.hidden.critic is no key of kind = \"hidden.mse\"")
    );
    assert_eq!(folder.plan(&["balance.batches=4"]).notices, [""; 0]);
    for set in ["match.strategy=last", "balance.batches=4"] {
        let told = folder.refused(&["arm=none", set]);
        assert!(told.contains("no hidden loss is enabled"), "{set}: {told}");
    }
}

#[test]
fn the_number_that_a_message_writes_instead_is_one_that_is_taken() {
    let folder = Folder::new(RICH);
    let hint = |set: &str| {
        let mistakes = folder.load("study.toml", &[set], &[]).err();
        let mistakes = mistakes.unwrap_or_else(|| panic!("{set} is taken"));
        assert_eq!(mistakes.0.len(), 1, "{set}: {mistakes:?}");
        mistakes.0[0].hint.clone().expect("a remedy")
    };
    for (key, written, expected) in [
        ("loss.lm.weight", ".5", "write 0.5"),
        ("loss.lm.weight", "5.", "write 5"),
        ("loss.lm.weight", "07", "write 7"),
        ("loss.lm.weight", "\"0.25\"", "write 0.25 without quotes"),
        ("train.eps", "1.e-9", "write 1e-9"),
        ("train.steps", "007", "write 7"),
        ("train.steps", "9.", "write 9"),
    ] {
        let told = hint(&format!("{key}={written}"));
        assert_eq!(told, expected, "{key}={written}");
        let instead = told.split(' ').nth(1).expect("a number");
        let taken = folder.load("study.toml", &[&format!("{key}={instead}")], &[]);
        assert!(taken.is_ok(), "{key}={instead}");
    }
    // What no spelling mends has a range.
    for (key, written) in [
        ("loss.lm.weight", "1e400"),
        ("loss.lm.weight", "-.5"),
        ("loss.lm.weight", "nan"),
        ("train.eps", ".0"),
        ("train.steps", "00"),
        ("train.steps", ".5"),
    ] {
        let told = hint(&format!("{key}={written}"));
        assert!(told.starts_with("write a "), "{key}={written}: {told}");
    }
}

#[test]
fn a_list_of_values_declares_several_primary_contrasts() {
    let folder = study();
    folder.write(
        "two.toml",
        "extends = \"study.toml\"\nreport.primary = { arm = [\"mse\", \"wasserstein\"] }\n",
    );
    let plan = folder.try_plan("two.toml", &[], &[]).expect("a plan");
    let arms = plan.report.primary.map(|at| at["arm"].values().to_vec());
    let both = vec!["mse".to_owned(), "wasserstein".to_owned()];
    assert_eq!(arms, Some(both));
    for (wrong, words) in [
        (
            "primary = { arm = [] }",
            "report.primary names no value of the axis arm",
        ),
        (
            "primary = { arm = [\"mse\", \"mes\"] }",
            "report.primary names \"mes\"",
        ),
        (
            "primary = { arm = [\"mse\", \"none\"] }",
            "report.primary names the baseline",
        ),
        (
            "baseline = { arm = [\"mse\", \"none\"] }",
            "several values of the axis arm",
        ),
    ] {
        folder.write(
            "wrong.toml",
            &format!("extends = \"study.toml\"\n[report]\n{wrong}\n"),
        );
        let refused = folder.try_plan("wrong.toml", &[], &[]);
        let refused = refused.expect_err(wrong).to_string();
        assert!(refused.contains(words), "{wrong}: {refused}");
    }
}

#[test]
fn a_primary_comparison_that_is_none_from_outside_is_left_out_with_a_notice() {
    let folder = study();
    folder.write(
        "own.toml",
        "extends = \"study.toml\"\nreport.primary = { match.strategy = \"last\" }\n",
    );
    let whole = folder.try_plan("own.toml", &[], &[]).expect("a plan");
    assert!(whole.report.primary.is_some());
    let alone = folder
        .try_plan("own.toml", &["match.strategy=last"], &[])
        .expect("a plan");
    assert!(alone.report.primary.is_none());
    let told = "report.primary is left out: report.primary names the baseline, which is compared \
                with nothing";
    assert!(
        alone.notices.iter().any(|one| one == told),
        "{:?}",
        alone.notices
    );
}
