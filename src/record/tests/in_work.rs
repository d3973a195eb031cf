//! What a process that only looks sees of a run that another one is at.

use super::*;

fn steps(root: &Path) -> Option<(u64, bool)> {
    let found = read_in_work(&Layout::new(root, "study"), ID)?;
    Some((found.step(), found.owner.is_some()))
}

#[test]
fn a_run_is_seen_as_it_is_written_and_nothing_is_changed_by_the_look() {
    let root = folder();
    assert_eq!(steps(root.path()), None);
    let RunClaim::Ours(mut attempt) =
        Attempt::open_or_new(&Layout::new(root.path(), "study"), ID).unwrap()
    else {
        panic!("not ours")
    };
    assert_eq!(steps(root.path()), Some((0, true)));
    for step in 0..3 {
        attempt
            .metrics
            .append(step, &values(&[("loss", 0.5)]))
            .unwrap();
        let seconds = values(&[("seconds", 2.0)]);
        attempt.timings.append(step, &seconds).unwrap();
        let before = tree(root.path());
        assert_eq!(steps(root.path()), Some((step + 1, true)));
        assert_eq!(tree(root.path()), before);
    }
    let found = read_in_work(&Layout::new(root.path(), "study"), ID).unwrap();
    assert_eq!(found.seconds(), (6.0, 2.0));
    assert_eq!(found.metrics[2], (2, values(&[("loss", 0.5)])));
    let words = found.owner.unwrap();
    assert!(words.starts_with("process "), "{words}");
    // Given back: what is there was left by somebody.
    drop(attempt);
    assert_eq!(steps(root.path()), Some((3, false)));
}

#[test]
fn a_torn_end_is_ignored_and_left_to_its_writer() {
    let root = folder();
    let attempt = unfinished(root.path());
    let journal = attempt.folder().join("metrics.journal");
    let whole = std::fs::read(&journal).unwrap();
    // Whatever part of the last row is there: a write is under way.
    for length in whole.len() - 20..whole.len() {
        std::fs::write(&journal, &whole[..length]).unwrap();
        assert_eq!(steps(root.path()), Some((STEPS - 1, true)), "{length}");
        assert_eq!(std::fs::read(&journal).unwrap(), whole[..length]);
    }
    // Nothing of a file that is none, or gone.
    std::fs::write(&journal, "kdpipe jour").unwrap();
    assert_eq!(steps(root.path()), Some((0, true)));
    std::fs::remove_file(&journal).unwrap();
    assert_eq!(steps(root.path()), Some((0, true)));
}

#[test]
fn a_published_run_is_in_work_no_more() {
    let root = folder();
    go(root.path()).unwrap();
    assert_eq!(steps(root.path()), None);
}

#[test]
fn the_reason_of_a_failure_is_kept_until_the_run_is_tried_again() {
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    assert_eq!(read_error(&layout, ID), None);
    write_error(&layout, ID, "the disk is full\n", None).unwrap();
    assert_eq!(read_error(&layout, ID).unwrap(), "the disk is full");
    assert!(!is_begun(&layout, ID), "no attempt is there");
    let attempt = unfinished(root.path());
    assert_eq!(read_error(&layout, ID), None);
    assert!(is_begun(&layout, ID));
    // A failure after the publication goes with what is left of the work.
    attempt.publish().unwrap();
    write_error(&layout, ID, "it cannot be evaluated", None).unwrap();
    sweep(&layout).unwrap();
    assert_eq!(read_error(&layout, ID), None);
    assert!(!layout.work(ID).exists());
}
