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

#[cfg(target_os = "linux")]
#[test]
fn output_that_comes_nowhere_is_told_once_and_fails_a_command_at_its_end() {
    // Nothing that is written there has room.
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full");
    if full().is_err() {
        println!("skipped: there is no /dev/full");
        return;
    }
    let site = TestSite::tiny(&[]);
    for command in [
        "schema",
        "--version",
        "check study.toml study.toml",
        "run study.toml --only arm=none",
    ] {
        let mut child = site.command(command);
        let child = child.stdout(full().unwrap()).stderr(Stdio::piped());
        let done = child.output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{command}: {said}");
        let words = "error: cannot write to standard output: ";
        assert_eq!(said.matches(words).count(), 1, "{command}: {said}");
    }
    assert!(site.path("results/tiny/report.md").exists());
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

#[cfg(unix)]
#[test]
fn a_spec_can_come_through_a_pipe() {
    let site = TestSite::new(TINY);
    let made = std::process::Command::new("mkfifo")
        .arg(site.path("pipe"))
        .status();
    assert!(made.unwrap().success());
    let (pipe, spec) = (site.path("pipe"), TINY.to_owned());
    let writer = std::thread::spawn(move || std::fs::write(pipe, spec));
    let mut command = site.command("plan pipe --explain train.steps");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let started = std::time::Instant::now();
    // Who opens it a second time waits for a second writer.
    while child.try_wait().unwrap().is_none() {
        if started.elapsed().as_secs() > 60 {
            child.kill().unwrap();
            panic!("it waits");
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    writer.join().unwrap().unwrap();
    let found = child.wait_with_output().unwrap();
    assert!(found.status.success());
    let said = String::from_utf8(found.stdout).unwrap();
    let of_file = site.kdpipe("plan study.toml --explain train.steps").code(0);
    assert_eq!(said, of_file.out.replace("study.toml", "pipe"));
}
