//! Tests of `diff_bytes.rs`.

use super::*;

#[test]
fn equal_folders_differ_in_nothing_and_times_do_not_count() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (folder, seconds) in [(&a, "12 s"), (&b, "15 s")] {
        let report = format!("# Study\n<!-- times -->\ntook {seconds}\n<!-- /times -->\nend\n");
        std::fs::write(folder.path().join("report.md"), report).unwrap();
        std::fs::write(folder.path().join("speed.json"), seconds).unwrap();
    }
    assert_eq!(
        differences(a.path(), b.path()).unwrap(),
        Vec::<String>::new()
    );
}

#[test]
fn the_first_differing_line_and_missing_files_are_named() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(a.path().join("spec.toml"), "seed = 0\nsteps = 5\n").unwrap();
    std::fs::write(b.path().join("spec.toml"), "seed = 0\nsteps = 6\n").unwrap();
    std::fs::write(a.path().join("only.json"), "{}").unwrap();
    let found = differences(a.path(), b.path()).unwrap();
    assert_eq!(
        found[0],
        format!("only.json: only in {}", a.path().display())
    );
    assert_eq!(found[1], "spec.toml: line 2: steps = 5 | steps = 6");
}

#[test]
fn other_ends_of_lines_are_other_bytes() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(a.path().join("runs.csv"), "run,loss\n1,2\n").unwrap();
    std::fs::write(b.path().join("runs.csv"), "run,loss\r\n1,2\r\n").unwrap();
    assert_eq!(
        differences(a.path(), b.path()).unwrap(),
        ["runs.csv: the ends of its lines differ"]
    );
}
