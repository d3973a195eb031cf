//! Readers that go away, and numbers of threads.

use std::io::Read;
use std::process::Stdio;

use crate::builder::{TINY, TestSite};

#[cfg(unix)]
#[test]
fn a_reader_of_the_output_that_went_away_ends_the_program_without_a_word() {
    let site = TestSite::new(TINY);
    site.kdpipe("run study.toml").code(0);
    let runs = std::fs::read_dir(site.path("results/tiny/runs")).unwrap();
    let run = runs.map(|run| run.unwrap().path()).next().unwrap();
    let run = run.strip_prefix(site.path("")).unwrap().display();
    site.write("text.txt", b"Once there was a fox.\n");
    let with_a_run = [
        format!("diff {run} {run}"),
        format!("eval {run}/student --text text.txt"),
        format!("generate {run}/student --prompt The --max-new-tokens 3"),
        format!("export {run} student"),
    ];
    let commands = [
        "schema",
        "--help",
        "help run",
        "--version",
        "plan study.toml",
        "plan study.toml --explain train.steps",
        "check study.toml",
        "status study.toml",
        "report study.toml",
        "verify study.toml",
        "clean study.toml",
        "cache",
        "init new.toml",
        "completions bash",
    ];
    for command in commands
        .into_iter()
        .chain(with_a_run.iter().map(String::as_str))
    {
        let mut child = site
            .command(command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        let mut errors = child.stderr.take().unwrap();
        errors.read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(141), "{command}");
        assert_eq!(said, "", "{command}");
    }
}

#[cfg(unix)]
#[test]
fn nobody_to_read_what_goes_wrong_or_how_far_it_is_ends_nothing() {
    let site = TestSite::tiny(&[]);
    let code = |command: &str| {
        let mut child = site
            .command(command)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stderr.take());
        child.wait().unwrap().code()
    };
    assert_eq!(code("check absent.toml"), Some(2));
    assert_eq!(code("run study.toml --only arm=none"), Some(0));
}

#[test]
fn threads_are_a_number_that_a_machine_may_have() {
    let site = TestSite::new(TINY);
    for threads in ["0", "1025", "20000", "many"] {
        let error = site
            .kdpipe(&format!("check study.toml --threads {threads}"))
            .code(2)
            .error;
        assert!(error.contains("a number of threads, 1 to 1024"), "{error}");
    }
    site.kdpipe("check study.toml --threads 1024").code(0);
}
