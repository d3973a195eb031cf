//! Tests of `models.rs`.

use super::*;

#[test]
fn an_index_names_files_beside_it_and_nothing_else() {
    let index = br#"{"weight_map": {
        "a": "model-2.safetensors", "b": "model-1.safetensors", "c": "model-2.safetensors"}}"#;
    assert_eq!(
        parts(index).unwrap(),
        ["model-1.safetensors", "model-2.safetensors"]
    );
    for bad in [
        "",
        "[]",
        "{}",
        r#"{"weight_map": {}}"#,
        r#"{"weight_map": {"a": 1}}"#,
        r#"{"weight_map": {"a": "../x.safetensors"}}"#,
    ] {
        assert!(parts(bad.as_bytes()).is_err(), "{bad}");
    }
}
