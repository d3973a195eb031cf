//! Tests of `json_bytes.rs`.

use super::*;

/// What comes out, read so many bytes at a time.
fn changed(text: &str, step: usize) -> String {
    let mut bytes = JsonBytes::new(text.as_bytes());
    let (mut out, mut buffer) = (Vec::new(), vec![0; step]);
    loop {
        match bytes.read(&mut buffer).unwrap() {
            0 => return String::from_utf8(out).unwrap(),
            count => out.extend_from_slice(&buffer[..count]),
        }
    }
}

#[test]
fn a_list_becomes_its_items_and_every_byte_keeps_its_place() {
    for (text, out) in [
        (r#"{"a": [1, 2]}"#, r#"{"a": [1, 2]}"#),
        (
            " [1, [2, 3], {\"b\": [4, 5]}]\n",
            "  1  [2, 3]  {\"b\": [4, 5]} \n",
        ),
        (r#"["[,]", "\"],"]"#, r#" "[,]"  "\"]," "#),
        // What stands behind the list stays as it is, for the reader to refuse.
        ("[1]\n[2, 3]", " 1 \n[2, 3]"),
        ("1 [2, 3]", "1 [2, 3]"),
    ] {
        for step in [1, 2, 3, 100] {
            assert_eq!(changed(text, step), out, "{step}");
        }
    }
}

#[test]
fn numbers_that_json_does_not_have_become_plain_ones_outside_of_texts() {
    for (text, out) in [
        (
            r#"{"a": NaN, "b": -Infinity, "c": "NaN Infinity"}"#,
            r#"{"a": 0  , "b": -0       , "c": "NaN Infinity"}"#,
        ),
        // Half a word is not one.
        (r#"{"a": Nan}"#, r#"{"a": 0 n}"#),
    ] {
        for step in [1, 2, 100] {
            assert_eq!(changed(text, step), out, "{step}");
        }
    }
}
