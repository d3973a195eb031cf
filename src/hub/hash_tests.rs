//! Tests of `hash.rs`.

use super::*;

#[test]
fn hashes_are_those_of_git_and_of_large_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    std::fs::write(&path, "hello\n").unwrap();
    // `printf 'hello\n' | git hash-object --stdin` and `| sha256sum`.
    let git = Hash::parse("ce013625030ba8dba906f756967f9e9ca394464a").unwrap();
    let sha256 =
        Hash::parse("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03").unwrap();
    assert!(git.is_of(&path, 6).unwrap() && sha256.is_of(&path, 6).unwrap());
    std::fs::write(&path, "hellO\n").unwrap();
    assert!(!git.is_of(&path, 6).unwrap() && !sha256.is_of(&path, 6).unwrap());
    for bad in ["", "abc", &"x".repeat(40), &"A".repeat(64), "../../../x"] {
        assert_eq!(Hash::parse(bad), None);
    }
}
