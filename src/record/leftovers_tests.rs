//! Tests of `leftovers.rs`.

use super::*;

fn write(path: &Path, text: &str) {
    files::create_folders(path.parent().unwrap()).unwrap();
    files::write_atomically(path, text.as_bytes()).unwrap();
}

fn names(layout: &Layout, found: &[Leftover]) -> Vec<(LeftoverKind, String, u64)> {
    let name = |leftover: &Leftover| {
        let path = leftover.path.strip_prefix(&layout.root).unwrap();
        (leftover.kind, path.display().to_string(), leftover.bytes)
    };
    found.iter().map(name).collect()
}

/// A study's folder: names and texts.
const FILES: [(&str, &str); 14] = [
    ("report.md", "page"),
    ("runs/a/metrics.parquet", "12345"),
    ("runs/a/evals/k/eval.json", "{}"),
    ("runs/a/evals/old/eval.json", "{}!"),
    ("runs/b/metrics.parquet", "1234"),
    ("runs/b/student/model.safetensors", "123456"),
    ("runs/a.bad/metrics.parquet", "x"),
    ("runs/a.bad.txt", "why"),
    ("lock.toml.bad", "ab"),
    ("teachers/t/evals/u/eval.json", "{}"),
    ("teachers/s/evals/u/eval.json", "{}"),
    ("work/a/attempt/journal", "kept"),
    ("work/c/attempt/journal", "left"),
    ("work/d/attempt/journal", "somebody's"),
];

#[test]
fn what_no_cell_has_is_found_and_removed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path(), "study");
    let at = |name: &str| layout.root.join(name);
    for (name, text) in FILES {
        write(&at(name), text);
    }
    let LockClaim::Acquired(_held) = Lock::acquire(&at("work/d/lock")).unwrap() else {
        panic!("the lock is free");
    };
    let keys =
        |of: &str, key: &str| BTreeMap::from([(of.to_owned(), BTreeSet::from([key.to_owned()]))]);
    let wanted = StudyParts {
        runs: keys("a", "k"),
        teachers: keys("t", "u"),
    };
    let found = leftovers(&layout, &wanted).unwrap();
    use LeftoverKind::{Evaluation, Run, SetAside, Teacher, Work};
    assert_eq!(
        names(&layout, &found),
        [
            (Run, "runs/b".to_owned(), 10),
            (Teacher, "teachers/s".to_owned(), 2),
            (Evaluation, "runs/a/evals/old".to_owned(), 3),
            (Work, "work/c".to_owned(), 4),
            (SetAside, "lock.toml.bad".to_owned(), 2),
            (SetAside, "runs/a.bad".to_owned(), 1),
            (SetAside, "runs/a.bad.txt".to_owned(), 3),
        ]
    );
    assert!(
        found
            .iter()
            .all(|leftover| remove_leftover(leftover).unwrap())
    );
    assert_eq!(leftovers(&layout, &wanted).unwrap(), []);
    for kept in [
        "report.md",
        "runs/a/metrics.parquet",
        "runs/a/evals/k/eval.json",
        "teachers/t/evals/u/eval.json",
        "work/a/attempt/journal",
        "work/d/attempt/journal",
    ] {
        assert!(at(kept).exists(), "{kept}");
    }
    for gone in ["runs/b", "work/c", "teachers/s", "runs/a.bad"] {
        assert!(!at(gone).exists(), "{gone}");
    }
}

#[test]
fn work_that_somebody_is_at_by_now_stays() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path(), "study");
    write(&layout.work("c").join("attempt/journal"), "left");
    let found = leftovers(&layout, &StudyParts::default()).unwrap();
    assert_eq!(found.len(), 1);
    let LockClaim::Acquired(_held) = Lock::acquire(&layout.work("c").join("lock")).unwrap() else {
        panic!("the lock is free");
    };
    assert!(!remove_leftover(&found[0]).unwrap());
    assert!(layout.work("c").join("attempt/journal").exists());
}

#[test]
fn a_study_that_is_not_there_has_nothing_left_over() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path(), "study");
    assert_eq!(leftovers(&layout, &StudyParts::default()).unwrap(), []);
}
