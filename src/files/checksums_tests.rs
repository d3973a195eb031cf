//! Tests of `checksums.rs`.

use super::*;
use crate::files::tests::folder;
use crate::files::write_atomically;

#[test]
fn checksums_name_every_kind_of_difference() {
    let root = folder();
    for (name, content) in [
        ("a.txt", "same"),
        ("s/b.txt", "flipped"),
        ("c.txt", "longer"),
        ("d.txt", "gone"),
    ] {
        write_atomically(&root.path().join(name), content.as_bytes()).unwrap();
    }
    let written = write_checksums(root.path(), &["s/b.txt", "a.txt", "d.txt", "c.txt"]).unwrap();
    assert_eq!(written, read_checksums(root.path()).unwrap());
    assert_eq!(
        written.keys().collect::<Vec<_>>(),
        ["a.txt", "c.txt", "d.txt", "s/b.txt"]
    );
    assert_eq!(
        written["a.txt"].sha256,
        "0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5"
    );
    assert_eq!(verify_checksums(root.path()).unwrap(), []);
    std::fs::write(root.path().join("s/b.txt"), "flopped").unwrap();
    std::fs::write(root.path().join("c.txt"), "longer now").unwrap();
    std::fs::remove_file(root.path().join("d.txt")).unwrap();
    let found: Vec<String> = verify_checksums(root.path())
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        found,
        [
            "c.txt has 10 bytes where 6 were written",
            "d.txt is missing",
            "s/b.txt does not have the content that was written (its sha256 differs)"
        ]
    );
    assert_eq!(
        missing_files(root.path()).unwrap(),
        [Path::new("c.txt"), Path::new("d.txt")]
    );
}

#[test]
fn checksums_that_point_outside_are_refused() {
    let root = folder();
    for name in ["../x", "/etc/passwd", "a/../../x"] {
        std::fs::write(
            root.path().join(CHECKSUMS),
            format!("[\"{name}\"]\nbytes = 1\nsha256 = \"00\"\n"),
        )
        .unwrap();
        let error = read_checksums(root.path()).unwrap_err().to_string();
        assert!(error.ends_with("is not a file below its folder"), "{error}");
    }
}
