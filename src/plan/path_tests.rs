//! Tests of `path.rs`.

use super::*;

#[test]
fn a_tilde_is_told_with_the_path_that_it_stands_for() {
    let folder = tempfile::tempdir().unwrap();
    let told = |written: &str| InputPath::new(written, folder.path()).tilde();
    let home = std::env::home_dir().unwrap();
    let TildePath { reason, remedy } = told("~/models/gpt2").unwrap();
    assert_eq!(
        reason,
        "a shell makes a home folder of ~, and kdpipe does not"
    );
    assert_eq!(
        remedy,
        format!(
            "write \"{}\" for \"~/models/gpt2\"",
            home.join("models/gpt2").display()
        )
    );
    assert_eq!(
        told("~other/m").unwrap().remedy,
        "write the home folder's own path for ~other"
    );
    assert!(told("~").is_some() && told("~/*.txt").is_some());
    for plain in ["~notes.txt", "./~/m", "/~/m", "a~/m", "m", "a/~/m", ""] {
        assert_eq!(told(plain), None, "{plain}");
    }
    std::fs::create_dir(folder.path().join("~")).unwrap();
    assert_eq!(told("~/m"), None, "a folder of that name");
}
