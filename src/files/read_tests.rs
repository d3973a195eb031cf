//! Tests of `read.rs`.

use super::*;

#[test]
fn a_file_at_the_limit_is_read_and_one_byte_more_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    std::fs::write(&path, b"12345").unwrap();
    assert_eq!(read_limited(&path, 5).unwrap(), b"12345");
    let error = read_limited(&path, 4).unwrap_err().to_string();
    assert!(
        error.ends_with("has 5 bytes, more than the 4 that such a file may have"),
        "{error}"
    );
    assert!(
        read_limited(Path::new("/dev/zero"), 100)
            .unwrap_err()
            .to_string()
            .contains("more than the 100 bytes")
    );
}

#[test]
fn folders_missing_files_and_bytes_that_are_no_text_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let message = |path: &Path| read_text(path, 9).unwrap_err().to_string();
    assert!(message(folder.path()).ends_with("it is a folder, not a file"));
    assert!(
        message(&folder.path().join("no"))
            .ends_with("it, or the folder it belongs in, does not exist")
    );
    std::fs::write(folder.path().join("b"), [b'a', 0xff]).unwrap();
    assert!(message(&folder.path().join("b")).ends_with("is not text: byte 1 is not UTF-8"));
}
