//! What was changed after results were seen stands in the study, and what was not does not.

use std::fs;

use crate::builder::{TestSite, differences};

/// Words of the notice, and of the file.
const NOTICE: &str = "the study is changed after results were seen";
const LOOK: &str = "[[looks]]";

fn lock(site: &TestSite) -> String {
    fs::read_to_string(site.path("results/tiny/lock.toml")).unwrap()
}

fn report(site: &TestSite) -> String {
    fs::read_to_string(site.path("results/tiny/report.md")).unwrap()
}

#[test]
fn seeds_that_are_added_after_results_were_seen_stand_in_the_study_for_ever() {
    let (two, three) = ("--set grid.seed=[0,1]", "--set grid.seed=[0,1,2]");
    let whole = TestSite::tiny(&[]);
    whole.kdpipe(&format!("run study.toml {three}")).code(0);
    assert!(!lock(&whole).contains(LOOK) && !report(&whole).contains("results were seen"));

    let site = TestSite::tiny(&[]);
    let first = site.kdpipe(&format!("run study.toml {two}")).code(0);
    assert!(!first.error.contains(NOTICE) && !lock(&site).contains(LOOK));
    site.kdpipe(&format!("report study.toml {two}")).code(0);
    let added = site.kdpipe(&format!("run study.toml {three}")).code(0);
    assert!(
        added.error.contains(&format!(
            "{NOTICE} (6 of its runs were evaluated, or had diverged)"
        )),
        "{}",
        added.error
    );
    let after = lock(&site);
    assert!(
        after.matches(LOOK).count() == 1 && after.contains("seeds = [\"0\", \"1\"]\nfinished = 6"),
        "{after}"
    );
    let page = report(&site);
    assert!(
        page.contains(
            "> **Seeds were added after results were seen: first 2 seeds (0, 1), then 3 seeds (0, \
             1, 2)."
        ),
        "{page}"
    );
    site.kdpipe(&format!("verify study.toml {three}")).code(0);
    // Nothing else is another.
    assert_eq!(
        differences(&whole.results(), &site.results()),
        ["tiny/lock.toml", "tiny/report.md"]
    );
    // It is told once, and lasts.
    for again in ["run", "run --relock", "report"] {
        let (command, flag) = again.split_once(' ').unwrap_or((again, ""));
        let done = site
            .kdpipe(&format!("{command} study.toml {three} {flag}"))
            .code(0);
        assert!(!done.error.contains(NOTICE), "{}", done.error);
        assert!(lock(&site) == after && report(&site) == page, "{again}");
    }
    a_damaged_study_keeps_its_looks(&site, &after, three);
}

fn a_damaged_study_keeps_its_looks(site: &TestSite, whole: &str, set: &str) {
    let path = site.path("results/tiny/lock.toml");
    fs::write(&path, whole.replacen("format = 1", "format 1", 1)).unwrap();
    site.kdpipe(&format!("run study.toml {set}")).code(0);
    assert_eq!(lock(site), whole);
    site.kdpipe(&format!("verify study.toml {set}")).code(0);
}

#[test]
fn what_judges_the_results_is_not_changed_in_silence() {
    let site = TestSite::tiny(&[]);
    site.kdpipe("run study.toml").code(0);
    let before = site.results();
    let margin = "--set report.margin=0.5";
    let words = "> **δ was changed from 0.005 to 0.5 after results were seen.**";
    // A page elsewhere says it, and leaves the study as it is.
    site.kdpipe(&format!("report study.toml {margin} -o page.md"))
        .code(0);
    assert!(
        fs::read_to_string(site.path("page.md"))
            .unwrap()
            .contains(words)
    );
    assert_eq!(differences(&before, &site.results()), Vec::<String>::new());
    for (command, is_new) in [("report", true), ("report", false), ("run", false)] {
        let done = site
            .kdpipe(&format!("{command} study.toml {margin}"))
            .code(0);
        assert_eq!(done.error.contains(NOTICE), is_new, "{}", done.error);
        assert_eq!(lock(&site).matches(LOOK).count(), 1);
        assert!(report(&site).contains(words));
        site.kdpipe(&format!("verify study.toml {margin}")).code(0);
    }
    // Back again is another change.
    site.kdpipe("run study.toml").code(0);
    assert_eq!(lock(&site).matches(LOOK).count(), 2);
    assert!(
        report(&site)
            .contains("δ was changed after results were seen: 0.005, then 0.5, then 0.005.")
    );
    site.kdpipe("verify study.toml").code(0);
    // A comparison that is declared now was not declared beforehand.
    let primary = "--set report.primary={arm=\"mse\"}";
    site.kdpipe(&format!("report study.toml {primary}")).code(0);
    let page = report(&site);
    assert!(
        page.contains("Primary comparison, declared after results were seen: ")
            && !page.contains("declared beforehand"),
        "{page}"
    );
    site.kdpipe(&format!("verify study.toml {primary}")).code(0);
}

#[test]
fn runs_that_were_set_anew_after_results_were_seen_are_told() {
    let site = TestSite::tiny(&[]);
    let primary = "--set report.primary={arm=\"mse\"}";
    site.kdpipe(&format!("run study.toml {primary}")).code(0);
    assert!(report(&site).contains("Primary comparison, declared beforehand: "));
    let slower = format!("{primary} --set train.lr.peak=1e-4");
    let done = site.kdpipe(&format!("run study.toml {slower}")).code(0);
    assert!(done.error.contains(NOTICE), "{}", done.error);
    let after = lock(&site);
    assert!(
        after.contains("[looks.settings]\n\"train.lr.peak\" = \"0.001\"\n"),
        "{after}"
    );
    let page = report(&site);
    for words in [
        "> **What is set for the runs was changed after results were seen: \
         train.lr.peak (0.001, then 0.0001). ",
        "Primary comparison, declared beforehand, of runs that were set anew after results were \
         seen: ",
    ] {
        assert!(page.contains(words), "{page}");
    }
    site.kdpipe(&format!("verify study.toml {slower}")).code(0);
    // What one arm is set to, and how runs are measured, has its own line each.
    let tuned = format!("{slower} --set arms.mse.loss.hidden.weight=0.25 --set evaluate.stride=4");
    site.kdpipe(&format!("run study.toml {tuned}")).code(0);
    let page = report(&site);
    let told = [
        "arms.mse.loss.hidden.weight (0.5, then 0.25)",
        "evaluate.stride (16, then 4)",
    ];
    assert!(told.iter().all(|words| page.contains(words)), "{page}");
    assert!(page.contains("What is set anew by what runs reached on a test text is chosen by it."));
    // Told once; what changes no run is no look.
    let again = format!("run study.toml {tuned} --set train.tensorboard=true");
    let done = site.kdpipe(&again).code(0);
    assert!(!done.error.contains(NOTICE), "{}", done.error);
    assert_eq!(lock(&site).matches(LOOK).count(), 2);
    // Nor do seeds that none of the others had hide it.
    let fresh = format!("{tuned} --set grid.seed=[7] --set train.lr.peak=2e-4");
    site.kdpipe(&format!("run study.toml {fresh}")).code(0);
    let page = report(&site);
    let told = [
        "Seeds were changed",
        "train.lr.peak (0.001, then 0.0001, then 0.0002)",
    ];
    assert!(told.iter().all(|words| page.contains(words)), "{page}");
}

#[test]
fn a_study_that_was_stopped_and_gone_on_with_was_not_changed() {
    let site = TestSite::tiny(&[]);
    // Before there is anything to compare, everything may still be another.
    site.kdpipe("run study.toml --only arm=none --set report.margin=0.1")
        .code(0);
    site.kdpipe("run study.toml --only arm=none").code(0);
    site.kdpipe("run study.toml --only arm=mse").code(0);
    let killed = site.kdpipe_with("run study.toml", &[("KDPIPE_FAULT", "exit@20")]);
    assert_ne!(killed.code, Some(0));
    site.kdpipe("run study.toml").code(0);
    // Nor are another template, or other words, another question.
    site.kdpipe("report study.toml --set pipeline.description='Which'")
        .code(0);
    site.kdpipe("run study.toml").code(0);
    assert!(!lock(&site).contains(LOOK), "{}", lock(&site));
    let whole = TestSite::tiny(&[]);
    whole.kdpipe("run study.toml").code(0);
    assert_eq!(
        differences(&whole.results(), &site.results()),
        Vec::<String>::new()
    );
    site.kdpipe("verify study.toml").code(0);
}

#[test]
fn what_was_exchanged_under_its_name_or_taken_out_and_added_again_is_told() {
    let site = TestSite::tiny(&[]);
    let items = |bad: &str| {
        let pair = |n: usize| {
            format!("{{\"sentence_good\": \"the dog {n}\", \"sentence_bad\": \"the {bad} {n}\"}}\n")
        };
        site.write(
            "items.jsonl",
            (0..4).map(pair).collect::<String>().as_bytes(),
        );
    };
    let told = |words: &str, is_told: bool| {
        let page = report(&site);
        assert_eq!(page.contains(words), is_told, "{words}: {page}");
    };
    let run = |set: &str| {
        let task = r#"--set evaluate.tasks.own={kind="pairs",files=["items.jsonl"]}"#;
        let command = format!("{{}} study.toml {task} {set}");
        site.kdpipe(&command.replace("{}", "run")).code(0);
        site.kdpipe(&command.replace("{}", "verify")).code(0);
    };
    items("cat");
    run("");
    items("cow");
    run("");
    told("after results were seen: evaluate.tasks.own (", true);
    told("The runs are the same, measured on something else.", true);
    // As it was before: nothing is told of the arm itself.
    run("--set grid.arm=[\"none\",\"mse\"]");
    run("");
    told("wasserstein.loss", false);
    run("--set grid.arm=[\"none\",\"mse\"]");
    run("--set arms.wasserstein.loss.hidden.critic.steps=2");
    told(
        "arms.wasserstein.loss.hidden.critic.steps (1, then 2)",
        true,
    );
    assert_eq!(lock(&site).matches(LOOK).count(), 5, "{}", lock(&site));
}

#[test]
fn a_lock_that_was_removed_or_garbled_leaves_a_declaration_without_a_date() {
    let site = TestSite::tiny(&[]);
    let primary = "--set report.primary={arm=\"mse\"}";
    site.kdpipe(&format!("run study.toml {primary}")).code(0);
    let path = site.path("results/tiny/lock.toml");
    let whole = lock(&site);
    let unknown = "Primary comparison, declared at a time that is not known: ";
    for damage in [None, Some(whole.replacen("format = 1", "format 1", 1))] {
        match damage {
            None => fs::remove_file(&path).unwrap(),
            Some(text) => fs::write(&path, text).unwrap(),
        }
        site.kdpipe(&format!("run study.toml {primary}")).code(0);
        assert!(report(&site).contains(unknown), "{}", report(&site));
        site.kdpipe(&format!("verify study.toml {primary}")).code(0);
        fs::write(&path, &whole).unwrap();
    }
    site.kdpipe(&format!("run study.toml {primary}")).code(0);
    assert!(!report(&site).contains(unknown));
}
