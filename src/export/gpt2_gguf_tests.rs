//! Tests of `gpt2_gguf.rs`.

use super::*;

#[test]
fn arrays_have_the_names_that_llama_cpp_asks_for() {
    // Of its table for GPT-2, in the gguf package 0.19.
    for (ours, theirs) in [
        ("wte.weight", "token_embd.weight"),
        ("wpe.weight", "position_embd.weight"),
        ("h.0.ln_1.bias", "blk.0.attn_norm.bias"),
        ("h.11.attn.c_attn.weight", "blk.11.attn_qkv.weight"),
        ("h.2.attn.c_proj.bias", "blk.2.attn_output.bias"),
        ("h.2.ln_2.weight", "blk.2.ffn_norm.weight"),
        ("h.2.mlp.c_fc.weight", "blk.2.ffn_up.weight"),
        ("h.2.mlp.c_proj.weight", "blk.2.ffn_down.weight"),
        ("ln_f.weight", "output_norm.weight"),
        ("lm_head.weight", "output.weight"),
    ] {
        assert_eq!(tensor_name(ours).as_deref(), Some(theirs));
    }
    assert_eq!(tensor_name("h.0.attn.bias.x"), None);
    assert!(is_transposed("h.2.mlp.c_proj.weight") && !is_transposed("h.2.mlp.c_proj.bias"));
    assert_eq!(
        transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3),
        [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]
    );
}

#[test]
fn another_graph_and_another_cut_are_refused_by_name() {
    let good = Config::new(2, 8, 2, 300, 16);
    assert!(refuse_other_graphs(&good).is_ok());
    let relu = Config {
        activation: Activation::Relu,
        ..good.clone()
    };
    let by_layer = Config {
        scale_by_layer: true,
        ..good
    };
    assert!(
        refuse_other_graphs(&relu)
            .unwrap_err()
            .to_string()
            .contains("gelu_new")
    );
    assert!(
        refuse_other_graphs(&by_layer)
            .unwrap_err()
            .to_string()
            .contains("scales")
    );
    let cut = |pre: Value, normalizer: Value| {
        let content = serde_json::json!({
            "pre_tokenizer": pre, "normalizer": normalizer, "model": {},
        });
        refuse_other_cuts(&content).is_ok()
    };
    let bytes = serde_json::json!({ "type": "ByteLevel", "add_prefix_space": false });
    assert!(cut(bytes.clone(), Value::Null));
    assert!(!cut(bytes, serde_json::json!({ "type": "NFC" })));
    assert!(!cut(
        serde_json::json!({ "type": "ByteLevel", "add_prefix_space": true }),
        Value::Null
    ));
}

/// A tokenizer.json of three tokens, with one that is added.
fn with_added(flag: &str) -> Value {
    let mut token = serde_json::json!({ "id": 3, "content": "<sep>" });
    for known in ["single_word", "lstrip", "rstrip", "normalized", "special"] {
        token[known] = (known == flag).into();
    }
    let bytes = serde_json::json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true
    });
    serde_json::json!({
        "version": "1.0",
        "added_tokens": [token],
        "pre_tokenizer": bytes,
        "decoder": bytes,
        "model": { "type": "BPE", "vocab": { "a": 0, "b": 1, "c": 2 }, "merges": [] },
    })
}

#[test]
fn an_added_token_with_a_flag_that_llama_cpp_lacks_is_refused_by_name() {
    for plain in ["special", "normalized", "none"] {
        assert!(refuse_other_cuts(&with_added(plain)).is_ok(), "{plain}");
    }
    for flag in ["single_word", "lstrip", "rstrip"] {
        let error = refuse_other_cuts(&with_added(flag)).expect_err(flag);
        let words = format!("added token \"<sep>\" has {flag} = true");
        let error = error.to_string();
        assert!(
            error.contains(&words) && error.contains("leave --gguf out"),
            "{error}"
        );
    }
}

#[test]
fn every_token_that_ends_a_generated_text_has_a_key_or_none_is_written() {
    let ends_of = |generation: &str| -> Result<Vec<(String, KeyValue)>> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("generation_config.json"), generation)?;
        let content = with_added("special");
        let tokenizer = Tokenizer::from_json(content.to_string())?;
        let config = Config::new(2, 8, 2, 4, 16);
        let ids = TokenIds::read(folder.path())?;
        let mut keys = tokenizer_keys(&content, &ids, &tokenizer, &config)?;
        keys.retain(|(key, _)| key.ends_with("_token_id"));
        Ok(keys)
    };
    let keys = |ids: &[(&str, u32)]| -> Vec<(String, KeyValue)> {
        let key = |(name, id): &(&str, u32)| {
            (
                format!("tokenizer.ggml.{name}_token_id"),
                KeyValue::U32(*id),
            )
        };
        ids.iter().map(key).collect()
    };
    let found = |generation: &str| ends_of(generation).expect("keys");
    assert_eq!(
        found(r#"{"eos_token_id": 2}"#),
        keys(&[("bos", 2), ("eos", 2)])
    );
    assert_eq!(
        found(r#"{"bos_token_id": 0, "eos_token_id": [2, 3, 2]}"#),
        keys(&[("bos", 0), ("eos", 2), ("eot", 3)])
    );
    assert_eq!(
        found(r#"{"eos_token_id": [2, 3, 1]}"#),
        keys(&[("bos", 2), ("eos", 2), ("eot", 3), ("eom", 1)])
    );
    let error = ends_of(r#"{"eos_token_id": [0, 1, 2, 3]}"#).expect_err("too many");
    let error = error.to_string();
    assert!(
        error.contains("ends at each of 4 tokens") && error.contains("leave --gguf out"),
        "{error}"
    );
}

#[test]
fn chat_templates_have_the_keys_of_llama_cpp_s_converter() {
    let found = |files: &[(&str, &str)]| {
        let folder = tempfile::tempdir().expect("a folder");
        let further = folder.path().join("additional_chat_templates");
        std::fs::create_dir(further).expect("a folder");
        let whole = with_added("special").to_string();
        for (name, content) in files.iter().chain(&[("tokenizer.json", whole.as_str())]) {
            std::fs::write(folder.path().join(name), content).expect("a file");
        }
        let file = TokenizerFile::read(folder.path()).expect("a tokenizer");
        template_keys(chat_templates(&file.kept))
    };
    let text = |key: &str, text: &str| (key.to_owned(), KeyValue::Text(text.to_owned()));
    assert!(found(&[]).is_empty());
    let config = (
        "tokenizer_config.json",
        r#"{"chat_template": "of the config"}"#,
    );
    assert_eq!(
        found(&[config]),
        [text("tokenizer.chat_template", "of the config")]
    );
    // As in transformers, a file of its own counts more.
    let own = ("chat_template.jinja", "own");
    assert_eq!(
        found(&[config, own]),
        [text("tokenizer.chat_template", "own")]
    );
    let named = [
        text("tokenizer.chat_template.tool_use", "tools"),
        (
            "tokenizer.chat_templates".to_owned(),
            KeyValue::Texts(vec!["tool_use".to_owned()]),
        ),
        text("tokenizer.chat_template", "own"),
    ];
    let further = ("additional_chat_templates/tool-use.jinja", "tools");
    assert_eq!(found(&[own, further]), named);
    let list = r#"{"chat_template": [
        {"name": "default", "template": "own"}, {"name": "tool_use", "template": "tools"}
    ]}"#;
    assert_eq!(found(&[("tokenizer_config.json", list)]), named);
}

#[test]
fn a_token_before_every_text_is_told_and_more_than_that_is_refused() {
    let tokenizer = |single: serde_json::Value| {
        let bytes = serde_json::json!({
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true
        });
        let text =
            |id: &str, kind: u64| serde_json::json!({ "Sequence": { "id": id, "type_id": kind } });
        let json = serde_json::json!({
            "version": "1.0",
            "added_tokens": [],
            "pre_tokenizer": bytes,
            "decoder": bytes,
            "post_processor": {
                "type": "TemplateProcessing",
                "single": single,
                "pair": [text("A", 0), text("B", 1)],
                "special_tokens": { "c": { "id": "c", "ids": [2], "tokens": ["c"] } },
            },
            "model": { "type": "BPE", "vocab": { "a": 0, "b": 1, "c": 2 }, "merges": [] },
        });
        Tokenizer::from_json(json.to_string()).expect("a tokenizer")
    };
    let (text, special) = (
        serde_json::json!({ "Sequence": { "id": "A", "type_id": 0 } }),
        serde_json::json!({ "SpecialToken": { "id": "c", "type_id": 0 } }),
    );
    let of =
        |parts: &[&serde_json::Value]| first_of_every_text(&tokenizer(serde_json::json!(parts)));
    assert_eq!(of(&[&text]).expect("none"), None);
    assert_eq!(of(&[&special, &text]).expect("one"), Some(2));
    let error = of(&[&text, &special]).expect_err("behind").to_string();
    assert!(error.contains("leave --gguf out"), "{error}");
}
