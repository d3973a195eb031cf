//! What is stored is what was written: `verify`, and folders that came without their weights or from another machine.

use std::fs;
use std::path::PathBuf;

use crate::builder::Site;

/// The study with one arm, finished, and the folder of its only run.
fn finished() -> (Site, PathBuf) {
    let site = Site::tiny(&[("arm = [\"none\", \"mse\", \"wasserstein\"]", "arm = [\"none\"]")]);
    site.kdpipe("run study.toml").code(0);
    let runs = fs::read_dir(site.path("results/tiny/runs")).unwrap();
    let folder = runs.flatten().next().unwrap().path();
    (site, folder)
}

/// Every file below a folder.
fn files(folder: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() { found.extend(files(entry.path())) } else { found.push(entry.path()) }
    }
    found.sort();
    found
}

#[test]
fn one_changed_byte_anywhere_is_found() {
    let (site, _) = finished();
    assert!(site.kdpipe("verify study.toml").code(0).out.starts_with("all is as it was written: "));
    let mut changed = 0;
    for path in files(site.path("results/tiny")) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // Times are covered by nothing.
        if ["timings.parquet", "events.jsonl", "speed.json"].contains(&name.as_str()) {
            continue;
        }
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        fs::write(&path, bad).unwrap();
        assert_eq!(site.kdpipe("verify study.toml --json").code, Some(1), "{}", path.display());
        fs::write(&path, good).unwrap();
        changed += 1;
    }
    assert!(changed > 15, "{changed}");
    site.kdpipe("verify study.toml").code(0);
}

#[test]
fn weights_that_were_not_kept_are_no_fault_and_come_back_with_the_next_run() {
    let (site, run) = finished();
    let weights = run.join("student/model.safetensors");
    let before = site.results();
    fs::remove_file(&weights).unwrap();
    assert!(site.kdpipe("verify study.toml").code(0).out.contains("files of weights that are not here: 1"));
    site.kdpipe("report study.toml").code(0);
    site.kdpipe("run study.toml").code(0);
    assert!(weights.exists());
    assert!(before == site.results(), "another result");
}

#[test]
fn a_run_from_another_machine_without_its_weights_makes_place_for_one_that_is_whole() {
    let (site, run) = finished();
    fs::remove_file(run.join("student/model.safetensors")).unwrap();
    let checksums = run.join("checksums.toml");
    let text = fs::read_to_string(&checksums).unwrap();
    let place = text.find("sha256 = \"").unwrap() + 10;
    let digit = if &text[place..=place] == "0" { "1" } else { "0" };
    fs::write(&checksums, format!("{}{digit}{}", &text[..place], &text[place + 1..])).unwrap();
    site.kdpipe("run study.toml").code(0);
    assert!(run.join("student/model.safetensors").exists());
    let aside = fs::read_to_string(run.with_extension("bad.txt")).unwrap();
    assert!(aside.contains("model.safetensors was not there, and the run was trained again"), "{aside}");
    site.kdpipe("verify study.toml").code(0);
}
