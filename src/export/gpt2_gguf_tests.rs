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
