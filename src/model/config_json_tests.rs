//! Tests of `config_json.rs`.

use super::*;

fn refused(change: impl Fn(&mut Value)) -> String {
    let mut value = Config::new(3, 48, 4, 101, 32).to_json(0);
    change(&mut value);
    Config::from_json(&value.to_string())
        .unwrap_err()
        .to_string()
}

#[test]
fn config_json_reads_back_as_it_was_written() {
    let config = Config::new(3, 48, 4, 101, 32);
    assert_eq!(
        Config::from_json(&config.to_json(0).to_string()).unwrap(),
        config
    );
    for (_, activation) in ACTIVATIONS {
        let config = Config {
            inner: 100,
            epsilon: 1e-6,
            activation,
            scale_by_width: false,
            scale_by_layer: true,
            tied: false,
            ..config.clone()
        };
        assert_eq!(
            Config::from_json(&config.to_json(0).to_string()).unwrap(),
            config
        );
    }
}

#[test]
fn what_is_absent_has_the_values_of_gpt2_and_common_names_are_read() {
    assert_eq!(
        Config::from_json("{}").unwrap(),
        Config::new(12, 768, 12, 50_257, 1024)
    );
    let common = json!({
        "hidden_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "max_position_embeddings": 32,
        "n_ctx": 7,
        "vocab_size": 101,
    });
    assert_eq!(
        Config::from_json(&common.to_string()).unwrap(),
        Config::new(3, 48, 4, 101, 32)
    );
}

#[test]
fn activations_have_the_names_of_transformers() {
    for (name, activation) in ACTIVATIONS.into_iter().chain([(SWISH, Activation::Silu)]) {
        let config =
            Config::from_json(&json!({ "activation_function": name }).to_string()).unwrap();
        assert_eq!(config.activation, activation, "{name}");
    }
}

#[test]
fn settings_that_would_change_the_result_are_refused_by_name() {
    assert_eq!(
        refused(|value| value["activation_function"] = json!("mish")),
        "activation_function = \"mish\" in config.json is not supported; these are: gelu_new, \
             gelu_pytorch_tanh, gelu_fast, gelu_accurate, gelu_python_tanh, gelu, gelu_python, \
             quick_gelu, relu, silu, tanh, swish"
    );
    assert_eq!(
        refused(|value| value["add_cross_attention"] = json!(true)),
        "add_cross_attention = true in config.json is not supported: cross-attention is no \
             part of a language model on its own"
    );
    assert_eq!(
        refused(|value| value["quantization_config"] = json!({ "bits": 4 })),
        "quantization_config in config.json is not supported: quantised weights are not read; \
             save the model in float32, float16 or bfloat16"
    );
    assert_eq!(
        refused(|value| value["model_type"] = json!("llama")),
        "config.json has model_type \"llama\"; only \"gpt2\" is supported"
    );
}

#[test]
fn every_bad_value_is_named_at_once() {
    let error = refused(|value| {
        value["n_layer"] = json!(0);
        value["n_inner"] = json!(-3);
        value["hidden_size"] = json!(50);
        value["layer_norm_epsilon"] = json!("small");
        value["tie_word_embeddings"] = json!(1);
    });
    assert_eq!(
        error,
        "config.json has both n_embd = 48 and hidden_size = 50; they are the same setting; \
             n_layer = 0 in config.json is not a whole number from 1 to 2147483647; n_inner = -3 \
             in config.json is not a whole number from 1 to 2147483647; layer_norm_epsilon = \
             \"small\" in config.json is not a number from 0 to 1; tie_word_embeddings = 1 in \
             config.json is neither true nor false"
    );
    assert_eq!(
        refused(|value| value["n_head"] = json!(5)),
        "n_head = 5 in config.json does not divide n_embd = 48"
    );
}
