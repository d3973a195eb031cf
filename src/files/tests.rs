//! Faults at every call, and losses of power after every change.

use std::collections::BTreeMap;
use std::path::Path;

use super::owner::Owner;
use super::test_disk::{Mode, Names, recorded, with_fault};
use super::*;

pub(super) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Everything below a folder, by relative path.
pub(super) fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, at: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(at).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                found.insert(
                    path.strip_prefix(root).unwrap().display().to_string(),
                    std::fs::read(&path).unwrap(),
                );
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}

#[test]
fn a_file_holds_the_old_or_the_new_content_whatever_call_fails() {
    for mode in [Mode::Fails, Mode::Dies] {
        let mut reached = true;
        let mut at = 0;
        while reached {
            at += 1;
            let folder = folder();
            let path = folder.path().join("a/b/report.md");
            write_atomically(&path, b"the old content").unwrap();
            let (result, struck) = with_fault(mode, at, || {
                write_atomically(&path, b"the new content, which is longer")
            });
            reached = struck;
            let found = std::fs::read(&path).unwrap();
            assert!(
                found == b"the old content" || found == b"the new content, which is longer",
                "{mode:?} at {at}"
            );
            assert!(result.is_err() == struck, "{mode:?} at {at}");
            if result.is_ok() {
                assert_eq!(found, b"the new content, which is longer");
            }
            if mode == Mode::Fails {
                assert_eq!(
                    tree(folder.path()).len(),
                    1,
                    "nothing is left beside the file, at {at}"
                );
            }
        }
        assert!(
            at > 4,
            "write, flush, rename and flush of the folder can all fail"
        );
    }
}

#[test]
fn a_file_that_is_written_piece_by_piece_appears_whole_or_not_at_all() {
    use std::io::{Seek, SeekFrom, Write};
    let folder = folder();
    let path = folder.path().join("deep/file");
    let error = write_by(&path, &mut |file| {
        file.write_all(b"half")?;
        anyhow::bail!("no more")
    });
    assert_eq!(
        format!("{:#}", error.unwrap_err()),
        format!("cannot write {}: no more", path.display())
    );
    assert_eq!(tree(folder.path()).len(), 0);
    let header_last = &mut |file: &mut std::fs::File| {
        file.write_all(b"....body")?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file.write_all(b"head")?)
    };
    write_by(&path, header_last).unwrap();
    assert_eq!(
        tree(folder.path()),
        BTreeMap::from([("deep/file".to_owned(), b"headbody".to_vec())])
    );
}

#[test]
fn a_file_holds_the_old_or_the_new_content_whenever_the_power_goes() {
    let root = folder();
    let path = root.path().join("a/lock.toml");
    let (first, changes) = recorded(|| {
        write_atomically(&path, b"old").unwrap();
        let first = std::fs::read(&path).unwrap();
        write_atomically(&path, b"newer").unwrap();
        first
    });
    assert_eq!(first, b"old");
    let mut flushed_old = false;
    for count in 0..=changes.len() {
        for names in [Names::Flushed, Names::All] {
            let disk = folder();
            changes.replay(root.path(), count, names, disk.path());
            let found = std::fs::read(disk.path().join("a/lock.toml")).ok();
            match found.as_deref() {
                None => assert!(!flushed_old, "the file went away after {count} changes"),
                Some(b"old") => flushed_old |= names == Names::Flushed,
                Some(b"newer") => {}
                Some(other) => panic!("{other:?} after {count} changes, {names:?}"),
            }
            if count == changes.len() {
                assert_eq!(found.as_deref(), Some(&b"newer"[..]));
            }
        }
    }
    assert!(flushed_old);
}

#[test]
fn a_folder_appears_whole_or_not_at_all() {
    let files: [(&str, &[u8]); 3] = [
        ("spec.toml", b"seed = 0\n"),
        ("student/config.json", b"{}"),
        ("student/model.safetensors", b"weights"),
    ];
    for mode in [Mode::Fails, Mode::Dies] {
        let mut reached = true;
        let mut at = 0;
        while reached {
            at += 1;
            let root = folder();
            let target = root.path().join("runs/7f3a");
            let (result, struck) = with_fault(mode, at, || write_folder(&target, &files));
            reached = struck;
            if target.exists() {
                assert_eq!(tree(&target).len(), 3, "{mode:?} at {at}");
                assert_eq!(
                    std::fs::read(target.join("student/model.safetensors")).unwrap(),
                    b"weights"
                );
            }
            assert_eq!(result.is_ok(), !struck);
        }
        assert!(at > 10);
    }
    let root = folder();
    let (_, changes) = recorded(|| write_folder(&root.path().join("runs/7f3a"), &files).unwrap());
    for count in 0..=changes.len() {
        for names in [Names::Flushed, Names::All] {
            let disk = folder();
            changes.replay(root.path(), count, names, disk.path());
            let target = disk.path().join("runs/7f3a");
            assert!(
                !target.exists() || tree(&target).values().map(Vec::len).sum::<usize>() == 18,
                "after {count} changes, {names:?}"
            );
            assert!(target.exists() || count < changes.len());
        }
    }
}

#[test]
fn a_folder_that_is_there_stays_as_it_is() {
    let root = folder();
    let target = root.path().join("evals/k");
    assert_eq!(write_folder(&target, &[("a", b"1")]).unwrap(), Placed::Done);
    assert_eq!(
        write_folder(&target, &[("a", b"2"), ("b", b"3")]).unwrap(),
        Placed::TargetExists
    );
    assert_eq!(
        tree(root.path()),
        BTreeMap::from([("evals/k/a".to_owned(), b"1".to_vec())])
    );
    let other = root.path().join("other");
    create_folders(&other).unwrap();
    write_new(&other.join("x"), b"").unwrap();
    assert_eq!(
        rename_folder(&other, &target).unwrap(),
        Placed::TargetExists
    );
    assert!(rename_folder(&root.path().join("none"), &root.path().join("new")).is_err());
}

#[test]
fn what_a_kill_left_in_the_making_goes_with_the_next_write() {
    let root = folder();
    let path = root.path().join("report.md");
    let (result, _) = with_fault(Mode::Dies, 2, || write_atomically(&path, b"content"));
    assert!(result.is_err());
    let left: Vec<String> = tree(root.path()).into_keys().collect();
    assert_eq!(left.len(), 1);
    // Made by a process of the same number that was started at another time.
    let start = &Owner::this().start;
    if start.is_empty() {
        return;
    }
    let dead = left[0].replace(&format!("-{start}-"), "-1-");
    std::fs::rename(root.path().join(&left[0]), root.path().join(&dead)).unwrap();
    write_atomically(&path, b"content").unwrap();
    assert_eq!(
        tree(root.path()).into_keys().collect::<Vec<_>>(),
        ["report.md"]
    );
}

#[test]
fn a_file_that_grows_is_cut_after_a_write_that_failed() {
    let root = folder();
    let path = root.path().join("journal");
    let mut file = Append::open(&path, 0).unwrap();
    file.append(b"one.").unwrap();
    let (result, _) = with_fault(Mode::Fails, 1, || file.append(b"two."));
    let error = format!("{:#}", result.unwrap_err());
    assert!(error.contains("the disk is full"), "{error}");
    assert_eq!(
        std::fs::read(&path).unwrap(),
        b"one.tw",
        "the first half is there"
    );
    file.append(b"three.").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"one.three.");
    let (result, _) = with_fault(Mode::Fails, 1, || file.sync());
    assert!(result.is_err());
    let error = file.append(b"four.").unwrap_err().to_string();
    assert!(error.contains("could not be flushed before"), "{error}");
    let file = Append::open(&path, 4).unwrap();
    assert_eq!(
        (file.length(), std::fs::read(&path).unwrap()),
        (4, b"one.".to_vec())
    );
    assert!(
        Append::open(&path, 5)
            .unwrap_err()
            .to_string()
            .ends_with("has 4 bytes where 5 are needed")
    );
}

#[test]
fn what_is_broken_is_set_aside_with_its_reason_in_the_place_of_an_earlier_one() {
    let root = folder();
    for reason in ["one", "two"] {
        write_atomically(&root.path().join("100/state"), reason.as_bytes()).unwrap();
        assert_eq!(
            set_aside(&root.path().join("100"), reason).unwrap(),
            root.path().join("100.bad")
        );
        let expected = [
            ("100.bad.txt", format!("{reason}\n")),
            ("100.bad/state", reason.to_owned()),
        ];
        assert_eq!(
            tree(root.path()),
            expected
                .map(|(name, content)| (name.to_owned(), content.into_bytes()))
                .into()
        );
    }
}

#[test]
#[cfg(unix)]
fn removing_a_tree_never_follows_a_link() {
    let root = folder();
    write_atomically(&root.path().join("kept/a"), b"1").unwrap();
    create_folders(&root.path().join("tree/deep")).unwrap();
    std::os::unix::fs::symlink(root.path().join("kept"), root.path().join("tree/deep/link"))
        .unwrap();
    remove_tree(&root.path().join("tree")).unwrap();
    remove_tree(&root.path().join("tree")).unwrap();
    assert_eq!(
        tree(root.path()).into_keys().collect::<Vec<_>>(),
        ["kept/a"]
    );
}
