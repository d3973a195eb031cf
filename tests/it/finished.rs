//! What is said of a study of which a part was asked for, and of one that is finished.

use crate::builder::{TINY, TestSite};

#[test]
fn nothing_is_expected_of_runs_that_were_not_asked_for_and_are_not_there() {
    let expect = "[expect]\nperplexity = [{ at_most = 1e6 }]\nbetter = [{ arm = \"mse\", than = \
                  \"none\" }]\n";
    let site = TestSite::new(&format!("{TINY}\n{expect}"));
    let part = site.kdpipe("run study.toml --only arm=none").code(0).error;
    assert!(!part.contains("expectation missed"), "{part}");
    // What is there counts, whoever asked for it.
    let more = "run study.toml --only arm=mse --set expect.perplexity=[{at_most=1.5}]";
    let missed = site.kdpipe(more).code(1).error;
    assert_eq!(missed.matches("more than 1.5").count(), 2, "{missed}");
    assert!(!missed.contains("has no perplexity"), "{missed}");
}

#[test]
fn of_a_finished_study_nothing_is_left_to_do_which_takes_no_time() {
    let site = TestSite::tiny(&[("[\"none\", \"mse\", \"wasserstein\"]", "[\"none\"]")]);
    site.kdpipe("run study.toml").code(0);
    let plan = site.kdpipe("plan study.toml").code(0).out;
    assert!(plan.contains("\nleft to do: 0 runs\n"), "{plan}");
}
