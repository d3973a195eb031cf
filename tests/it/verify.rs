//! What is stored is what was written: `verify`, and folders that came without their weights or
//! from another machine.

use std::fs;
use std::path::{Path, PathBuf};

use crate::builder::{TestSite, differences};

/// The study with one arm, finished, and the folder of its only run.
fn finished() -> (TestSite, PathBuf) {
    let site = TestSite::tiny(&[(
        "arm = [\"none\", \"mse\", \"wasserstein\"]",
        "arm = [\"none\"]",
    )]);
    site.kdpipe("run study.toml").code(0);
    let runs = fs::read_dir(site.path("results/tiny/runs")).unwrap();
    let folder = runs.flatten().next().unwrap().path();
    (site, folder)
}

/// Every file below a folder.
fn files(folder: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(files(entry.path()))
        } else {
            found.push(entry.path())
        }
    }
    found.sort();
    found
}

#[test]
fn one_changed_byte_anywhere_is_found() {
    let (site, _) = finished();
    assert!(
        site.kdpipe("verify study.toml")
            .code(0)
            .out
            .starts_with("all is as it was written: ")
    );
    let mut changed = 0;
    for path in files(site.path("results/tiny")) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // Times are covered by nothing.
        if ["timings.parquet", "events.jsonl", "speed.json"].contains(&name.as_str()) {
            continue;
        }
        let good = fs::read(&path).unwrap();
        flip(&path);
        assert_eq!(
            site.kdpipe("verify study.toml --json").code,
            Some(1),
            "{}",
            path.display()
        );
        fs::write(&path, good).unwrap();
        changed += 1;
    }
    assert!(changed > 15, "{changed}");
    site.kdpipe("verify study.toml").code(0);
}

#[test]
fn weights_that_were_not_kept_are_no_fault_and_come_back_where_they_are_asked_for() {
    let (site, run) = finished();
    let weights = run.join("student/model.safetensors");
    let before = site.results();
    fs::remove_file(&weights).unwrap();
    assert!(
        site.kdpipe("verify study.toml")
            .code(0)
            .out
            .contains("files that are not here and need not be: 1")
    );
    site.kdpipe("report study.toml").code(0);
    let plan = site.kdpipe("plan study.toml").code(0).out;
    assert!(plan.contains("finished"), "{plan}");
    let done = site.kdpipe("run study.toml").code(0);
    assert!(
        done.error.contains("1 run is finished already") && !done.error.contains("training"),
        "{}",
        done.error
    );
    assert!(!weights.exists());
    let done = site.kdpipe("run study.toml --weights").code(0);
    assert!(
        done.error.contains(
            "1 run that was trained has no weights any more, and --weights asks for them"
        ),
        "{}",
        done.error
    );
    assert!(weights.exists());
    assert!(before == site.results(), "another result");
}

#[test]
fn an_evaluation_that_weights_are_missing_for_trains_those_runs_alone_and_says_so_first() {
    let (site, run) = finished();
    fs::remove_file(run.join("student/model.safetensors")).unwrap();
    let plan = site
        .kdpipe("plan study.toml --set evaluate.stride=8")
        .code(0);
    assert!(plan.out.contains("no weights"), "{}", plan.out);
    let done = site
        .kdpipe("run study.toml --set evaluate.stride=8")
        .code(0);
    let words = "1 run that was trained has no weights any more, and what [evaluate] asks for is \
                 not stored: it is trained again";
    let said = done.error.find(words);
    let trained = done.error.find("training ");
    assert!(said.is_some() && said < trained, "{}", done.error);
    assert!(run.join("student/model.safetensors").exists());
    // Both evaluations are of the same weights.
    assert_eq!(fs::read_dir(run.join("evals")).unwrap().count(), 2);
    site.kdpipe("verify study.toml --set evaluate.stride=8")
        .code(0);
}

/// Changes one bit in the middle of a file.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// The first entry of a folder.
fn first_of(folder: PathBuf) -> PathBuf {
    let mut entries = fs::read_dir(folder).unwrap();
    entries.next().unwrap().unwrap().path()
}

#[test]
fn what_was_changed_since_is_never_used_but_set_aside_and_made_again() {
    let (site, run) = finished();
    let before = site.results();
    let evaluation = first_of(run.join("evals"));
    let teacher = first_of(site.path("results/tiny/teachers"));
    let folders = [&run, &evaluation, &teacher];
    for path in [
        run.join("metrics.parquet"),
        run.join("spec.toml"),
        evaluation.join("eval.json"),
        teacher.join("metrics.parquet"),
    ] {
        flip(&path);
        a_changed_record_is_noticed(&site, path.starts_with(&teacher));
        let done = site.kdpipe("run study.toml").code(0);
        assert!(
            done.error.contains(
                "does not have the content that was written (its sha256 differs); it is set aside \
                 as "
            ),
            "{}",
            done.error
        );
        for folder in folders {
            let _ = fs::remove_dir_all(folder.with_extension("bad"));
            let _ = fs::remove_file(folder.with_extension("bad.txt"));
        }
        let differing = differences(&before, &site.results());
        assert_eq!(differing, Vec::<String>::new(), "{}", path.display());
    }
    changed_weights_are_made_again(&site, &run);
}

/// `verify` fails, and a report is refused or says so; of a teacher's record it shows nothing.
fn a_changed_record_is_noticed(site: &TestSite, is_the_teachers: bool) {
    assert_eq!(site.kdpipe("verify study.toml").code, Some(1));
    if site.kdpipe("report study.toml").code == Some(0) && !is_the_teachers {
        let report = fs::read_to_string(site.path("results/tiny/report.md")).unwrap();
        assert!(report.contains("damaged"), "{report}");
    }
}

/// Changed weights are noticed where something is to be made of them: another evaluation of the
/// student's, the teacher for another arm.
fn changed_weights_are_made_again(site: &TestSite, run: &Path) {
    let train_again = |changed: &str, what: &str| {
        let done = site
            .kdpipe(&format!("run study.toml --set {changed}"))
            .code(0);
        assert!(
            done.error
                .contains("student/model.safetensors does not have the content")
                && done.error.contains(what),
            "{}",
            done.error
        );
    };
    flip(&run.join("student/model.safetensors"));
    train_again("evaluate.stride=8", "training arm=none");
    let cached = files(site.path("cache/teachers"))
        .into_iter()
        .find(|path| path.ends_with("student/model.safetensors"))
        .unwrap();
    flip(&cached);
    train_again("train.steps=4", "training the teacher");
}

#[test]
fn a_damaged_lock_is_set_aside_and_written_anew_where_nothing_is_taken_from_the_hub() {
    let (site, _) = finished();
    let before = site.results();
    let lock = site.path("results/tiny/lock.toml");
    let good = fs::read_to_string(&lock).unwrap();
    let unsealed = &good[..good.trim_end().rfind('\n').unwrap() + 1];
    for (damaged, reason) in [
        (
            good.replacen("tiny", "tine", 1).into_bytes(),
            "it does not have the content that was written (its sha256 differs)",
        ),
        (
            unsealed.as_bytes().to_vec(),
            "it does not end with its sha256",
        ),
        (vec![0xff; 9], "is not text: byte 0 is not UTF-8"),
    ] {
        fs::write(&lock, &damaged).unwrap();
        assert_ne!(site.kdpipe("verify study.toml").code, Some(0));
        // Looks at the study leave it as it is.
        site.kdpipe("plan study.toml").code(0);
        site.kdpipe("check study.toml").code(0);
        assert_eq!(fs::read(&lock).unwrap(), damaged);
        let done = site.kdpipe("run study.toml").code(0);
        let told: Vec<&str> = done
            .error
            .lines()
            .filter(|line| line.contains("lock.toml"))
            .collect();
        assert!(
            told.len() == 1
                && told[0].contains(reason)
                && told[0].ends_with("lock.toml.bad and written anew"),
            "{}",
            done.error
        );
        assert!(
            done.error.contains("1 run is finished already"),
            "{}",
            done.error
        );
        assert_eq!(fs::read(lock.with_extension("toml.bad")).unwrap(), damaged);
        fs::remove_file(lock.with_extension("toml.bad")).unwrap();
        fs::remove_file(lock.with_extension("toml.bad.txt")).unwrap();
        assert_eq!(
            differences(&before, &site.results()),
            Vec::<String>::new(),
            "{reason}"
        );
        assert!(
            !site
                .kdpipe("run study.toml")
                .code(0)
                .error
                .contains("lock.toml"),
            "it is said once"
        );
        site.kdpipe("verify study.toml").code(0);
    }
}

#[test]
fn a_run_from_another_machine_without_its_weights_makes_place_for_one_that_is_whole() {
    let (site, run) = finished();
    fs::remove_file(run.join("student/model.safetensors")).unwrap();
    let checksums = run.join("checksums.toml");
    let text = fs::read_to_string(&checksums).unwrap();
    // On another machine the weights were others.
    let weights = text.find("model.safetensors").unwrap();
    let place = weights + text[weights..].find("sha256 = \"").unwrap() + 10;
    let digit = if &text[place..=place] == "0" {
        "1"
    } else {
        "0"
    };
    fs::write(
        &checksums,
        format!("{}{digit}{}", &text[..place], &text[place + 1..]),
    )
    .unwrap();
    site.kdpipe("run study.toml --weights").code(0);
    assert!(run.join("student/model.safetensors").exists());
    let aside = fs::read_to_string(run.with_extension("bad.txt")).unwrap();
    assert!(
        aside.contains("model.safetensors was not there, and the run was trained again"),
        "{aside}"
    );
    site.kdpipe("verify study.toml").code(0);
}

#[test]
fn weights_that_git_lfs_left_behind_are_weights_that_are_not_there() {
    let (site, run) = finished();
    let weights = run.join("student/model.safetensors");
    let first = fs::read(&weights).unwrap();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n";
    fs::write(&weights, pointer).unwrap();
    let done = site.kdpipe("run study.toml").code(0);
    assert!(done.error.contains("finished already"), "{}", done.error);
    site.kdpipe("verify study.toml").code(0);
    // Where they are wanted they are made again.
    site.kdpipe("run study.toml --weights").code(0);
    assert_eq!(fs::read(&weights).unwrap(), first);
}
