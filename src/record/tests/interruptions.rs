//! A run that is killed, whose disk fails or loses power, and that two processes are at.

use std::path::Path;

use super::*;
use crate::files::test_disk::{Mode, Names, recorded, with_fault};

#[test]
fn a_run_ends_with_the_same_bytes_whatever_call_fails_or_kills_it() {
    let expected = undisturbed();
    for mode in [Mode::Dies, Mode::Fails] {
        let mut reached = true;
        let mut at = 0;
        while reached {
            at += 1;
            let root = folder();
            let (result, struck) = with_fault(mode, at, || go(root.path()));
            reached = struck;
            assert!(result.is_ok() || struck, "{:?}", result.err());
            bury(root.path());
            go(root.path()).unwrap_or_else(|error| panic!("{mode:?} at {at}: {error:#}"));
            assert_eq!(tree(root.path()), expected, "{mode:?} at {at}");
        }
        assert!(at > 100, "{at}");
    }
}

#[test]
fn a_run_that_is_killed_again_while_it_recovers_ends_with_the_same_bytes() {
    let expected = undisturbed();
    for (first, second) in [
        (40, 5),
        (40, 12),
        (90, 20),
        (150, 3),
        (150, 40),
        (200, 9),
        (230, 30),
    ] {
        let root = folder();
        for at in [first, second, second + 7] {
            let _ = with_fault(Mode::Dies, at, || go(root.path()));
            bury(root.path());
        }
        go(root.path()).unwrap();
        assert_eq!(
            tree(root.path()),
            expected,
            "killed at {first} and {second}"
        );
    }
}

/// The folder that a child process runs in; see below.
const CHILD: &str = "KDPIPE_TEST_CHILD";

#[test]
fn a_run_whose_process_ends_at_any_call_is_gone_on_with_by_the_next_process() {
    if !Path::new("/proc/sys/kernel/random/boot_id").exists() {
        println!("skipped: this system does not tell a dead process from a living one");
        return;
    }
    let expected = undisturbed();
    let mut ended = 0;
    for at in (1..).step_by(9) {
        let root = folder();
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "record::tests::interruptions::the_run_of_a_child_process",
            ])
            .env(CHILD, root.path())
            .env("KDPIPE_FAULT", format!("exit@{at}"))
            .output()
            .unwrap();
        go(root.path()).unwrap_or_else(|error| panic!("ended at {at}: {error:#}"));
        assert_eq!(tree(root.path()), expected, "ended at {at}");
        let mut folders = vec![root.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let name = entry.file_name().into_string().unwrap();
                assert!(
                    !name.starts_with('.') && !name.starts_with("lock") && name != "work",
                    "{name} is left behind after {at}"
                );
                folders.extend(entry.path().is_dir().then(|| entry.path()));
            }
        }
        if child.status.success() {
            break;
        }
        assert_eq!(
            child.status.code(),
            Some(137),
            "{}",
            String::from_utf8_lossy(&child.stderr)
        );
        ended += 1;
    }
    assert!(ended > 20, "{ended}");
}

/// Does nothing unless the test above started this process.
#[test]
fn the_run_of_a_child_process() {
    if let Some(root) = std::env::var_os(CHILD) {
        go(Path::new(&root)).unwrap();
    }
}

#[test]
fn a_run_ends_with_the_same_bytes_whenever_the_power_goes() {
    let expected = undisturbed();
    let root = folder();
    let (_, changes) = recorded(|| go(root.path()).unwrap());
    for count in (0..=changes.len()).step_by(3) {
        for names in [Names::Flushed, Names::All] {
            let disk = folder();
            changes.replay(root.path(), count, names, disk.path());
            bury(disk.path());
            go(disk.path())
                .unwrap_or_else(|error| panic!("after {count} changes, {names:?}: {error:#}"));
            let found = tree(disk.path());
            let same = expected.iter().filter(|(name, _)| {
                !name.ends_with("timings.parquet") && !name.ends_with("speed.json")
            });
            for (name, bytes) in same {
                assert_eq!(
                    found.get(name),
                    Some(bytes),
                    "{name} after {count} changes, {names:?}"
                );
            }
        }
    }
}

#[test]
fn a_process_that_stood_still_cannot_touch_what_another_took_over() {
    let expected = undisturbed();
    let root = folder();
    let mut asleep = unfinished(root.path());
    bury(root.path());
    let awake = again(root.path());
    asleep
        .metrics
        .append(100, &values(&[("loss", 1.0)]))
        .unwrap();
    asleep.metrics.sync().unwrap();
    let error = format!(
        "{:#}",
        asleep
            .save_checkpoint(100, &[("state", vec![1])], &about())
            .unwrap_err()
    );
    assert!(
        error.contains("was taken over by another process") || error.contains("became shorter"),
        "{error}"
    );
    drop(awake);
    go(root.path()).unwrap();
    // Nor does it make anew what the other one has cleared away.
    let work = || {
        tree(root.path())
            .keys()
            .filter(|name| name.starts_with("study/work"))
            .count()
    };
    let before = work();
    for refused in [
        asleep.write_out("spec.toml", b"steps = 1").unwrap_err(),
        asleep.count_start(3).unwrap_err(),
        asleep.newest_valid_checkpoint(&about()).unwrap_err(),
    ] {
        assert!(refused.is::<TakenOver>(), "{refused:#}");
    }
    assert_eq!(work(), before);
    let error = format!("{:#}", asleep.publish().unwrap_err());
    assert!(
        error.contains("was taken over by another process while this one stood still"),
        "{error}"
    );
    let mut found = tree(root.path());
    found.retain(|name, _| !name.starts_with("study/work"));
    assert_eq!(found, expected);
}

/// An attempt of one step that ended with these weights.
fn one_step(layout: &Layout, weights: f64) -> Box<Attempt> {
    let RunClaim::Ours(mut attempt) = Attempt::open_or_new(layout, ID).unwrap() else {
        panic!("not ours")
    };
    let row = values(&[("loss", 1.0)]);
    attempt.metrics.append(0, &row).unwrap();
    attempt
        .write_out("student/model.safetensors", &weights.to_le_bytes())
        .unwrap();
    attempt
}

#[test]
fn of_two_finishers_the_second_drops_the_same_and_keeps_another_result() {
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    for (loss, expected) in [
        (1.0, Ok(Publication::Same)),
        (
            2.0,
            Err("student/model.safetensors had 8 bytes with sha256 "),
        ),
    ] {
        let _ = std::fs::remove_dir_all(root.path().join("study"));
        // Both began before either had finished: the run appears while the second is at it.
        let first = one_step(&layout, 1.0);
        bury(root.path());
        let elsewhere = folder();
        assert_eq!(first.publish().unwrap(), Publication::New);
        let published = layout.run(ID).root;
        std::fs::rename(&published, elsewhere.path().join("run")).unwrap();
        let second = one_step(&layout, loss);
        std::fs::create_dir_all(published.parent().unwrap()).unwrap();
        std::fs::rename(elsewhere.path().join("run"), &published).unwrap();
        match (second.publish(), expected) {
            (Ok(found), Ok(expected)) => {
                assert_eq!(found, expected);
                assert!(!layout.root.join("work").exists());
            }
            (Err(error), Err(words)) => {
                let error = error.to_string();
                assert!(
                    error.contains("was finished before with another result: ")
                        && error.contains(words),
                    "{error}"
                );
                assert!(error.contains("work/7f3a/different`"), "{error}");
                sweep(&layout).unwrap();
                assert_eq!(
                    std::fs::read(layout.work(ID).join("different/student/model.safetensors"))
                        .unwrap(),
                    2.0f64.to_le_bytes()
                );
            }
            (found, _) => panic!("{found:?}"),
        }
        assert_eq!(
            std::fs::read(published.join("student/model.safetensors")).unwrap(),
            1.0f64.to_le_bytes()
        );
    }
}

#[test]
fn a_run_that_somebody_is_at_is_held_and_free_again_afterwards() {
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    let attempt = unfinished(root.path());
    match Attempt::open_or_new(&layout, ID).unwrap() {
        RunClaim::HeldBy(words) => assert!(words.starts_with("process "), "{words}"),
        other => panic!("{other:?}"),
    }
    let folder = attempt.folder().to_owned();
    drop(attempt);
    let attempt = again(root.path());
    assert!(!folder.exists(), "the attempt has a new name");
    assert!(attempt.folder().join("checkpoints/6").exists());
}
