//! Tests of `globs.rs`.

use std::fs;

use super::*;

fn site(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    folder
}

fn found(folder: &Path, pattern: &str) -> Vec<String> {
    matches(folder, pattern)
        .unwrap()
        .iter()
        .map(|path| path.strip_prefix(folder).unwrap().display().to_string())
        .collect()
}

#[test]
fn names_that_begin_with_a_point_are_found_by_patterns_that_do() {
    let folder = site(&[
        "a.txt",
        "._a.txt",
        ".hidden.txt",
        ".ipynb_checkpoints/a-checkpoint.txt",
        "sub/b.txt",
        "sub/._b.txt",
        "sub/.ipynb_checkpoints/b-checkpoint.txt",
    ]);
    let folder = folder.path();
    assert_eq!(found(folder, "*.txt"), ["a.txt"]);
    assert_eq!(found(folder, "*"), ["a.txt"]);
    assert_eq!(found(folder, "**/*.txt"), ["a.txt", "sub/b.txt"]);
    assert_eq!(found(folder, "**"), ["a.txt", "sub/b.txt"]);
    assert_eq!(found(folder, "*/*.txt"), ["sub/b.txt"]);
    assert_eq!(found(folder, ".h*.txt"), [".hidden.txt"]);
    assert_eq!(
        found(folder, "sub/.ipynb*/*"),
        ["sub/.ipynb_checkpoints/b-checkpoint.txt"]
    );
    assert_eq!(
        found(folder, ".ipynb_checkpoints/*"),
        [".ipynb_checkpoints/a-checkpoint.txt"]
    );
}

#[test]
fn braces_brackets_and_double_stars_are_those_of_a_shell() {
    let folder = site(&["a/1.txt", "b/c/2.txt", "b/2.md", "d.txt", "{odd}.txt"]);
    let folder = folder.path();
    assert_eq!(found(folder, "{a,b/c}/*.txt"), ["a/1.txt", "b/c/2.txt"]);
    assert_eq!(
        found(folder, "{a,b{,/c}}/*"),
        ["a/1.txt", "b/2.md", "b/c/2.txt"]
    );
    assert_eq!(found(folder, "{d,d}.txt"), ["d.txt"], "each file once");
    assert_eq!(found(folder, "**/[12].{txt,md}").len(), 3);
    assert_eq!(found(folder, "b/**/2.*"), ["b/2.md", "b/c/2.txt"]);
    assert_eq!(found(folder, "\\{odd\\}.*"), ["{odd}.txt"]);
    assert_eq!(found(folder, "./*.txt"), ["d.txt", "{odd}.txt"]);
    let absolute = format!("{}/a/*", folder.display());
    assert!(found_absolute(&absolute).ends_with("a/1.txt"));
    for wrong in ["{a,b", "a}", "[z"] {
        assert!(matches(folder, wrong).is_err(), "{wrong}");
    }
    assert!(
        matches(folder, &"{a,b}".repeat(12)).is_err(),
        "4096 patterns"
    );
}

fn found_absolute(pattern: &str) -> PathBuf {
    matches(Path::new("nowhere"), pattern).unwrap().remove(0)
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_lead_to_each_file_once() {
    use std::os::unix::fs::symlink;
    let folder = site(&["real/a.txt", "real/deep/b.txt", "x/c.txt"]);
    let folder = folder.path();
    symlink(folder.join("real"), folder.join("link")).unwrap();
    symlink(folder, folder.join("real/back")).unwrap();
    symlink(folder.join("x/c.txt"), folder.join("x/copy.txt")).unwrap();
    assert_eq!(found(folder, "l*/*.txt"), ["link/a.txt"]);
    assert_eq!(found(folder, "x/*.txt"), ["x/c.txt"]);
    let all = found(folder, "**/*.txt");
    assert_eq!(all.len(), 3, "{all:?}");
    assert_eq!(found(folder, "link/**/b.txt"), ["link/deep/b.txt"]);
    symlink(folder.join("gone"), folder.join("x/dead.txt")).unwrap();
    let error = matches(folder, "x/*.txt").unwrap_err().to_string();
    assert!(
        error.ends_with("dead.txt is a link to a file that is not there"),
        "{error}"
    );
}
