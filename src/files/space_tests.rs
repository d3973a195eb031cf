//! Tests of `space.rs`.

use super::*;

#[test]
fn free_space_is_that_of_the_nearest_folder_there_is() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        free_space(&folder.path().join("no/such/folder")).is_some(),
        free_space(folder.path()).is_some()
    );
    assert!(free_space(Path::new("no-such-folder")).is_some_and(|bytes| bytes > 0));
}
