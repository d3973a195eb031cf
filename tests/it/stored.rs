//! A stored study and the spec at hand: what `report` and `verify` take for the same, and what not.

use crate::builder::{TINY, TestSite, differences};

#[test]
fn report_and_verify_take_the_spec_at_its_word() {
    let site = TestSite::tiny(&[]);
    let early = site.kdpipe("report study.toml").code(2);
    assert_eq!(
        early.error.trim_end(),
        "error: results/tiny holds no study yet: `kdpipe run study.toml` makes it"
    );
    site.kdpipe("run study.toml").code(0);
    let before = site.results();
    for command in ["report study.toml", "verify study.toml"] {
        // Another study than the one that is stored.
        let other = site
            .kdpipe(&format!("{command} --set train.steps=50 --set seed=3"))
            .code(2);
        assert!(
            other.error.contains(
                "the stored study is of another spec: grid.seed [0] → [3], train.steps 10 → 50; \
                 `kdpipe run study.toml` brings it up to date, and --as-stored shows what there is"
            ),
            "{}",
            other.error
        );
        site.kdpipe(&format!("{command} --set train.steps=50 --as-stored"))
            .code(0);
    }
    assert_eq!(differences(&before, &site.results()), Vec::<String>::new());
    // What the report says of the same runs holds at once, and verify sees that it was not said.
    let margin = "--set report.margin=0.5";
    site.kdpipe(&format!("verify study.toml {margin}")).code(1);
    site.kdpipe(&format!("report study.toml {margin}")).code(0);
    site.kdpipe(&format!("verify study.toml {margin}")).code(0);
    site.kdpipe("verify study.toml").code(1);
    site.kdpipe("report study.toml").code(0);
    // It stays told that the margin was another.
    assert_eq!(
        differences(&before, &site.results()),
        ["tiny/lock.toml", "tiny/report.md"]
    );
    // A page of one's own leaves the study's as it is.
    let before = site.results();
    site.write("own.j2", b"{{ study.name }}\n");
    site.kdpipe("report study.toml --template own.j2 -o own.md")
        .code(0);
    assert_eq!(
        std::fs::read_to_string(site.path("own.md")).unwrap(),
        "tiny\n"
    );
    assert_eq!(differences(&before, &site.results()), Vec::<String>::new());
}

#[test]
fn another_study_of_the_same_name_is_refused_with_both_files() {
    let site = TestSite::tiny(&[]);
    site.kdpipe("run study.toml --only arm=none").code(0);
    site.write(
        "other.toml",
        TINY.replace("steps = 10", "steps = 11").as_bytes(),
    );
    for command in ["run other.toml", "report other.toml", "verify other.toml"] {
        let refused = site.kdpipe(command).code(2);
        assert!(
            refused.error.contains(
                "results/tiny holds the study of study.toml, and other.toml has the same name; \
                 give one of them another pipeline.name, or another folder with --results"
            ),
            "{}",
            refused.error
        );
    }
    // A copy, and a file that was moved, are the same study.
    site.write("other.toml", TINY.as_bytes());
    site.kdpipe("report other.toml").code(0);
    site.write(
        "other.toml",
        TINY.replace("steps = 10", "steps = 11").as_bytes(),
    );
    std::fs::remove_file(site.path("study.toml")).unwrap();
    site.kdpipe("run other.toml --only arm=none").code(0);
}

#[test]
fn a_precision_that_comes_to_something_else_than_for_the_runs_of_a_folder_is_refused_there() {
    let spec = TINY.replace("seed = [0]\n", "");
    assert_ne!(spec, TINY);
    let site = TestSite::new(&spec);
    let run = "run study.toml --set train.precision=bf16-or-f32";
    let (with, without) = ([("KDPIPE_BF16", "emulate")], [("KDPIPE_BF16", "none")]);
    site.kdpipe_with(run, &with).code(0);
    let refused = site.kdpipe_with(run, &without);
    let words = "results/tiny are not those that this machine would train: train.precision = \
                 \"bf16-or-f32\" comes to something else here";
    assert!(refused.error.contains(words), "{}", refused.error);
    // Nor is another seed, which makes other runs, taken for that.
    site.kdpipe_with(&format!("{run} --set seed=1"), &with)
        .code(0);
    // What was set otherwise is a change.
    let plain = "run study.toml --set train.precision=f32 --set seed=1";
    site.kdpipe_with(plain, &without).code(0);
}
