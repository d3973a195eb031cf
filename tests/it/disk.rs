//! Disks as they are: full, too small for a file, read-only, gone. Where a test needs to mount
//! something and may not, it says that it was skipped.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::builder::{Done, TestSite, differences, tiny};

/// Steps enough that something can be done to the disk under way, and a checkpoint after each.
fn long() -> String {
    tiny(&[
        ("steps = 10", "steps = 300"),
        ("checkpoint_every = 3", "checkpoint_every = 1"),
        ("[\"none\", \"mse\", \"wasserstein\"]", "[\"mse\"]"),
        ("baseline = { arm = \"none\" }", ""),
    ])
}

fn expected(spec: &str) -> Vec<(String, Vec<u8>)> {
    let whole = TestSite::in_memory(spec);
    whole.kdpipe("run study.toml").code(0);
    whole.results()
}

/// A small file system in memory, mounted on a folder.
struct Mounted(PathBuf);

impl Mounted {
    fn new(folder: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir(&folder).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&folder)
            .stderr(Stdio::null())
            .status();
        if !mounted.is_ok_and(|status| status.success()) {
            println!("skipped: this process may not mount a file system");
            return None;
        }
        Some(Self(folder))
    }

    fn remount(&self, options: &str) {
        let done = Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(&self.0)
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Starts the study, does something to the disk once the student is trained, and waits for what
/// comes of it.
fn disturbed(site: &TestSite, disturb: impl FnOnce()) -> Done {
    let log = site.path("log");
    let mut process = site
        .command("run study.toml")
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let said = || std::fs::read_to_string(&log).unwrap();
    let started = Instant::now();
    while !said().contains("training arm=mse") {
        assert!(started.elapsed() < Duration::from_secs(120), "{}", said());
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(40));
    disturb();
    Done {
        code: process.wait().unwrap().code(),
        out: String::new(),
        error: said(),
    }
}

/// Writes until nothing more goes in.
fn fill(path: &Path) {
    let mut file = std::fs::File::create(path).unwrap();
    let mut piece = vec![0u8; 1 << 16];
    while !piece.is_empty() {
        if file.write_all(&piece).is_err() {
            piece.truncate(piece.len() / 2);
        }
    }
}

#[test]
fn a_disk_that_fills_up_stops_the_run_with_the_reason_and_nothing_is_lost() {
    let site = TestSite::in_memory(&long());
    let Some(disk) = Mounted::new(site.path("results"), "8m") else {
        return;
    };
    let done = disturbed(&site, || fill(&disk.0.join("ballast"))).code(1);
    assert!(
        done.error
            .contains("the disk is full; free some space and run the same command again"),
        "{}",
        done.error
    );
    // Still full, it says so again.
    let again = site.kdpipe("run study.toml");
    assert_ne!(again.code, Some(0));
    assert!(
        again.error.contains("the disk is full")
            || again.error.contains("are free; give another folder"),
        "{}",
        again.error
    );
    std::fs::remove_file(disk.0.join("ballast")).unwrap();
    let last = site.kdpipe("run study.toml").code(0);
    assert!(
        !last.error.contains("training the teacher"),
        "{}",
        last.error
    );
    assert_eq!(
        differences(&expected(&long()), &site.results()),
        Vec::<String>::new()
    );
}

#[test]
fn a_disk_too_small_for_the_cache_says_so() {
    let site = TestSite::in_memory(&tiny(&[]));
    let Some(disk) = Mounted::new(site.path("cache"), "64k") else {
        return;
    };
    let done = site.kdpipe("run study.toml").code(1);
    assert!(done.error.contains("the disk is full"), "{}", done.error);
    disk.remount("size=16m");
    site.kdpipe("run study.toml").code(0);
    assert_eq!(
        differences(&expected(&tiny(&[])), &site.results()),
        Vec::<String>::new()
    );
}

#[test]
fn files_beyond_a_limit_of_their_size_are_errors_with_what_to_do() {
    let expected = expected(&tiny(&[]));
    // Blocks of 512 or 1024 bytes, as the shell counts.
    for blocks in [1, 8, 30, 60, 90] {
        let site = TestSite::in_memory(&tiny(&[]));
        let kdpipe = site.command("run study.toml");
        let mut limited = Command::new("sh");
        limited
            .args(["-c", &format!("ulimit -f {blocks}; exec \"$0\" \"$@\"")])
            .arg(kdpipe.get_program())
            .args(kdpipe.get_args());
        limited.current_dir(site.path("")).envs(
            kdpipe
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        let output = limited.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            assert_eq!(output.status.code(), Some(1), "{blocks} blocks: {said}");
            assert!(
                said.contains("raise the limit (`ulimit -f`) and run the same command again"),
                "{blocks} blocks: {said}"
            );
        }
        site.kdpipe("run study.toml").code(0);
        assert_eq!(
            differences(&expected, &site.results()),
            Vec::<String>::new(),
            "{blocks} blocks"
        );
    }
}

#[test]
fn a_folder_that_becomes_read_only_stops_the_run_with_the_reason() {
    let site = TestSite::in_memory(&long());
    let Some(disk) = Mounted::new(site.path("results"), "8m") else {
        return;
    };
    // Files that are open for writing would hinder it; so it is tried until it happens between two
    // of them.
    let done = disturbed(&site, || {
        let remount = || {
            Command::new("mount")
                .args(["-o", "remount,ro"])
                .arg(&disk.0)
                .stderr(Stdio::null())
                .status()
                .unwrap()
                .success()
        };
        let started = Instant::now();
        while !remount() && started.elapsed() < Duration::from_secs(20) {}
    });
    if done.code == Some(0) {
        println!("skipped: the folder was never free to be made read-only");
        return;
    }
    assert!(
        done.error
            .contains("it lies on a read-only file system; choose a folder that can be written"),
        "{}",
        done.error
    );
    let again = site.kdpipe("run study.toml").code(1);
    assert!(
        again.error.contains("read-only file system"),
        "{}",
        again.error
    );
    disk.remount("rw");
    site.kdpipe("run study.toml").code(0);
    assert_eq!(
        differences(&expected(&long()), &site.results()),
        Vec::<String>::new()
    );
}

#[test]
fn folders_that_vanish_under_way_cost_what_was_in_them_and_no_more() {
    let expected = expected(&long());
    for folder in ["results", "cache", "results/tiny/work"] {
        let site = TestSite::in_memory(&long());
        let done = disturbed(&site, || {
            // What is written meanwhile may keep a folder from being empty; that is tried again.
            for _ in 0..100 {
                if std::fs::remove_dir_all(site.path(folder)).is_ok() {
                    break;
                }
            }
        });
        assert!(matches!(done.code, Some(0 | 1)), "{folder}: {done:?}");
        if done.code == Some(1) {
            assert!(
                done.error.contains("failed    ") || done.error.contains("error: "),
                "{folder}: {}",
                done.error
            );
        }
        site.kdpipe("run study.toml").code(0);
        assert_eq!(
            differences(&expected, &site.results()),
            Vec::<String>::new(),
            "{folder}: {}",
            done.error
        );
    }
}
