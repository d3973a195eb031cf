//! The n-th change of the disk ends the process, panics or fails, in a whole study: text, token
//! cache, teacher, checkpoints, record, evaluation, report.
//!
//! `KDPIPE_TEST_FAULTS=all cargo test --test it faults -- --nocapture` tries every change, a number
//! so many of each kind; without it, some are tried.

use crate::builder::{Done, TestSite, differences, tiny};

/// Two arms, few steps: every kind of file is written, and no more.
fn study() -> String {
    tiny(&[
        ("steps = 12", "steps = 4"),
        (
            "evaluate_every = 6\ncheckpoint_every = 5",
            "evaluate_every = 2\ncheckpoint_every = 2",
        ),
        ("steps = 10", "steps = 4"),
        (
            "evaluate_every = 5\ncheckpoint_every = 3",
            "evaluate_every = 2\ncheckpoint_every = 2",
        ),
        (
            "[\"none\", \"mse\", \"wasserstein\"]",
            "[\"none\", \"wasserstein\"]",
        ),
        ("batches = 2", "batches = 1"),
    ])
}

/// How many faults are tried: `short` of them unless the environment asks for more.
fn number_of_faults(short: usize) -> usize {
    match std::env::var("KDPIPE_TEST_FAULTS") {
        Ok(text) if text == "all" => usize::MAX,
        Ok(text) => text.parse().expect("a number of faults, or `all`"),
        Err(_) => short,
    }
}

/// The study with a fault at one of its changes of the disk, and what was said.
fn run_with_fault(kind: &str, at: usize) -> (TestSite, Done) {
    let site = TestSite::in_memory(&study());
    let done = site.kdpipe_with(
        "run study.toml",
        &[("KDPIPE_FAULT", &format!("{kind}@{at}"))],
    );
    (site, done)
}

/// How often a study changes the disk.
fn disk_changes() -> usize {
    let ends = |at: usize| run_with_fault("exit", at).1.code == Some(137);
    let mut low = 1;
    while ends(2 * low) {
        low *= 2;
    }
    let mut high = 2 * low;
    while high - low > 1 {
        let middle = low.midpoint(high);
        if ends(middle) {
            low = middle
        } else {
            high = middle
        }
    }
    low
}

fn expected() -> Vec<(String, Vec<u8>)> {
    let whole = TestSite::in_memory(&study());
    whole.kdpipe("run study.toml").code(0);
    whole.results()
}

/// The changes of the disk that a test makes fail, from an offset that differs by kind so that
/// together they cover more.
fn faults_spread_over(changes: usize, short: usize, offset: usize) -> Vec<usize> {
    let step = changes.div_ceil(number_of_faults(short));
    (1 + offset % step..=changes).step_by(step).collect()
}

#[test]
fn a_study_that_ends_at_any_change_of_the_disk_is_gone_on_with_to_the_same_bytes() {
    let (expected, changes) = (expected(), disk_changes());
    assert!(changes > 300, "{changes}");
    let moments = faults_spread_over(changes, 12, 0);
    for &at in &moments {
        let (site, done) = run_with_fault("exit", at);
        assert_eq!(done.code, Some(137), "at {at}: {}", done.error);
        site.kdpipe("run study.toml").code(0);
        assert_eq!(
            differences(&expected, &site.results()),
            Vec::<String>::new(),
            "ended at {at}"
        );
    }
    println!("ended at {} of {changes} changes", moments.len());
}

#[test]
fn a_study_whose_disk_fails_says_why_and_goes_on_to_the_same_bytes_afterwards() {
    let (expected, changes) = (expected(), disk_changes());
    let kinds = [
        ("enospc", "the disk is full"),
        ("edquot", "your share of the disk is used up"),
        ("eio", "the disk reports an error"),
        ("erofs", "read-only file system"),
        ("emfile", "too many files are open"),
    ];
    let (mut strikes, mut stopped) = (0, 0);
    for (index, (kind, words)) in kinds.into_iter().enumerate() {
        for at in faults_spread_over(changes, 5, 17 * index) {
            let (site, done) = run_with_fault(kind, at);
            // What only tidies up may fail without a word; everything else says what failed.
            if done.code != Some(0) {
                assert!(matches!(done.code, Some(1 | 2)), "{kind} at {at}: {done:?}");
                assert!(done.error.contains(words), "{kind} at {at}: {}", done.error);
                stopped += 1;
            }
            site.kdpipe("run study.toml").code(0);
            assert_eq!(
                differences(&expected, &site.results()),
                Vec::<String>::new(),
                "{kind} at {at}"
            );
            strikes += 1;
        }
    }
    assert!(
        stopped * 2 > strikes,
        "{stopped} of {strikes} faults stopped something"
    );
    println!("{strikes} faults, of which {stopped} stopped a run");
}

#[test]
fn a_panic_costs_at_most_the_run_that_it_happened_in() {
    let (expected, changes) = (expected(), disk_changes());
    let (mut strikes, mut spared) = (0, 0);
    for at in faults_spread_over(changes, 8, 5) {
        let (site, done) = run_with_fault("panic", at);
        assert!(matches!(done.code, Some(0 | 1 | 101)), "at {at}: {done:?}");
        if done.error.contains("failed    ") {
            assert!(
                done.error.contains(
                    "a defect of kdpipe and not of your study (KDPIPE_FAULT asks for it)"
                ),
                "{}",
                done.error
            );
            spared += usize::from(done.error.contains("finished  "));
        }
        site.kdpipe("run study.toml").code(0);
        assert_eq!(
            differences(&expected, &site.results()),
            Vec::<String>::new(),
            "a panic at {at}"
        );
        strikes += 1;
    }
    assert!(spared > 0, "the other run never went on");
    println!("{strikes} panics; after {spared} the other run was finished");
}

#[test]
fn a_study_that_is_ended_again_while_it_recovers_ends_in_the_same_bytes() {
    let (expected, changes) = (expected(), disk_changes());
    let mut ends = 0;
    for round in 0..number_of_faults(3).min(60) {
        let site = TestSite::in_memory(&study());
        let mut at = 7 + 37 * round % changes;
        while site
            .kdpipe_with("run study.toml", &[("KDPIPE_FAULT", &format!("exit@{at}"))])
            .code
            == Some(137)
        {
            ends += 1;
            // Later ones come sooner and later in turn, so that they strike in the recovery, too.
            at = 3 + (at * 29 + 11 * ends) % (changes / 3) + 13 * (ends % 10);
            if ends % 12 == 0 {
                at = 2 * changes;
            }
        }
        site.kdpipe("run study.toml").code(0);
        assert_eq!(
            differences(&expected, &site.results()),
            Vec::<String>::new(),
            "round {round}"
        );
    }
    assert!(ends > 5, "{ends}");
    println!("ended {ends} times");
}
