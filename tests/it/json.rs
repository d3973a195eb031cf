//! With `--json` standard output is one value that a program reads, whatever came of the command.

use serde_json::Value;

use crate::builder::{TINY, TestSite};

fn value(out: &str, command: &str) -> Value {
    serde_json::from_str(out).unwrap_or_else(|error| panic!("{command}: {error}\n{out}"))
}

/// It is long because it has every command.
#[test]
fn every_command_says_what_is_wrong_for_a_program_to_read() {
    let site = TestSite::new(TINY);
    site.write("bad.toml", b"[train]\nsteps = 0\nstep = 1\n");
    for command in [
        "run bad.toml",
        "plan bad.toml",
        "report bad.toml",
        "verify bad.toml",
        "status bad.toml",
        "clean bad.toml",
        "bench bad.toml",
        "submit bad.toml",
    ] {
        let done = site.kdpipe(&format!("{command} --json")).code(2);
        let found = value(&done.out, command);
        assert_eq!(found["error"]["exit"], 2, "{command}");
        let told = found["error"]["diagnostics"].as_array().unwrap();
        assert_eq!(told.len(), 2, "{command}: {found:#}");
        assert_eq!(told[0]["file"], "bad.toml");
        assert_eq!(
            (&told[0]["line"], &told[0]["column"]),
            (&2.into(), &9.into())
        );
        assert_eq!(told[1]["message"], "train.step is not a key");
        assert_eq!(told[1]["help"], "write steps");
    }
    for command in [
        "report study.toml",
        "verify study.toml",
        "status study.toml",
        "diff nowhere there",
        "eval nowhere --text t",
        "generate nowhere --prompt x",
        "export nowhere there",
        "init study.toml",
        "run study.toml --only nothing",
    ] {
        let done = site.kdpipe(&format!("{command} --offline --json")).code(2);
        let found = value(&done.out, command);
        assert!(
            found["error"]["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{command}"
        );
        assert_eq!(
            found["error"]["diagnostics"],
            Value::Array(Vec::new()),
            "{command}"
        );
        assert!(
            done.error.starts_with("error: "),
            "people read it, too: {}",
            done.error
        );
    }
    let done = site.kdpipe("plan --json").code(2);
    let found = value(&done.out, "plan");
    assert!(
        found["error"]["message"]
            .as_str()
            .unwrap()
            .contains("<SPEC>"),
        "{found}"
    );
}

#[test]
fn verdicts_are_for_programs_too() {
    let site = TestSite::tiny(&[]);
    site.write("bad.toml", b"[train]\nsteps = 0\n");
    let checked = site.kdpipe("check study.toml bad.toml --json").code(2);
    let found = value(&checked.out, "check");
    assert_eq!(found["valid"], false);
    assert_eq!(
        (&found["specs"][0]["valid"], &found["specs"][0]["runs"]),
        (&true.into(), &3.into())
    );
    assert_eq!(
        found["specs"][1]["diagnostics"][0]["message"],
        "train.steps = 0 is out of range"
    );
    let run = site.kdpipe("run study.toml --json").code(0);
    assert_eq!(value(&run.out, "run")["runs"][0]["state"], "finished");
    for (command, key) in [
        ("plan study.toml --explain train.steps", "explained"),
        ("status study.toml", "runs"),
        ("report study.toml", "study"),
        ("report study.toml --html -o page.html", "error"),
        ("verify study.toml", "unchanged"),
        ("diff results/tiny results/tiny", "same"),
        ("clean study.toml", "found"),
        ("cache", "entries"),
        ("init new.toml", "wrote"),
    ] {
        let done = site.kdpipe(&format!("{command} --json"));
        assert!(
            value(&done.out, command).get(key).is_some(),
            "{command}: {}",
            done.out
        );
    }
}

#[test]
fn quiet_means_results_and_errors_alone_and_verbose_a_line_for_every_step() {
    let site = TestSite::tiny(&[(
        "arm = [\"none\", \"mse\", \"wasserstein\"]",
        "arm = [\"none\"]",
    )]);
    let verbose = site.kdpipe("run study.toml -v").code(0);
    for step in 1..=10 {
        let line = format!("  step {step} of 10 ({step}0 %)  loss ");
        assert!(
            verbose.error.contains(&line),
            "no {line} in {}",
            verbose.error
        );
    }
    assert!(
        verbose.error.contains("  of arm=none seed=0  "),
        "the run of a loss: {}",
        verbose.error
    );
    let quiet = site.kdpipe("run study.toml -q").code(0);
    assert_eq!((quiet.out.as_str(), quiet.error.as_str()), ("", ""));
    let diverging = site
        .kdpipe("run study.toml -q --set train.lr.peak=1e30 --set train.clip=1e30")
        .code(1);
    assert!(
        diverging.error.starts_with("diverged  "),
        "{}",
        diverging.error
    );
    assert_eq!(diverging.error.lines().count(), 1, "{}", diverging.error);
}
