//! Tests of reading a model's folder: what is taken, and what is said of what is not.

use std::path::Path;

use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::json;

use super::{Array, Config, Gpt2, ModelFolder, Weights, weight_files};
use crate::random::Seed;

fn config() -> Config {
    Config::new(1, 8, 2, 11, 5)
}

/// A folder with a config and the files given.
fn folder(config: &Config, files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("config.json"),
        config.to_json(0).to_string(),
    )
    .unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn refused(folder: &Path) -> String {
    let error = format!("{:#}", ModelFolder::open(folder).unwrap_err());
    error.replace(&folder.display().to_string(), "FOLDER")
}

/// A safetensors file of named bytes.
fn file(arrays: &[(&str, Dtype, Vec<usize>, Vec<u8>)]) -> Vec<u8> {
    let views = arrays.iter().map(|(name, dtype, shape, data)| {
        (*name, TensorView::new(*dtype, shape.clone(), data).unwrap())
    });
    serialize(views, None).unwrap()
}

fn bytes(array: &Array) -> Vec<u8> {
    array.values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

#[test]
fn weights_read_back_as_they_were_written() {
    for (tied, inner) in [(true, 32), (false, 7)] {
        let config = Config {
            tied,
            inner,
            ..config()
        };
        let weights = Weights::random(&config, Seed::Run(1));
        let folder = folder(
            &config,
            &[("model.safetensors", weights.to_safetensors().unwrap())],
        );
        assert_eq!(
            Weights::read(folder.path()).unwrap(),
            (config.clone(), weights.clone())
        );
        let checkpoint = ModelFolder::open(folder.path()).unwrap();
        assert_eq!(
            checkpoint.bytes,
            std::fs::metadata(folder.path().join("model.safetensors"))
                .unwrap()
                .len()
        );
        assert_eq!(
            Gpt2::from_checkpoint(&dfdx::prelude::Cpu::default(), &checkpoint).to_weights(),
            weights
        );
    }
}

#[test]
fn arrays_longer_than_a_stretch_are_whole() {
    let config = Config::new(1, 2, 1, (1 << 21) + 77, 5);
    let weights = Weights::random(&config, Seed::Run(1));
    let folder = folder(
        &config,
        &[("model.safetensors", weights.to_safetensors().unwrap())],
    );
    assert_eq!(Weights::read(folder.path()).unwrap().1, weights);
}

#[test]
fn faults_of_a_file_are_listed_by_name_all_at_once() {
    let mut weights = Weights::random(&config(), Seed::Run(1));
    weights.arrays.remove("ln_f.bias");
    weights.arrays.get_mut("wpe.weight").unwrap().shape = vec![4, 10];
    weights.arrays.insert(
        "h.7.extra".into(),
        Array {
            shape: vec![1],
            values: vec![0.0],
        },
    );
    let faults = "wpe.weight has shape [4, 10], config.json asks for [5, 8]; ln_f.bias [8] is \
                  missing; h.7.extra [1] is not part of this GPT-2";
    assert_eq!(weights.check(&config()).unwrap_err().to_string(), faults);
    let folder = folder(
        &config(),
        &[("model.safetensors", weights.to_safetensors().unwrap())],
    );
    assert_eq!(
        refused(folder.path()),
        format!("in FOLDER/model.safetensors: {faults}")
    );
}

#[test]
fn a_head_of_its_own_is_asked_for_only_where_the_embeddings_are_not_tied() {
    let untied = Config {
        tied: false,
        ..config()
    };
    let weights = Weights::random(&untied, Seed::Run(1));
    let with_head = weights.to_safetensors().unwrap();
    assert_eq!(
        refused(folder(&config(), &[("model.safetensors", with_head)]).path()),
        "in FOLDER/model.safetensors: lm_head.weight is not wte.weight, while tie_word_embeddings \
         in config.json is true: write false there, or take lm_head.weight out"
    );
    let mut tied = weights.clone();
    tied.arrays.insert(
        "lm_head.weight".into(),
        weights.arrays["wte.weight"].clone(),
    );
    let read = Weights::read(
        folder(
            &config(),
            &[("model.safetensors", tied.to_safetensors().unwrap())],
        )
        .path(),
    )
    .unwrap()
    .1;
    assert!(!read.arrays.contains_key("lm_head.weight"));
    tied.arrays.remove("lm_head.weight");
    assert_eq!(
        refused(
            folder(
                &untied,
                &[("model.safetensors", tied.to_safetensors().unwrap())]
            )
            .path()
        ),
        "in FOLDER/model.safetensors: lm_head.weight [11, 8] is missing"
    );
}

#[test]
fn other_types_are_refused_and_old_masks_are_left_out() {
    let weights = Weights::random(&config(), Seed::Run(1));
    let mut arrays: Vec<(&str, Dtype, Vec<usize>, Vec<u8>)> = weights
        .arrays
        .iter()
        .map(|(name, array)| (name.as_str(), Dtype::F32, array.shape.clone(), bytes(array)))
        .collect();
    arrays.push(("h.0.attn.bias", Dtype::BOOL, vec![1, 1, 5, 5], vec![1; 25]));
    arrays.push(("h.0.attn.masked_bias", Dtype::F32, vec![], vec![0; 4]));
    let whole = file(&arrays);
    assert_eq!(
        Weights::read(folder(&config(), &[("model.safetensors", whole)]).path())
            .unwrap()
            .1,
        weights
    );
    let wide: Vec<u8> = weights.arrays["ln_f.bias"]
        .values
        .iter()
        .flat_map(|&x| f64::from(x).to_le_bytes())
        .collect();
    arrays.retain(|(name, ..)| *name != "ln_f.bias");
    arrays.push(("ln_f.bias", Dtype::F64, vec![8], wide));
    assert_eq!(
        refused(folder(&config(), &[("model.safetensors", file(&arrays))]).path()),
        "in FOLDER/model.safetensors: ln_f.bias is stored as F64; F32, F16 and BF16 are read"
    );
}

#[test]
fn a_name_with_and_without_prefix_is_one_name_too_many() {
    let weights = Weights::random(&config(), Seed::Run(1));
    let mut arrays: Vec<(&str, Dtype, Vec<usize>, Vec<u8>)> = weights
        .arrays
        .iter()
        .map(|(name, array)| (name.as_str(), Dtype::F32, array.shape.clone(), bytes(array)))
        .collect();
    arrays.push(("transformer.ln_f.bias", Dtype::F32, vec![8], vec![0; 32]));
    assert_eq!(
        refused(folder(&config(), &[("model.safetensors", file(&arrays))]).path()),
        "in FOLDER/model.safetensors: ln_f.bias is stored twice"
    );
}

/// The names of the two shards, of which arrays go into one and the other in turn.
const SHARDS: [&str; 2] = ["a.safetensors", "b.safetensors"];

/// The shard that holds every array.
fn weight_map(weights: &Weights) -> serde_json::Map<String, serde_json::Value> {
    let names = weights.arrays.keys().enumerate();
    names
        .map(|(i, array)| (array.clone(), json!(SHARDS[i % 2])))
        .collect()
}

/// A folder of two shards, with an index that holds `weight_map`.
fn sharded(
    weights: &Weights,
    weight_map: &serde_json::Map<String, serde_json::Value>,
) -> tempfile::TempDir {
    let shard = |first: usize| {
        let arrays = weights.arrays.iter().skip(first).step_by(2);
        let all: Vec<_> = arrays
            .map(|(name, array)| (name.as_str(), Dtype::F32, array.shape.clone(), bytes(array)))
            .collect();
        file(&all)
    };
    let index = json!({ "metadata": { "total_size": 1 }, "weight_map": weight_map });
    let files = [
        (SHARDS[0], shard(0)),
        (SHARDS[1], shard(1)),
        (
            "model.safetensors.index.json",
            index.to_string().into_bytes(),
        ),
    ];
    folder(&config(), &files)
}

#[test]
fn shards_are_read_as_one() {
    let weights = Weights::random(&config(), Seed::Run(1));
    let good = sharded(&weights, &weight_map(&weights));
    assert_eq!(Weights::read(good.path()).unwrap().1, weights);
    assert_eq!(
        weight_files(good.path()).unwrap(),
        SHARDS.map(|name| good.path().join(name))
    );
}

#[test]
fn the_index_of_shards_must_be_true_and_names_files_beside_it() {
    let weights = Weights::random(&config(), Seed::Run(1));
    let moved = weights.arrays.keys().next().unwrap();
    let refused_with = |file: &str| {
        let mut wrong = weight_map(&weights);
        wrong[moved] = json!(file);
        refused(sharded(&weights, &wrong).path())
    };
    assert_eq!(
        refused_with("b.safetensors"),
        format!(
            "in FOLDER: {moved} is not in b.safetensors, where model.safetensors.index.json says \
             it is"
        )
    );
    for outside in [
        "../a.safetensors",
        "/a.safetensors",
        "sub/a.safetensors",
        "..",
        "",
        "a.bin",
    ] {
        assert_eq!(
            refused_with(outside),
            format!(
                "FOLDER/model.safetensors.index.json names the file {outside:?}; only names of \
                 safetensors files beside it are followed"
            )
        );
    }
}

#[test]
fn folders_without_safetensors_say_what_to_do() {
    assert_eq!(
        refused(folder(&config(), &[("pytorch_model.bin", b"\x80\x02".to_vec())]).path()),
        "FOLDER has no model.safetensors, only pytorch_model.bin, which is a pickle: reading one \
         can run any code that is in it; write safetensors once with transformers, \
         GPT2LMHeadModel.from_pretrained(\"FOLDER\").save_pretrained(\"OTHER\"), and name that \
         folder"
    );
    assert_eq!(
        refused(folder(&config(), &[]).path()),
        "FOLDER has no model.safetensors and no model.safetensors.index.json: is it a GPT-2 \
         folder?"
    );
}

#[test]
fn headers_that_promise_more_than_the_file_holds_are_refused() {
    let header = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let good = Weights::random(&config(), Seed::Run(1))
        .to_safetensors()
        .unwrap();
    let array = |shape: serde_json::Value, end: u64| {
        json!({
            "dtype": "F32",
            "shape": shape,
            "data_offsets": [0, end],
        })
    };
    let huge = json!({ "wte.weight": array(json!([1u64 << 62, 8]), u64::MAX) });
    let large =
        json!({ "wte.weight": array(json!([1_000_000_000_000u64, 8]), 32 * 10u64.pow(12)) });
    let overlapping = json!({
        "a": array(json!([2]), 8),
        "b": { "dtype": "F32", "shape": [2], "data_offsets": [4, 12] },
    });
    let cases: [Vec<u8>; 8] = [
        Vec::new(),
        b"abc".to_vec(),
        u64::MAX.to_le_bytes().to_vec(),
        header(&huge.to_string()),
        header(&large.to_string()),
        [header(&overlapping.to_string()), vec![0; 12]].concat(),
        good[..good.len() - 1].to_vec(),
        [good.clone(), vec![0]].concat(),
    ];
    for bytes in cases {
        let error = refused(folder(&config(), &[("model.safetensors", bytes)]).path());
        assert!(
            error.starts_with("FOLDER/model.safetensors is not a valid safetensors file: "),
            "{error}"
        );
    }
    // A config that asks for more names than there is memory.
    let deep = Config {
        layers: 2_000_000_000,
        ..config()
    };
    assert_eq!(
        refused(folder(&deep, &[("model.safetensors", good)]).path()),
        "in FOLDER/model.safetensors: n_layer = 2000000000 in config.json, and the weights are 16 \
         arrays in all"
    );
}
