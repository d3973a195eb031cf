//! Tests of `kernels.rs`.

use super::*;

#[test]
fn kernels_are_kept_by_what_they_were_made_of_and_damaged_ones_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = KeptKernels(Some(folder.path().join("kernels")));
    assert_eq!(store.kept("a text"), None);
    store.keep("a text", b"an\nimage");
    assert_eq!(store.kept("a text").as_deref(), Some(&b"an\nimage"[..]));
    assert_eq!(store.kept("another text"), None);
    let file = store.file("a text").unwrap();
    let whole = std::fs::read(&file).unwrap();
    for damaged in [
        &whole[..whole.len() - 1],
        &whole[..3],
        b"",
        b"\n",
        b"x\nan\nimage",
    ] {
        std::fs::write(&file, damaged).unwrap();
        assert_eq!(store.kept("a text"), None);
    }
    store.keep("a text", b"an\nimage");
    assert_eq!(std::fs::read(&file).unwrap(), whole);
    // Nowhere to keep them is no fault.
    let nowhere = KeptKernels(None);
    nowhere.keep("a text", b"an image");
    assert_eq!(nowhere.kept("a text"), None);
}
