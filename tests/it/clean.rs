//! `kdpipe clean` and `kdpipe cache`: what is left over is shown, and removed when that is asked.

use serde_json::Value;

use crate::builder::TestSite;

#[test]
fn a_grid_that_became_smaller_leaves_runs_over() {
    let site = TestSite::tiny(&[("seed = [0]", "seed = [0, 1]")]);
    site.kdpipe("run study.toml").code(0);
    let nothing = site.kdpipe("clean study.toml").code(0).out;
    assert_eq!(nothing, "results/tiny: nothing is left over\n");
    let smaller = "clean study.toml --set grid.seed=[0]";
    let shown = site.kdpipe(smaller).code(0).out;
    assert_eq!(
        shown.matches("a run that the spec does not name").count(),
        3,
        "{shown}"
    );
    assert!(
        shown.contains("; nothing was removed: --remove does it"),
        "{shown}"
    );
    let json: Value =
        serde_json::from_str(&site.kdpipe(&format!("{smaller} --json")).code(0).out).expect("JSON");
    assert_eq!(json["found"].as_array().map(Vec::len), Some(3));
    assert_eq!(json["removed"], false);
    let removed = site.kdpipe(&format!("{smaller} --remove")).code(0).out;
    assert!(
        removed.contains("3 items, ") && removed.ends_with(" removed\n"),
        "{removed}"
    );
    // What is left is a whole study of the smaller grid.
    let again = site.kdpipe("run study.toml --set grid.seed=[0]").code(0);
    assert!(again.out.contains("3 of 3 runs finished"), "{}", again.out);
    site.kdpipe("verify study.toml --set grid.seed=[0]").code(0);
}

#[test]
fn what_the_study_has_stays_where_ids_come_out_otherwise() {
    let site = TestSite::tiny(&[]);
    let precision = "--set train.precision=bf16-or-f32";
    site.kdpipe_with(
        &format!("run study.toml {precision}"),
        &[("KDPIPE_BF16", "emulate")],
    )
    .code(0);
    // A machine without bfloat16 would train in f32, which makes other runs.
    let clean = format!("clean study.toml --remove {precision}");
    let other = [("KDPIPE_BF16", "none")];
    let nothing = site.kdpipe_with(&clean, &other).code(0).out;
    assert_eq!(nothing, "results/tiny: nothing is left over\n");
    // Of a grid that became smaller it is what both have.
    let smaller = format!("{clean} --set grid.arm=[\"none\",\"mse\"]");
    let removed = site.kdpipe_with(&smaller, &other).code(0).out;
    assert_eq!(
        removed.matches("a run that the spec does not name").count(),
        1,
        "{removed}"
    );
    // Which runs a spec has that sets something otherwise, a run finds out.
    let shown = site.kdpipe("clean study.toml").code(0);
    assert!(
        shown
            .error
            .contains("the spec is another now: train.precision")
            && shown.out.contains("a run that the spec does not name"),
        "{}{}",
        shown.error,
        shown.out
    );
    let refused = site.kdpipe("clean study.toml --remove").code(2);
    assert!(
        refused.error.contains("the stored runs were set otherwise"),
        "{}",
        refused.error
    );
    let text = std::fs::read_to_string(site.path("study.toml")).expect("the spec");
    std::fs::write(site.path("other.toml"), format!("{text}# another\n")).expect("a file");
    let refused = site.kdpipe("clean other.toml --remove").code(2);
    assert!(
        refused.error.contains("holds the study of"),
        "{}",
        refused.error
    );
}

#[test]
fn the_cache_is_listed_and_emptied_on_demand_alone() {
    let site = TestSite::tiny(&[]);
    site.kdpipe("run study.toml").code(0);
    let listed = site.kdpipe("cache").code(0).out;
    assert!(
        listed.contains("corpus    used today      corpora/"),
        "{listed}"
    );
    assert!(
        listed.contains("teacher   used today      teachers/runs/"),
        "{listed}"
    );
    assert!(listed.contains(": 2 items, "), "{listed}");
    let unused = site.kdpipe("cache --unused-for 3 --remove").code(0).out;
    assert!(unused.contains(": 0 items, 0 KB removed"), "{unused}");
    let refused = site.kdpipe("cache --remove").code(2);
    assert!(refused.error.contains("--unused-for"), "{}", refused.error);
    site.kdpipe("cache --unused-for 0 --remove").code(0);
    let json: Value = serde_json::from_str(&site.kdpipe("cache --json").code(0).out).expect("JSON");
    assert_eq!(json["entries"], Value::Array(Vec::new()));
}
