//! Tests of `data_patterns.rs`.

use super::*;

#[test]
fn names_are_matched_by_wildcards_and_classes() {
    for (pattern, name, is_match) in [
        ("a*c", "abc", true),
        ("a*c", "ac", true),
        ("a*c", "abcd", false),
        ("*a*a*", "banana", true),
        ("?", "é", true),
        ("?", "", false),
        ("[a-c]x", "bx", true),
        ("[!a-c]x", "bx", false),
        ("[!a-c]x", "dx", true),
        ("[]]", "]", true),
        ("[-._ 0-9]", "-", true),
        ("[-._ 0-9]", "7", true),
        ("[-._ 0-9]", "a", false),
        ("a[b", "a[b", true),
        ("{a,b}", "a", false),
        ("train[-._ 0-9]*", "train.parquet", true),
        ("train[-._ 0-9]*", "trains.parquet", false),
    ] {
        assert_eq!(name_matches(pattern, name), is_match, "{pattern} {name}");
    }
    // A pattern of many stars takes no time that grows with all of them.
    let stars = "a*".repeat(40);
    assert!(!name_matches(&format!("{stars}b"), &"a".repeat(2000)));
}

#[test]
fn a_pattern_that_leads_out_of_the_repo_is_refused() {
    for pattern in ["https://example.com/a", "/a", "zip://a::b.zip"] {
        let error = matches(pattern, "", &["a"]).unwrap_err().to_string();
        assert!(error.ends_with("leads out of the repo"), "{error}");
    }
    assert_eq!(
        matches("../a", "d", &["a", "d/a"]).unwrap(),
        Vec::<&str>::new()
    );
    assert_eq!(matches("./a", "./d/", &["a", "d/a"]).unwrap(), ["d/a"]);
}
