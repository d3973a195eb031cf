//! Tests of `repo.rs`.

use super::*;

#[test]
fn names_and_revisions_that_could_leave_their_folder_are_refused() {
    for good in [
        "gpt2",
        "openai-community/gpt2",
        "Salesforce/wikitext",
        "a/b.c_d-e",
    ] {
        assert!(Repo::model(good, "main").check().is_ok(), "{good}");
    }
    for bad in [
        "",
        "a/b/c",
        "../x",
        "a/..",
        "/a",
        "a/",
        "a b/c",
        "a/b?c",
        "a--b/c",
        "-a/b",
        "a/.b",
        &"x".repeat(97),
    ] {
        assert!(Repo::model(bad, "main").check().is_err(), "{bad}");
    }
    for good in [
        "main",
        "v1.0",
        "refs/pr/3",
        "refs/convert/parquet",
        "607a30d783dfa663caf39e06633721c8d4cfcd7e",
    ] {
        assert!(Repo::model("a/b", good).check().is_ok(), "{good}");
    }
    for bad in [
        "", "../../x", "/etc", "a//b", "a/./b", "a b", "a\\b", "a?b", "a#b", "a%2fb",
    ] {
        assert!(Repo::model("a/b", bad).check().is_err(), "{bad}");
    }
}

#[test]
fn an_empty_folder_and_a_home_that_no_shell_replaced_each_have_a_text() {
    let folder = tempfile::tempdir().unwrap();
    // A path is no name; only a folder that is named like a model hides one.
    assert_eq!(why_no_model(folder.path()), None);
    assert_eq!(why_no_model(Path::new("src")), None);
    assert_eq!(why_no_model(Path::new("openai-community/gpt2")), None);
    let text = why_no_model(Path::new("~/no such m")).unwrap();
    assert!(
        text.starts_with("~/no such m is not a folder here: ~ stands for a home folder only"),
        "{text}"
    );
    assert!(text.ends_with("/no such m"), "{text}");
    let text = why_no_model(Path::new("~other/m")).unwrap();
    assert!(text.ends_with("write the folder's whole path"), "{text}");
}
