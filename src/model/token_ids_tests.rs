//! Tests of `token_ids.rs`. What ends a text is what `generation_config` of a model has that
//! transformers 5.24 loaded from such a folder.

use super::*;

fn read(config: &str, generation: Option<&str>) -> TokenIds {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    if let Some(generation) = generation {
        std::fs::write(folder.path().join("generation_config.json"), generation).unwrap();
    }
    TokenIds::read(folder.path()).unwrap()
}

#[test]
fn a_text_ends_where_transformers_ends_it() {
    let none: &[u32] = &[];
    for (config, generation, expected) in [
        ("{}", None, none),
        (r#"{"eos_token_id": 5, "bos_token_id": 4}"#, None, &[5]),
        (r#"{"eos_token_id": [5, 6]}"#, None, &[5, 6]),
        (
            r#"{"eos_token_id": 5}"#,
            Some(r#"{"eos_token_id": [7, 8]}"#),
            &[7, 8],
        ),
        (
            r#"{"eos_token_id": 5}"#,
            Some(r#"{"bos_token_id": 3}"#),
            none,
        ),
        (r#"{"eos_token_id": 5}"#, Some("{}"), none),
        (r#"{"eos_token_id": null}"#, None, none),
        (
            r#"{"eos_token_id": 5}"#,
            Some(r#"{"eos_token_id": null}"#),
            none,
        ),
    ] {
        assert_eq!(
            read(config, generation).stops(),
            expected,
            "{config} {generation:?}"
        );
    }
}

#[test]
fn a_student_gets_its_teachers_ids_and_settings() {
    let ids = read(
        r#"{"eos_token_id": [5, 6], "pad_token_id": 1, "n_layer": 2}"#,
        Some(r#"{"eos_token_id": 7, "temperature": 0.5}"#),
    );
    assert!(ids.differ());
    let mut config = json!({"n_layer": 1, "bos_token_id": 9, "eos_token_id": 9});
    ids.put_into_config(&mut config);
    assert_eq!(
        config,
        json!({"n_layer": 1, "bos_token_id": 9, "eos_token_id": [5, 6], "pad_token_id": 1})
    );
    assert_eq!(
        ids.generation(9),
        json!({"eos_token_id": 7, "temperature": 0.5})
    );
    let ids = read(r#"{"eos_token_id": [5, 6]}"#, None);
    assert!(!ids.differ());
    assert_eq!(
        ids.generation(9),
        json!({"bos_token_id": 9, "eos_token_id": [5, 6], "pad_token_id": 5})
    );
    assert_eq!(
        read("{}", None).generation(9),
        json!({"bos_token_id": 9, "eos_token_id": 9, "pad_token_id": 9})
    );
}

#[test]
fn files_that_are_no_objects_are_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("generation_config.json"), "[]").unwrap();
    let error = TokenIds::read(folder.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("generation_config.json is not a JSON object"),
        "{error}"
    );
}
