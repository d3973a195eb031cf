//! Tests of `partial.rs`.

use super::*;

#[test]
fn what_any_process_has_of_a_file_is_known_before_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blob");
    assert_eq!(Partial::length_so_far(&path), 0);
    let mut longer = Partial::take(&path).unwrap();
    longer.append(&[1; 7]).unwrap();
    let mut shorter = Partial::take(&path).unwrap();
    shorter.append(&[1; 3]).unwrap();
    assert_eq!(Partial::length_so_far(&path), 7);
    drop(longer);
    assert_eq!(
        Partial::length_so_far(&path),
        7,
        "it waits for the next attempt"
    );
    assert_eq!(
        Partial::length_so_far(&folder.path().join("blo")),
        0,
        "another name"
    );
    Partial::take(&path).unwrap().finish(&path).unwrap();
    assert_eq!(Partial::length_so_far(&path), 3);
}
