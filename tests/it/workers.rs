//! Processes that share a study by hand, as on machines without a batch system: `run --worker`,
//! `--wait`, `--prepare`, and the signals that batch systems send.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::builder::{TestSite, differences, tiny};

/// Three groups of two runs.
fn shared() -> String {
    tiny(&[
        ("seed = [0]", "seed = [0, 1, 2]"),
        (
            "[\"none\", \"mse\", \"wasserstein\"]",
            "[\"none\", \"mse\"]",
        ),
    ])
}

/// One run, long enough to be met under way; its only checkpoint is the one at a stop.
fn long() -> String {
    tiny(&[
        ("steps = 10", "steps = 150"),
        ("checkpoint_every = 3", "checkpoint_every = 5000"),
        ("[\"none\", \"mse\", \"wasserstein\"]", "[\"mse\"]"),
        ("baseline = { arm = \"none\" }", ""),
    ])
}

fn start(site: &TestSite, arguments: &str, log: &str, settings: &[(&str, &str)]) -> Child {
    let log = std::fs::File::create(site.path(log)).unwrap();
    let mut command = site.command(arguments);
    command.envs(settings.iter().copied());
    let command = command.stdout(Stdio::null()).stderr(log);
    command.spawn().unwrap()
}

fn said(site: &TestSite, log: &str) -> String {
    std::fs::read_to_string(site.path(log)).unwrap_or_default()
}

fn wait_for(site: &TestSite, log: &str, words: &str) {
    let started = Instant::now();
    while !said(site, log).contains(words) {
        let text = said(site, log);
        assert!(started.elapsed() < Duration::from_secs(120), "{text}");
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
fn workers_that_start_together_tear_no_seed_apart_and_make_text_and_teacher_once() {
    let whole = TestSite::in_memory(&shared());
    whole.kdpipe("run study.toml").code(0);
    let site = TestSite::in_memory(&shared());
    let logs = ["a", "b", "c", "d"];
    let workers = logs.map(|log| start(&site, "run study.toml --worker", log, &[]));
    for (mut worker, log) in workers.into_iter().zip(logs) {
        let code = worker.wait().unwrap().code();
        assert_eq!(code, Some(0), "{}", said(&site, log));
    }
    let said = logs.map(|log| said(&site, log));
    let all = said.join("\n----\n");
    for once in [
        "training a tokenizer",
        "training the teacher",
        "evaluating the teacher",
    ] {
        assert_eq!(all.matches(once).count(), 1, "{once}: {all}");
    }
    for seed in 0..3 {
        let of_seed = |log: &&String| {
            let names_it = |line: &str| {
                let line = line.trim_end_matches(|c: char| !c.is_ascii_digit());
                !line.starts_with("held") && line.contains(&format!("seed={seed}"))
            };
            log.lines().any(names_it) || log.contains(&format!("of seed {seed} together"))
        };
        assert_eq!(said.iter().filter(of_seed).count(), 1, "seed {seed}: {all}");
    }
    assert!(!site.path("results/tiny/report.md").exists());
    let done = site.kdpipe("run study.toml --wait").code(0);
    assert!(
        done.error.contains("6 runs are finished already"),
        "{}",
        done.error
    );
    assert_eq!(
        differences(&whole.results(), &site.results()),
        Vec::<String>::new()
    );
}

#[test]
fn a_worker_leaves_what_another_holds_and_one_that_waits_takes_it_over() {
    let whole = TestSite::in_memory(&long());
    whole.kdpipe("run study.toml").code(0);
    let site = TestSite::in_memory(&long());
    let mut first = start(&site, "run study.toml --worker", "first", &[]);
    wait_for(&site, "first", "training arm=mse");
    // It is not to be done before the others have seen that it is not.
    signal(&first, "STOP");
    let second = site.kdpipe("run study.toml --worker").code(0);
    assert!(second.error.contains("held      "), "{}", second.error);
    let words = "nothing is left to take; others hold 1 run";
    assert!(second.error.contains(words), "{}", second.error);
    let mut waiting = start(&site, "run study.toml --wait", "waiting", &[]);
    wait_for(&site, "waiting", "held      ");
    signal(&first, "KILL");
    first.wait().unwrap();
    assert_eq!(
        waiting.wait().unwrap().code(),
        Some(0),
        "{}",
        said(&site, "waiting")
    );
    assert!(said(&site, "waiting").contains("it is taken over"));
    assert_eq!(
        differences(&whole.results(), &site.results()),
        Vec::<String>::new()
    );
}

#[test]
fn one_that_waits_and_is_told_to_leave_leaves_without_a_report() {
    let site = TestSite::in_memory(&long());
    let mut first = start(&site, "run study.toml --worker", "first", &[]);
    wait_for(&site, "first", "training arm=mse");
    // It lives, so its run is left to it, however long that takes here.
    signal(&first, "STOP");
    let mut waiting = start(&site, "run study.toml --wait", "waiting", &[]);
    wait_for(&site, "waiting", "held      ");
    signal(&waiting, "TERM");
    let left = waiting.wait().unwrap().code();
    let told = said(&site, "waiting");
    assert_eq!(left, Some(130), "{told}");
    assert!(told.contains("stopped; everything is saved"), "{told}");
    assert!(!site.path("results/tiny/report.md").exists(), "{told}");
    signal(&first, "KILL");
    first.wait().unwrap();
}

#[test]
fn a_worker_whose_run_another_took_over_leaves_it_and_fails_nothing() {
    let site = TestSite::in_memory(&long());
    let mut asleep = start(&site, "run study.toml --worker", "asleep", &[]);
    wait_for(&site, "asleep", "training arm=mse");
    signal(&asleep, "STOP");
    if said(&site, "asleep").contains("evaluating arm=mse") {
        eprintln!("skipped: the run was over before it could be stopped");
        signal(&asleep, "KILL");
        asleep.wait().unwrap();
        return;
    }
    // As after a while of silence on a network file system.
    for entry in std::fs::read_dir(site.path("results/tiny/work")).unwrap() {
        std::fs::remove_file(entry.unwrap().path().join("lock")).unwrap();
    }
    site.kdpipe("run study.toml").code(0);
    signal(&asleep, "CONT");
    let code = asleep.wait().unwrap().code();
    let told = said(&site, "asleep");
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("was taken over by another process"), "{told}");
    let status = site.kdpipe("status study.toml -v").code(0);
    assert!(status.out.contains(", 0 failed"), "{}", status.out);
}

#[test]
fn a_term_that_comes_twice_within_milliseconds_saves_and_leaves() {
    let site = TestSite::in_memory(&long());
    let mut worker = start(&site, "run study.toml --worker --verbose", "log", &[]);
    wait_for(&site, "log", "  step 10 of 150");
    for name in ["TERM", "CONT", "TERM", "TERM"] {
        signal(&worker, name);
    }
    assert_eq!(
        worker.wait().unwrap().code(),
        Some(130),
        "{}",
        said(&site, "log")
    );
    assert!(said(&site, "log").contains("stopped; everything is saved"));
    let again = site.kdpipe("run study.toml").code(0);
    assert!(again.error.contains("steps, from step "), "{}", again.error);
}

#[test]
fn a_job_whose_time_is_almost_up_saves_and_asks_to_be_started_again_by_its_own_name() {
    use std::os::unix::fs::PermissionsExt;
    let site = TestSite::in_memory(&long());
    let tool = site.path("bin/scontrol");
    std::fs::create_dir(site.path("bin")).unwrap();
    std::fs::write(
        &tool,
        format!(
            "#!/bin/sh\necho \"$@\" >>{}\nexit 1\n",
            site.path("asked").display()
        ),
    )
    .unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        site.path("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let job = [
        ("PATH", path.as_str()),
        ("SLURM_JOB_ID", "40"),
        ("SLURM_ARRAY_JOB_ID", "40"),
        ("SLURM_ARRAY_TASK_ID", "3"),
        ("SLURM_CPUS_PER_TASK", "1"),
    ];
    for (name, asked, words) in [
        ("TERM", "", "  step 10 of"),
        ("USR1", "requeue 40_3\n", "  step "),
    ] {
        let mut worker = start(&site, "run study.toml --worker --verbose", "log", &job);
        wait_for(&site, "log", words);
        signal(&worker, name);
        assert_eq!(
            worker.wait().unwrap().code(),
            Some(130),
            "{}",
            said(&site, "log")
        );
        assert!(said(&site, "log").contains("stopped; everything is saved"));
        assert_eq!(said(&site, "asked"), asked, "{name}");
    }
    site.kdpipe_with("run study.toml", &job).code(0);
    let (_, events) = std::fs::read_dir(site.path("results/tiny/runs"))
        .unwrap()
        .flatten()
        .map(|run| {
            (
                run.path(),
                std::fs::read_to_string(run.path().join("events.jsonl")).unwrap(),
            )
        })
        .next()
        .unwrap();
    assert!(events.contains("\"threads\":1"), "{events}");
}

#[test]
fn preparing_makes_text_and_teacher_and_no_run() {
    let site = TestSite::in_memory(&shared());
    let done = site.kdpipe("run study.toml --prepare").code(0);
    assert!(
        done.error.contains("evaluating the teacher"),
        "{}",
        done.error
    );
    assert!(
        done.error.contains("text and teacher are there"),
        "{}",
        done.error
    );
    assert!(!site.path("results/tiny/runs").exists());
    assert!(!site.path("results/tiny/work").exists());
    assert!(!site.path("results/tiny/report.md").exists());
    let rest = site.kdpipe("run study.toml --worker").code(0);
    for made in [
        "training a tokenizer",
        "training the teacher",
        "evaluating the teacher",
    ] {
        assert!(!rest.error.contains(made), "{}", rest.error);
    }
}

#[test]
fn options_that_each_job_has_of_its_own_are_not_passed_on_to_all_of_them() {
    let site = TestSite::in_memory(&long());
    for (options, words) in [
        ("--array=0-3", "--workers"),
        ("--time=5 -o log", "results/NAME/slurm"),
        ("-J mine", "--job-name"),
    ] {
        let submit = format!("submit study.toml --print -- {options}");
        let refused = site.kdpipe(&submit).code(2).error;
        let is_told = refused.contains("for all jobs of a study") && refused.contains(words);
        assert!(is_told, "{options}: {refused}");
    }
    let taken = site.kdpipe("submit study.toml --print -- --time=5 -c2");
    let taken = taken.code(0).out;
    assert!(taken.contains("--time=5 -c2"), "{taken}");
}

#[test]
fn an_empty_part_of_the_grid_is_no_failure() {
    let site = TestSite::in_memory(&long());
    let done = site.kdpipe("run study.toml --shard 2/2").code(0);
    let words = "this part of the grid is empty: there are more parts than groups of runs";
    assert!(done.error.contains(words), "{}", done.error);
    site.kdpipe("run study.toml --only nothing").code(2);
}

#[test]
fn a_run_that_ends_again_and_again_without_a_new_step_is_given_up_until_somebody_looks() {
    let site = TestSite::in_memory(&long());
    for _ in 0..4 {
        let mut worker = start(&site, "run study.toml --worker", "log", &[]);
        wait_for(&site, "log", "training arm=mse");
        signal(&worker, "KILL");
        worker.wait().unwrap();
    }
    for role in ["--worker", "--wait", "--worker"] {
        let given_up = site.kdpipe(&format!("run study.toml {role}")).code(1);
        let words = "was started 4 times from step 0 and never came to save a later one";
        assert!(given_up.error.contains(words), "{}", given_up.error);
    }
    site.kdpipe("run study.toml").code(0);
    assert!(!site.path("results/tiny/work").exists());
}
