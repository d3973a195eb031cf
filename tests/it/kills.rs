//! Real signals at random moments. `KDPIPE_TEST_KILLS=300 cargo test --test it kills` makes it
//! long.

use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::builder::{TestSite, differences};

/// Starts the study, sends it a signal after a while, and waits for its end.
fn interrupted(site: &TestSite, signal: &str, after: Duration) -> ExitStatus {
    let mut process = site
        .command("run study.toml")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while started.elapsed() < after {
        if let Some(status) = process.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let sent = Command::new("kill")
        .args([&format!("-{signal}"), &process.id().to_string()])
        .stderr(Stdio::null())
        .status();
    sent.expect("the kill command");
    process.wait().unwrap()
}

/// Numbers below `bound` that look random, from a seed.
fn draws(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |bound| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    }
}

#[test]
fn a_study_killed_at_random_moments_ends_in_the_bytes_of_one_that_was_not() {
    let wanted: u32 = std::env::var("KDPIPE_TEST_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(15);
    let whole = TestSite::tiny(&[]);
    let started = Instant::now();
    whole.kdpipe("run study.toml").code(0);
    let length = u64::try_from(started.elapsed().as_millis()).unwrap();
    let (expected, mut kills, mut round) = (whole.results(), 0, 0);
    while kills < wanted {
        let site = TestSite::tiny(&[]);
        let mut draw = draws(round + 1);
        round += 1;
        // Early ones strike the token cache and the teacher; what is left to do shrinks, so every
        // moment of the study is reached.
        while !interrupted(&site, "KILL", Duration::from_millis(draw(length * 2 / 3))).success() {
            kills += 1;
        }
        assert_eq!(
            differences(&expected, &site.results()),
            Vec::<String>::new(),
            "round {round}"
        );
        assert!(
            !site.path("results/tiny/work").exists(),
            "work was left behind in round {round}"
        );
    }
    println!("{kills} kills in {round} studies");
}

#[test]
fn an_interrupted_study_says_so_and_goes_on_from_there() {
    // Long enough that the signal comes in the middle.
    let long = [
        ("steps = 10", "steps = 800"),
        ("[\"none\", \"mse\", \"wasserstein\"]", "[\"mse\"]"),
        ("baseline = { arm = \"none\" }", ""),
    ];
    let whole = TestSite::tiny(&long);
    whole.kdpipe("run study.toml").code(0);
    for signal in ["INT", "TERM"] {
        let site = TestSite::tiny(&long);
        let log = std::fs::File::create(site.path("log")).unwrap();
        let mut process = site
            .command("run study.toml")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let said = || std::fs::read_to_string(site.path("log")).unwrap();
        let started = Instant::now();
        while !said().contains("training arm=mse") && started.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(100));
        Command::new("kill")
            .args([&format!("-{signal}"), &process.id().to_string()])
            .status()
            .unwrap();
        let signalled = Instant::now();
        assert_eq!(process.wait().unwrap().code(), Some(130), "{}", said());
        assert!(
            signalled.elapsed() < Duration::from_secs(5),
            "it took {:?} to stop",
            signalled.elapsed()
        );
        assert!(
            said().contains("stopped; everything is saved"),
            "{}",
            said()
        );
        let second = site.kdpipe("run study.toml").code(0);
        assert!(
            !second.error.contains("training the teacher"),
            "{}",
            second.error
        );
        assert_eq!(
            differences(&whole.results(), &site.results()),
            Vec::<String>::new()
        );
    }
}
