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
