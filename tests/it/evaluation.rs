//! Evaluating is work like training: planned, told while it goes on, and stopped in two seconds.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::builder::{TestSite, tiny};

/// Runs whose evaluation takes long, by a part of it.
fn slow(part: &str) -> String {
    let longer = match part {
        "t-SNE" => [
            "probe_tokens = 4000\nembed_tokens = 4000",
            "treatment_tokens = 0",
        ],
        "treatment" => [
            "probe_tokens = 32\nembed_tokens = 12",
            "treatment_tokens = 4096",
        ],
        "samples" => [
            "probe_tokens = 32\nembed_tokens = 12",
            "treatment_tokens = 0\nsamples = { prompts = 900, tokens = 900 }",
        ],
        other => panic!("no part {other}"),
    };
    let mut replaced = vec![
        ("[\"none\", \"mse\", \"wasserstein\"]", "[\"mse\"]"),
        ("baseline = { arm = \"none\" }", ""),
        ("test_words = 500", "test_words = 12_000"),
        ("probe_tokens = 32\n", ""),
        ("embed_tokens = 12\n", ""),
    ];
    if part == "samples" {
        replaced.push(("samples = { prompts = 1, tokens = 4 }\n", ""));
    }
    let spec = tiny(&replaced);
    spec.replace(
        "[evaluate]\n",
        &format!("[evaluate]\n{}\n{}\n", longer[0], longer[1]),
    )
}

fn start(site: &TestSite) -> Child {
    let log = std::fs::File::create(site.path("log")).unwrap();
    let mut command = site.command("run study.toml");
    command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

/// Waits until the log has some words so many times.
fn wait_for(site: &TestSite, words: &str, times: usize) {
    let started = Instant::now();
    loop {
        let said = std::fs::read_to_string(site.path("log")).unwrap_or_default();
        if said.matches(words).count() >= times {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(240), "{said}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A run that gets a signal in its evaluation, and how long it took to end.
fn stopped(part: &str, signal: &str) -> (TestSite, Duration) {
    let site = TestSite::in_memory(&slow(part));
    let mut process = start(&site);
    // The teacher's evaluation, or the student's where that is over.
    wait_for(&site, "evaluating ", 1);
    std::thread::sleep(Duration::from_millis(700));
    let sent = Command::new("kill")
        .args([&format!("-{signal}"), &process.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let asked = Instant::now();
    assert_eq!(process.wait().unwrap().code(), Some(130), "{part}");
    (site, asked.elapsed())
}

#[cfg(unix)]
#[test]
fn a_stop_ends_every_part_of_an_evaluation_within_two_seconds() {
    for (part, signal) in [("t-SNE", "INT"), ("treatment", "TERM"), ("samples", "INT")] {
        let (site, took) = stopped(part, signal);
        assert!(took < Duration::from_secs(2), "{part}: {took:?}");
        let said = std::fs::read_to_string(site.path("log")).unwrap();
        assert!(said.contains("stopped; everything is saved."), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn a_run_that_is_trained_and_not_evaluated_is_called_so_everywhere_and_is_evaluated_alone() {
    let spec = slow("treatment");
    let site = TestSite::in_memory(&spec);
    // The teacher's evaluation is short, for which it has one of its own.
    site.kdpipe("run study.toml --set evaluate.treatment_tokens=0")
        .code(0);
    let mut process = start(&site);
    wait_for(&site, "evaluating ", 1);
    std::thread::sleep(Duration::from_millis(300));
    Command::new("kill")
        .args(["-INT", &process.id().to_string()])
        .status()
        .unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(130));
    let said = std::fs::read_to_string(site.path("log")).unwrap();
    assert!(
        said.contains("note: 1 run is trained, to be evaluated"),
        "{said}"
    );
    assert!(
        said.contains("saved. 1 run is trained, to be evaluated. The same"),
        "{said}"
    );
    assert!(!said.contains("training arm=mse"), "{said}");
    let status = site.kdpipe("status study.toml").code(0).out;
    assert!(status.contains("1 trained, to be evaluated"), "{status}");
    let plan = site.kdpipe("plan study.toml").code(0).out;
    assert!(plan.contains("  trained  "), "{plan}");
    assert!(plan.contains("to be evaluated: 1 run, ~"), "{plan}");
    assert!(
        plan.contains(" of it for whether the treatment arrived, in "),
        "{plan}"
    );
}

#[test]
fn a_plan_knows_what_evaluating_costs_where_it_knows_how_long_the_text_is() {
    let site = TestSite::tiny(&[]);
    let cost = |more: &str| {
        let plan = site
            .kdpipe(&format!("plan study.toml --json {more}"))
            .code(0);
        let plan: serde_json::Value = serde_json::from_str(&plan.out).unwrap();
        let number = |key: &str| plan["runs"][0][key].as_f64().unwrap();
        (
            number("evaluation_flops"),
            number("evaluation_memory_bytes"),
        )
    };
    let (flops, memory) = cost("");
    let (more, _) = cost("--set dataset.test_words=50000");
    let (treated, larger) =
        cost("--set dataset.test_words=50000 --set evaluate.treatment_tokens=4096");
    assert!(
        more > 1.5 * flops && treated > 5.0 * more,
        "{flops} {more} {treated}"
    );
    assert!(larger > memory + 1e8, "{memory} {larger}");
}
