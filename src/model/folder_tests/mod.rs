//! Tests of reading a model's folder: what is taken, and what is said of what is not.

mod heads;
mod shards;

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
            Gpt2::from_checkpoint(&crate::ops::Cpu::default(), &checkpoint).to_weights(),
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
    let faults = "the weights have blocks up to h.7, and n_layer = 1 in config.json; wpe.weight \
                  has shape [4, 10], config.json asks for [5, 8]; ln_f.bias [8] is missing";
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
fn of_many_faults_the_first_are_told_and_how_many_there_are() {
    let mut weights = Weights::random(&Config::new(3, 8, 2, 11, 5), Seed::Run(1));
    weights.arrays.retain(|name, _| !name.starts_with("h.1."));
    let folder = folder(
        &Config::new(3, 8, 2, 11, 5),
        &[("model.safetensors", weights.to_safetensors().unwrap())],
    );
    assert_eq!(
        refused(folder.path()),
        "in FOLDER/model.safetensors: h.1.ln_1.weight [8] is missing; h.1.ln_1.bias [8] is \
         missing; h.1.attn.c_attn.weight [8, 24] is missing; and 9 more"
    );
}

type StoredBytes = (&'static str, Dtype, Vec<usize>, Vec<u8>);

/// The arrays of weights as f32.
fn stored(weights: &Weights) -> Vec<StoredBytes> {
    let arrays = weights.arrays.iter();
    arrays
        .map(|(name, array)| {
            let name: &'static str = name.clone().leak();
            (name, Dtype::F32, array.shape.clone(), bytes(array))
        })
        .collect()
}

/// A folder that opens, and what was said of it.
fn opened(config: &Config, arrays: &[StoredBytes]) -> (Config, Weights, Vec<String>) {
    let folder = folder(config, &[("model.safetensors", file(arrays))]);
    let opened = ModelFolder::open(folder.path()).unwrap();
    let notes = opened
        .notes
        .iter()
        .map(|note| note.replace(&folder.path().display().to_string(), "FOLDER"));
    let notes = notes.collect();
    (
        opened.config.clone(),
        Weights::from_checkpoint(&opened),
        notes,
    )
}

#[test]
fn arrays_of_other_heads_are_left_out_with_a_word_and_those_of_a_gpt_2_are_not() {
    let weights = Weights::random(&config(), Seed::Run(1));
    let with = |names: &[&'static str]| {
        let mut arrays = stored(&weights);
        arrays.extend(
            names
                .iter()
                .map(|name| (*name, Dtype::I64, vec![1], vec![0; 8])),
        );
        arrays
    };
    let heads = [
        "v_head.summary.weight",
        "v_head.summary.bias",
        "score.weight",
        "multiple_choice_head.summary.weight",
        "classifier.bias",
    ];
    let (found, read, notes) = opened(&config(), &with(&heads));
    assert_eq!((found, read), (config(), weights.clone()));
    assert_eq!(
        notes,
        [
            "FOLDER/model.safetensors holds arrays that are no part of GPT-2's language model, and \
          they are left out: classifier.bias, multiple_choice_head.summary.weight, score.weight, \
          and 2 more"
        ]
    );
    for own in [
        "h.0.attn.c_attn.lora_A.weight",
        "transformer.h.0.adapter.weight",
        "transformer.prefix.weight",
        "lm_head.bias",
        "wpe.bias",
    ] {
        let arrays = with(&[own]);
        let message = refused(folder(&config(), &[("model.safetensors", file(&arrays))]).path());
        let name = own.strip_prefix("transformer.").unwrap_or(own);
        assert!(
            message.contains(&format!(": {name} [1] is not part of this GPT-2")),
            "{message}"
        );
    }
}

#[test]
fn a_wrapper_in_front_of_every_name_is_named() {
    let weights = Weights::random(&config(), Seed::Run(1));
    for (prefix, named) in [
        ("module.", "module."),
        ("_orig_mod.transformer.", "_orig_mod."),
        ("pretrained_model.transformer.", "pretrained_model."),
    ] {
        let mut arrays = stored(&weights);
        for (name, ..) in &mut arrays {
            *name = format!("{prefix}{name}").leak();
        }
        let message = refused(folder(&config(), &[("model.safetensors", file(&arrays))]).path());
        assert_eq!(
            message,
            format!(
                "in FOLDER/model.safetensors: the names of the arrays begin with \"{named}\", as \
                 those of a model that was wrapped (torch.compile, DataParallel, a reward model); \
                 take that off, and save the model again"
            )
        );
    }
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
    let mixed = folder(&config(), &[("model.safetensors", file(&arrays))]);
    assert_eq!(Weights::read(mixed.path()).unwrap().1, weights);
    arrays.retain(|(name, ..)| *name != "ln_f.bias");
    arrays.push(("ln_f.bias", Dtype::I32, vec![8], vec![0; 32]));
    assert_eq!(
        refused(folder(&config(), &[("model.safetensors", file(&arrays))]).path()),
        "in FOLDER/model.safetensors: ln_f.bias is stored as I32; F64, F32, F16 and BF16 are read"
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
