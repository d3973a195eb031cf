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

#[test]
fn all_that_says_what_a_token_is_goes_with_a_tokenizer() {
    let git = "ce013625030ba8dba906f756967f9e9ca394464a";
    let file =
        |path: &str| serde_json::json!({"type": "file", "path": path, "oid": git, "size": 3});
    let paths = [
        ".gitattributes",
        "added_tokens.json",
        "additional_chat_templates/deep/x.jinja",
        "additional_chat_templates/tools.jinja",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "merges.txt",
        "model.safetensors",
        "other/special_tokens_map.json",
        "special_tokens_map.json",
        "tokenizer_config.json",
        "vocab.json",
    ];
    let page = Value::Array(paths.map(file).to_vec());
    let listing = Listing::new(serde_json::from_value(page).unwrap()).unwrap();
    let repo = Repo::model("a/b", "main");
    assert_eq!(
        tokenizer_files(&repo, &listing).unwrap(),
        ["vocab.json", "merges.txt"]
    );
    assert_eq!(
        beside_tokenizer(&listing),
        [
            "added_tokens.json",
            "additional_chat_templates/tools.jinja",
            "chat_template.jinja",
            "config.json",
            "generation_config.json",
            "special_tokens_map.json",
            "tokenizer_config.json",
        ]
    );
    assert_eq!(
        config_files(&listing),
        ["config.json", "generation_config.json"]
    );
}
