//! Several processes at one results folder: at the same moment, one that stands still, one that
//! died.
//!
//! `KDPIPE_TEST_PAIRS=100 cargo test --test it processes` lets many pairs meet.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::builder::{TestSite, differences, tiny};

/// Steps enough that something can be done to the process under way.
fn long() -> String {
    tiny(&[
        ("steps = 10", "steps = 300"),
        ("[\"none\", \"mse\", \"wasserstein\"]", "[\"mse\"]"),
        ("baseline = { arm = \"none\" }", ""),
    ])
}

fn start(site: &TestSite, log: &str) -> Child {
    let log = std::fs::File::create(site.path(log)).unwrap();
    site.command("run study.toml")
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

fn said(site: &TestSite, log: &str) -> String {
    std::fs::read_to_string(site.path(log)).unwrap_or_default()
}

fn wait_for(site: &TestSite, log: &str, words: &str) {
    let started = Instant::now();
    while !said(site, log).contains(words) {
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "{}",
            said(site, log)
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn signal(process: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{signal}"), &process.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn processes_that_start_in_the_same_second_share_the_runs_and_end_in_the_same_bytes() {
    let rounds: usize = std::env::var("KDPIPE_TEST_PAIRS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3);
    // A context of its own for each run makes three groups, so that there is something to share.
    let spec = tiny(&[
        ("seed = [0]", "seed = [0, 1, 2]"),
        ("[\"none\", \"mse\", \"wasserstein\"]", "[\"mse\"]"),
        ("baseline = { arm = \"none\" }", ""),
    ]);
    let whole = TestSite::in_memory(&spec);
    whole.kdpipe("run study.toml").code(0);
    let (expected, mut shared) = (whole.results(), 0);
    for round in 0..rounds {
        let site = TestSite::in_memory(&spec);
        let logs = ["a", "b", "c"];
        let processes: Vec<Child> = logs[..2 + round % 2]
            .iter()
            .map(|log| start(&site, log))
            .collect();
        let codes: Vec<Option<i32>> = processes
            .into_iter()
            .map(|mut process| process.wait().unwrap().code())
            .collect();
        let said = logs.map(|log| said(&site, log));
        // One that could not have a run since another had it says so, and ends with 1.
        assert!(
            codes.iter().all(|code| matches!(code, Some(0 | 1))),
            "{codes:?}\n{}",
            said.join("\n")
        );
        assert!(
            said.iter().all(|text| !text.contains("failed")),
            "{}",
            said.join("\n")
        );
        shared += usize::from(
            said.iter()
                .filter(|text| text.contains("finished  "))
                .count()
                > 1,
        );
        assert_eq!(
            differences(&expected, &site.results()),
            Vec::<String>::new(),
            "round {round}: {codes:?}\n{}",
            said.join("\n")
        );
    }
    println!("{rounds} rounds, the runs were shared in {shared}");
}

#[test]
fn a_process_that_stood_still_while_another_finished_its_run_changes_nothing() {
    let whole = TestSite::in_memory(&long());
    whole.kdpipe("run study.toml").code(0);
    let site = TestSite::in_memory(&long());
    let mut asleep = start(&site, "asleep");
    wait_for(&site, "asleep", "training arm=mse");
    std::thread::sleep(Duration::from_millis(60));
    signal(&asleep, "STOP");
    // It lives, so its run is left to it.
    let held = site.kdpipe("run study.toml").code(1);
    assert!(held.error.contains("held      "), "{}", held.error);
    // On a network file system its lock would be taken over after a while of silence; here it goes
    // at once.
    for entry in std::fs::read_dir(site.path("results/tiny/work"))
        .unwrap()
        .flatten()
    {
        std::fs::remove_file(entry.path().join("lock")).unwrap();
    }
    site.kdpipe("run study.toml").code(0);
    assert_eq!(
        differences(&whole.results(), &site.results()),
        Vec::<String>::new()
    );
    signal(&asleep, "CONT");
    let code = asleep.wait().unwrap().code();
    assert!(
        matches!(code, Some(0 | 1)),
        "{code:?}: {}",
        said(&site, "asleep")
    );
    let differing = differences(&whole.results(), &site.results());
    assert_eq!(
        differing,
        Vec::<String>::new(),
        "{code:?}: {}",
        said(&site, "asleep")
    );
}

#[test]
fn the_lock_of_a_process_that_was_killed_is_taken_over_and_named() {
    let site = TestSite::in_memory(&long());
    let mut killed = start(&site, "killed");
    wait_for(&site, "killed", "training arm=mse");
    signal(&killed, "KILL");
    killed.wait().unwrap();
    let done = site.kdpipe("run study.toml").code(0);
    let words = format!("was left by process {} on ", killed.id());
    assert!(
        done.error.contains(&words)
            && done
                .error
                .contains("which ended without finishing; it is taken over"),
        "{}",
        done.error
    );
    assert!(!site.path("results/tiny/work").exists());
}
