//! `kdpipe plan --power`: from a pilot to a number of seeds.

use serde_json::Value;

use crate::builder::TestSite;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_pilot_in_a_folder_of_its_own_gives_seeds_and_time() {
    let site = TestSite::tiny(&[("seed = [0]", "seed = [0, 1, 2, 3, 4]")]);
    let early = site.kdpipe("plan study.toml --power").code(2);
    assert!(
        early.error.contains(
            "results/tiny has no comparison with two finished seeds that differ, so how much \
             differences vary is not known; three seeds in a folder of their own tell: `kdpipe run \
             study.toml --set 'grid.seed=[100, 101, 102]' --results pilot`, then `kdpipe plan \
             study.toml --power --pilot pilot/tiny`; or give it with --sd"
        ),
        "{}",
        early.error
    );
    site.kdpipe("run study.toml --set grid.seed=[100,101,102] --results pilot")
        .code(0);
    let told = site
        .kdpipe("plan study.toml --power --pilot pilot/tiny")
        .code(0)
        .out;
    for part in [
        "tiny: seeds that detect a difference of 0.005 nats per token in 80 % of all studies that \
         have it",
        "α = 0.05 shared by 2 comparisons, 0.025 each; the spread is that of the seeds in \
         pilot/tiny",
        "mse against none",
        "wasserstein against none",
        "hours, of training alone, by the pilot's times: ",
        "Give grid.seed as many values before results are seen",
    ] {
        assert!(told.contains(part), "{told}");
    }
    let planned = json(
        &site
            .kdpipe("plan study.toml --power=0.9 --pilot pilot/tiny --effect 0.01 --json")
            .code(0)
            .out,
    );
    assert_eq!(planned["power"], 0.9);
    assert_eq!(planned["effect"], 0.01);
    assert_eq!(planned["margin"], 0.005);
    assert_eq!(planned["seeds_there"], 0);
    assert_eq!(planned["cost"]["is_measured"], true);
    let comparisons = planned["comparisons"].as_array().unwrap();
    assert_eq!(comparisons.len(), 2);
    for comparison in comparisons {
        assert_eq!(comparison["n"], 3);
        let (sd, upper) = (&comparison["sd"], &comparison["sd_upper"]);
        let factor = upper.as_f64().unwrap() / sd.as_f64().unwrap();
        assert!((factor - 2.117).abs() < 1e-3, "{factor}");
    }
    // Nothing was run, so nothing was stored.
    assert!(!site.path("results").exists());
}

#[test]
fn seeds_of_the_study_itself_are_its_pilot_and_count() {
    let site = TestSite::tiny(&[("seed = [0]", "seed = [0, 1, 2]")]);
    site.kdpipe("run study.toml --set grid.seed=[0,1]").code(0);
    let done = site.kdpipe("plan study.toml --power").code(0);
    assert!(
        done.out
            .contains("the spread is that of the seeds in results/tiny")
            && done.out.contains("2 seeds are there already")
            && done.out.contains("as added after a look"),
        "{}",
        done.out
    );
    let planned = json(&site.kdpipe("plan study.toml --power --json").code(0).out);
    assert_eq!(planned["comparisons"][0]["n"], 2);
    assert_eq!(planned["seeds_there"], 2);
    assert_eq!(planned["cost"]["teacher_seconds"], 0.0);
}

#[test]
fn a_spread_that_is_given_needs_no_pilot() {
    let site = TestSite::tiny(&[]);
    let planned = json(
        &site
            .kdpipe(
                "plan study.toml --power --sd 0.01 --effect 0.01 --json --set report.margin=0.01",
            )
            .code(0)
            .out,
    );
    // Two comparisons at 0.025 each: scipy's noncentral t, and its quadrature, say the same.
    for comparison in planned["comparisons"].as_array().unwrap() {
        assert_eq!(comparison["n"], Value::Null);
        assert_eq!(comparison["sd_upper"], Value::Null);
        assert_eq!(comparison["detect"]["by_sd"], 13);
        assert_eq!(comparison["equivalence"]["by_sd"], 13);
    }
    assert_eq!(planned["cost"]["is_measured"], false);
    let alone = "plan study.toml --power --sd 0.01 --set grid.arm=[\"none\"]";
    let refused = site.kdpipe(alone).code(2);
    assert!(
        refused.error.contains("compares nothing"),
        "{}",
        refused.error
    );
    for wrong in [
        "--power=1.5",
        "--power=0.2",
        "--power --sd 0",
        "--power --sd 1 --pilot p",
        "--sd 1",
        "--power --explain train.steps",
    ] {
        site.kdpipe(&format!("plan study.toml {wrong}")).code(2);
    }
    let folder = site
        .kdpipe("plan study.toml --power --pilot nowhere")
        .code(2);
    assert!(
        folder
            .error
            .contains("nowhere is no folder of a study: it has no lock.toml; give results/NAME"),
        "{}",
        folder.error
    );
}
