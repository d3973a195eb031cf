//! Embedding and head: one array or two, under either name, in whatever types.

use super::*;

/// A model with a head of its own, its arrays as f32.
fn untied() -> (Config, Weights, Vec<StoredBytes>) {
    let untied = Config {
        tied: false,
        ..config()
    };
    let weights = Weights::random(&untied, Seed::Run(1));
    let arrays = stored(&weights);
    (untied, weights, arrays)
}

#[test]
fn a_head_of_its_own_counts_whatever_the_config_says_and_a_missing_one_is_missing() {
    let (untied, weights, arrays) = untied();
    // As transformers 5.24: what is stored, with a word.
    let (found, read, notes) = opened(&config(), &arrays);
    assert_eq!((&found, &read), (&untied, &weights));
    assert_eq!(
        notes,
        [
            "lm_head.weight in FOLDER/model.safetensors is not wte.weight, while \
          tie_word_embeddings in config.json is true: the two are taken as they are stored, as \
          transformers 5 does; write false there if that is meant, or else take lm_head.weight out"
        ]
    );
    // transformers goes on with random numbers there.
    for missing in ["lm_head.weight", "wte.weight"] {
        let mut lacking = arrays.clone();
        lacking.retain(|(name, ..)| *name != missing);
        assert_eq!(
            refused(folder(&untied, &[("model.safetensors", file(&lacking))]).path()),
            format!("in FOLDER/model.safetensors: {missing} [11, 8] is missing")
        );
    }
}

#[test]
fn a_tied_head_may_be_stored_under_either_name_or_both() {
    let tied = Weights::random(&config(), Seed::Run(1));
    let mut arrays = stored(&tied);
    let embedding = arrays.iter().position(|(name, ..)| *name == "wte.weight");
    let embedding = embedding.unwrap();
    // As safetensors.torch.save_model leaves it.
    arrays[embedding].0 = "lm_head.weight";
    assert_eq!(opened(&config(), &arrays), (config(), tied.clone(), vec![]));
    let copy = arrays[embedding].clone();
    arrays.push(("wte.weight", copy.1, copy.2, copy.3));
    assert_eq!(opened(&config(), &arrays), (config(), tied, vec![]));
    arrays[embedding] = ("lm_head.weight", Dtype::F32, vec![12, 8], vec![0; 4 * 96]);
    assert_eq!(
        refused(folder(&config(), &[("model.safetensors", file(&arrays))]).path()),
        "in FOLDER/model.safetensors: lm_head.weight has shape [12, 8], config.json asks for \
         [11, 8]"
    );
}

#[test]
fn equal_numbers_are_equal_in_whatever_type_they_are_stored() {
    let weights = Weights::random(&config(), Seed::Run(1));
    // What bf16 can hold, in four types.
    let rounded: Vec<f32> = weights.arrays["wte.weight"]
        .values
        .iter()
        .map(|x| f32::from_bits(x.to_bits() & 0xffff_0000))
        .collect();
    let half: Vec<u8> = rounded
        .iter()
        .flat_map(|x| ((x.to_bits() >> 16) as u16).to_le_bytes())
        .collect();
    let single: Vec<u8> = rounded.iter().flat_map(|x| x.to_le_bytes()).collect();
    let double: Vec<u8> = rounded
        .iter()
        .flat_map(|&x| f64::from(x).to_le_bytes())
        .collect();
    let types = [
        (Dtype::BF16, half),
        (Dtype::F32, single),
        (Dtype::F64, double),
    ];
    let others: Vec<StoredBytes> = stored(&weights);
    let with = |wte: &(Dtype, Vec<u8>), head: &(Dtype, Vec<u8>)| {
        let mut arrays = others.clone();
        arrays.retain(|(name, ..)| *name != "wte.weight");
        arrays.push(("wte.weight", wte.0, vec![11, 8], wte.1.clone()));
        arrays.push(("lm_head.weight", head.0, vec![11, 8], head.1.clone()));
        opened(&config(), &arrays)
    };
    for wte in &types {
        for head in &types {
            let (found, read, notes) = with(wte, head);
            assert_eq!((found, notes), (config(), vec![]));
            assert_eq!(read.arrays["wte.weight"].values, rounded);
        }
        // Rounded on one side alone they differ, for transformers in f32 too.
        let exact = (Dtype::F32, bytes(&weights.arrays["wte.weight"]));
        assert!(!with(wte, &exact).0.tied);
    }
}
