//! Checkpoints, journals and finished runs that were changed by something else.

use super::*;

#[test]
fn a_flipped_bit_in_a_checkpoint_is_found_and_set_aside() {
    let expected = undisturbed();
    for (file, bytes) in [("state", 8), ("best", 30), ("manifest.toml", 440)] {
        for at in (0..bytes).step_by(if file == "manifest.toml" { 23 } else { 5 }) {
            let root = folder();
            let attempt = unfinished(root.path());
            let path = attempt.folder().join("checkpoints/6").join(file);
            drop(attempt);
            let mut content = std::fs::read(&path).unwrap();
            content[at] ^= 0x04;
            std::fs::write(&path, content).unwrap();
            let mut attempt = again(root.path());
            match attempt.newest_valid_checkpoint(&about()) {
                Ok(None) => assert!(
                    attempt
                        .notes
                        .iter()
                        .any(|note| note.starts_with("the checkpoint of step 6 is broken (")),
                    "{:?}",
                    attempt.notes
                ),
                // A letter of a name or of the version can change and leave a manifest behind: of
                // another run, which is refused, or of the same.
                Err(error) => assert!(
                    file == "manifest.toml" && error.to_string().contains("belongs to another run"),
                    "{error:#}"
                ),
                Ok(Some(_)) => assert_eq!(file, "manifest.toml"),
            }
            let set_aside = attempt.folder().join("checkpoints/6.bad");
            assert_eq!(
                set_aside.exists(),
                attempt.folder().join("checkpoints/6.bad.txt").exists()
            );
            let is_broken = set_aside.exists();
            drop(attempt);
            if is_broken {
                go(root.path()).unwrap();
                assert_eq!(tree(root.path()), expected, "{file} at {at}");
            }
        }
    }
}

#[test]
fn a_checkpoint_of_something_else_is_refused_with_both_values() {
    let root = folder();
    drop(unfinished(root.path()));
    let mut attempt = again(root.path());
    type Change = fn(&mut About);
    let others: [(&str, Change, &str); 5] = [
        (
            "spec",
            |about| about.spec = "8888".into(),
            "`7f3a`, and here it is `8888`",
        ),
        (
            "numerics",
            |about| about.numerics = 2,
            "`1`, and here it is `2`",
        ),
        (
            "data",
            |about| about.data = "d2".into(),
            "`d1`, and here it is `d2`",
        ),
        (
            "teacher",
            |about| about.teacher = Some("t2".into()),
            "`t1`, and here it is `t2`",
        ),
        (
            "instructions",
            |about| about.instructions = "x86_64 avx512f".into(),
            "`x86_64 avx2 fma`, and here it is `x86_64 avx512f`",
        ),
    ];
    for (what, change, values) in others {
        let mut expected = about();
        change(&mut expected);
        let words = format!("its {what} is {values}");
        let error = attempt
            .newest_valid_checkpoint(&expected)
            .unwrap_err()
            .to_string();
        assert!(error.contains(&words), "{what}: {error}");
    }
    // Nor is a teacher asked for where it has no weights of its own making.
    let newer = About {
        version: "0.2.0".into(),
        teacher: None,
        ..about()
    };
    assert_eq!(
        attempt
            .newest_valid_checkpoint(&newer)
            .unwrap()
            .map(|found| found.step),
        Some(6)
    );
}

#[test]
fn one_checkpoint_is_kept_and_the_journal_is_cut_to_it() {
    let root = folder();
    let attempt = unfinished(root.path());
    assert_eq!(
        std::fs::read_dir(attempt.folder().join("checkpoints"))
            .unwrap()
            .count(),
        1
    );
    assert_eq!(attempt.metrics.last_step(), Some(6));
    drop(attempt);
    let mut attempt = again(root.path());
    assert_eq!(attempt.metrics.last_step(), Some(6));
    let found = attempt.newest_valid_checkpoint(&about()).unwrap().unwrap();
    assert_eq!((found.step, found.files.len()), (6, 2));
    assert_eq!(
        (attempt.metrics.last_step(), attempt.timings.last_step()),
        (Some(5), Some(5))
    );
    let state = found.files["state"].clone();
    attempt
        .save_checkpoint(6, &[("state", state), ("best", vec![7; 30])], &about())
        .unwrap();
    let error = attempt
        .save_checkpoint(6, &[("state", vec![0; 8])], &about())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("holds another state of the same step"),
        "{error}"
    );
}

#[test]
fn a_checkpoint_is_no_use_without_the_rows_before_it() {
    let root = folder();
    let attempt = unfinished(root.path());
    let journal = attempt.folder().join("metrics.journal");
    drop(attempt);
    let bytes = std::fs::read(&journal).unwrap();
    std::fs::write(&journal, &bytes[..bytes.len() / 2]).unwrap();
    let mut attempt = again(root.path());
    assert!(attempt.newest_valid_checkpoint(&about()).unwrap().is_none());
    let lost = "the journal of metrics no longer holds the steps before it";
    assert!(
        attempt.notes.iter().any(|note| note.contains(lost)),
        "{:?}",
        attempt.notes
    );
    assert_eq!(attempt.metrics.last_step(), None);
}

/// Four rows with every kind of number, and the journal's length after each.
fn written_journal(path: &Path) -> (Vec<MetricsRow>, Vec<u64>) {
    let row = |step| {
        let odd = f64::from_bits(0x7ff8_0000_0000_0001 + step);
        (step, values(&[("loss", odd), ("µ", -0.0), ("lr", 0.1)]))
    };
    let rows: Vec<MetricsRow> = (0..4).map(row).collect();
    let mut journal = Journal::open(path).unwrap();
    let mut ends = Vec::new();
    for (step, values) in &rows {
        journal.append(*step, values).unwrap();
        ends.push(std::fs::metadata(path).unwrap().len());
    }
    (rows, ends)
}

/// Steps, names and the bits of every number, that of NaN too.
fn bits(rows: &[MetricsRow]) -> Vec<(u64, Vec<(String, u64)>)> {
    let of_row = |values: &MetricValues| {
        let pairs = values.iter();
        pairs
            .map(|(name, value)| (name.clone(), value.to_bits()))
            .collect()
    };
    rows.iter()
        .map(|(step, values)| (*step, of_row(values)))
        .collect()
}

#[test]
fn steps_of_a_journal_never_go_back() {
    let folder = folder();
    let path = folder.path().join("journal");
    written_journal(&path);
    let mut journal = Journal::open(&path).unwrap();
    let error = journal.append(2, &values(&[])).unwrap_err().to_string();
    assert!(
        error.ends_with("has step 3 already where step 2 was to be added"),
        "{error}"
    );
}

#[test]
fn a_torn_journal_keeps_its_whole_rows_wherever_it_is_cut() {
    let folder = folder();
    let path = folder.path().join("journal");
    let (rows, ends) = written_journal(&path);
    let bytes = std::fs::read(&path).unwrap();
    for cut in 0..=bytes.len() {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let mut journal = Journal::open(&path).unwrap();
        let whole = ends.iter().filter(|&&end| end <= cut as u64).count();
        let read = journal.read().unwrap();
        assert_eq!(bits(&read), bits(&rows[..whole]), "cut at {cut}");
        for (step, values) in &rows[whole..] {
            journal.append(*step, values).unwrap();
        }
        drop(journal);
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "cut at {cut}");
    }
}

#[test]
fn a_flipped_bit_ends_a_journal_before_its_row() {
    let folder = folder();
    let path = folder.path().join("journal");
    let (_, ends) = written_journal(&path);
    let bytes = std::fs::read(&path).unwrap();
    for at in 17..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 0x10;
        std::fs::write(&path, &broken).unwrap();
        let whole = ends.iter().filter(|&&end| end <= at as u64).count();
        assert_eq!(
            Journal::open(&path).unwrap().read().unwrap().len(),
            whole,
            "flipped at {at}"
        );
    }
    std::fs::write(&path, "something else").unwrap();
    assert!(
        Journal::open(&path)
            .unwrap_err()
            .to_string()
            .contains("is not a journal of this version")
    );
}

#[test]
fn a_file_that_vanished_from_a_finished_run_comes_back() {
    let expected = undisturbed();
    for (file, is_listed) in [
        ("student/model.safetensors", true),
        ("metrics.parquet", true),
        ("checksums.toml", true),
        ("evals/e1/eval.json", true),
        ("timings.parquet", false),
    ] {
        let root = folder();
        go(root.path()).unwrap();
        std::fs::remove_file(root.path().join("study/runs/7f3a").join(file)).unwrap();
        go(root.path()).unwrap();
        let mut found = tree(root.path());
        found.retain(|name, _| !name.contains(".bad"));
        if is_listed {
            assert_eq!(found, expected, "{file}");
        } else {
            assert_eq!(found.len() + 1, expected.len());
        }
    }
}
