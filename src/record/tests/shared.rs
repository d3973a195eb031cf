//! Work that several runs share, and what is counted and told of runs in work.

use super::*;

fn layout(root: &Path) -> Layout {
    Layout::new(root, "study")
}

#[test]
fn shared_work_is_held_by_one_and_leaves_nothing() {
    let root = folder();
    let (layout, group) = (layout(root.path()), SharedWork::Group("abc"));
    assert_eq!(group.owner(&layout), None);
    let SharedClaim::Ours(lock) = group.claim(&layout).unwrap() else {
        panic!("not ours")
    };
    let owner = group.owner(&layout).unwrap();
    assert!(owner.starts_with("process "), "{owner}");
    let again = group.claim(&layout).unwrap();
    assert!(matches!(again, SharedClaim::HeldBy(words) if words == owner));
    // A teacher of the same key is another thing.
    assert_eq!(SharedWork::Teacher("abc").owner(&layout), None);
    drop(lock);
    assert!(!layout.root.join("work").exists());
}

#[test]
fn what_dead_processes_left_of_shared_work_is_swept_and_what_is_held_stays() {
    let root = folder();
    let layout = layout(root.path());
    let SharedClaim::Ours(held) = SharedWork::Group("held").claim(&layout).unwrap() else {
        panic!("not ours")
    };
    let lock = std::fs::read_to_string(layout.work("group-held").join("lock")).unwrap();
    let dead = layout.work("teacher-dead");
    std::fs::create_dir_all(&dead).unwrap();
    let process = format!("process = {}\n", std::process::id());
    std::fs::write(
        dead.join("lock"),
        lock.replace(&process, "process = 4294967295\n"),
    )
    .unwrap();
    std::fs::write(dead.join(".lock.x.new"), "half").unwrap();
    sweep(&layout).unwrap();
    assert!(!dead.exists());
    assert!(SharedWork::Group("held").owner(&layout).is_some());
    drop(held);
    assert!(!layout.root.join("work").exists());
}

#[test]
fn starts_from_one_step_are_counted_and_begin_anew_with_a_later_step() {
    let root = folder();
    let RunClaim::Ours(attempt) = Attempt::open_or_new(&layout(root.path()), ID).unwrap() else {
        panic!("not ours")
    };
    let counts = [0, 0, 0, 4, 4].map(|step| attempt.count_start(step).unwrap());
    assert_eq!(counts, [0, 1, 2, 0, 1]);
    attempt.forget_starts().unwrap();
    let counts = [4, 4, 4, 4, 4, 4, 4].map(|step| attempt.count_start(step).unwrap());
    assert_eq!(
        counts,
        [0, 1, 2, 3, 4, 4, 4],
        "it does not count beyond what decides"
    );
}

#[test]
fn a_checkpoint_of_another_kind_of_machine_is_told_apart_from_what_is_refused() {
    let root = folder();
    let mut attempt = unfinished(root.path());
    attempt
        .save_checkpoint(3, &[("state", b"x")], &about())
        .unwrap();
    let here = About {
        instructions: "x86_64 avx512f".into(),
        ..about()
    };
    let error = attempt.newest_valid_checkpoint(&here).unwrap_err();
    let other = error.downcast_ref::<OtherMachine>().unwrap();
    assert_eq!(other.instructions, "x86_64 avx2 fma");
    let words = "its instructions is `x86_64 avx2 fma`, and here it is `x86_64 avx512f`";
    assert!(error.to_string().contains(words), "{error}");
    let of_other_data = About {
        data: "d2".into(),
        ..here
    };
    let error = attempt.newest_valid_checkpoint(&of_other_data).unwrap_err();
    assert!(error.downcast_ref::<OtherMachine>().is_none());
}
