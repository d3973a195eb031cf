//! Weights in several files, with an index.

use super::*;

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
fn an_index_may_list_what_is_left_out_and_the_other_name_of_a_tied_head() {
    let weights = Weights::random(&config(), Seed::Run(1));
    let mut listed = weight_map(&weights);
    listed.insert("lm_head.weight".into(), json!("a.safetensors"));
    listed.insert("v_head.bias".into(), json!("b.safetensors"));
    let good = sharded(&weights, &listed);
    assert_eq!(Weights::read(good.path()).unwrap().1, weights);
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
