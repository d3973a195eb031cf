//! Tests of `lock.rs`, with many takers of one lock.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::files::tests::{folder, tree};

fn take(path: &Path) -> Option<Lock> {
    match Lock::acquire(path).unwrap() {
        LockClaim::Acquired(lock) => Some(lock),
        LockClaim::HeldBy(_) => None,
    }
}

#[test]
fn a_lock_is_held_by_one_and_goes_with_its_owner() {
    let root = folder();
    let path = root.path().join("work/lock");
    let lock = take(&path).unwrap();
    match Lock::acquire(&path).unwrap() {
        LockClaim::HeldBy(words) => assert!(
            words.starts_with(&format!("process {} on ", std::process::id())),
            "{words}"
        ),
        LockClaim::Acquired(_) => panic!("held twice"),
    }
    assert!(lock.is_held() && lock.taken_over.is_none());
    drop(lock);
    assert_eq!(tree(root.path()).len(), 0);
    assert!(take(&path).is_some());
}

#[test]
fn the_lock_of_a_dead_process_is_taken_over_and_named() {
    let root = folder();
    let path = root.path().join("lock");
    let dead = Owner {
        start: "1".into(),
        ..Owner::this().clone()
    };
    if dead.boot.is_empty() {
        return;
    }
    std::fs::write(&path, format!("{}token = 0123\n", dead.to_text())).unwrap();
    let lock = take(&path).unwrap();
    let words = lock.taken_over.clone().unwrap();
    assert!(
        words.contains(&format!("was left by process {} on ", dead.process))
            && words.ends_with("it is taken over"),
        "{words}"
    );
    drop(lock);
    assert_eq!(tree(root.path()).len(), 0);
}

#[test]
fn an_owner_elsewhere_is_believed_until_it_is_silent() {
    let root = folder();
    let path = root.path().join("lock");
    let elsewhere = Owner {
        host: "elsewhere".into(),
        ..Owner::this().clone()
    };
    for content in [
        format!("{}token = 0123\n", elsewhere.to_text()),
        "half a lo".to_owned(),
    ] {
        std::fs::write(&path, content).unwrap();
        assert!(take(&path).is_none());
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(600))
            .unwrap();
        assert!(take(&path).is_some());
    }
}

#[test]
fn of_many_takers_of_a_dead_lock_one_has_it_at_a_time() {
    let root = folder();
    let dead = Owner {
        start: "1".into(),
        ..Owner::this().clone()
    };
    if dead.boot.is_empty() {
        return;
    }
    for round in 0..20 {
        let path = root.path().join(format!("work/{round}/lock"));
        create_folders(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("{}token = 0123\n", dead.to_text())).unwrap();
        if round % 2 == 0 {
            // A taker died, too, while it was taking over.
            let guard = path.with_file_name("lock.takeover");
            std::fs::write(guard, format!("{}token = 4567\n", dead.to_text())).unwrap();
        }
        let (inside, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let Some(lock) = take(&path) else { continue };
                        assert_eq!(
                            inside.fetch_add(1, Ordering::SeqCst),
                            0,
                            "two have the lock"
                        );
                        taken.fetch_add(1, Ordering::SeqCst);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert!(taken.load(Ordering::SeqCst) > 0, "nobody got it");
        assert!(take(&path).is_some(), "it is free afterwards");
    }
    assert_eq!(tree(root.path()).len(), 0, "{:?}", tree(root.path()).keys());
}

#[test]
fn the_living_owner_is_told_without_taking_or_changing_anything() {
    let root = folder();
    let path = root.path().join("work/lock");
    assert_eq!(Lock::living_owner(&path), None);
    let lock = take(&path).unwrap();
    let before = tree(root.path());
    let words = Lock::living_owner(&path).unwrap();
    assert!(words.starts_with("process "), "{words}");
    assert_eq!(tree(root.path()), before);
    drop(lock);
    assert_eq!(Lock::living_owner(&path), None);
    let dead = Owner {
        start: "1".into(),
        ..Owner::this().clone()
    };
    if dead.boot.is_empty() {
        return;
    }
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, format!("{}token = 0123\n", dead.to_text())).unwrap();
    assert_eq!(Lock::living_owner(&path), None);
    assert!(path.exists(), "a look takes nothing over");
}
