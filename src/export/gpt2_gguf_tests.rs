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
