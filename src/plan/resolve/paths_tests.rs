//! Tests of `paths.rs`.

use super::*;

#[test]
fn a_tilde_is_told_with_the_path_that_it_stands_for() {
    let folder = tempfile::tempdir().unwrap();
    let why = |written: &str| why_not("teacher.path", &InputPath::new(written, folder.path()));
    let home = std::env::home_dir().unwrap();
    let (message, hint) = why("~/models/gpt2").unwrap();
    assert_eq!(
        message,
        "teacher.path = \"~/models/gpt2\": a shell makes a home folder of ~, and kdpipe does not"
    );
    assert_eq!(
        hint,
        format!(
            "write \"{}\" for \"~/models/gpt2\"",
            home.join("models/gpt2").display()
        )
    );
    assert_eq!(
        why("~other/m").unwrap().1,
        "write the home folder's own path for ~other"
    );
    assert!(why("~").is_some() && why("~/*.txt").is_some());
    for plain in ["~notes.txt", "./~/m", "/~/m", "a~/m", "m", "a/~/m"] {
        assert_eq!(why(plain), None, "{plain}");
    }
    std::fs::create_dir(folder.path().join("~")).unwrap();
    assert_eq!(why("~/m"), None, "a folder of that name");
}
