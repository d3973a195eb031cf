//! Tests of `fingerprint.rs`.

use super::super::tests::no_hub;
use super::*;

fn synthetic(seed: u64, train_tokens: Option<u64>) -> DatasetSpec {
    DatasetSpec::Synthetic {
        seed,
        train_words: 10,
        validation_words: 10,
        test_words: 10,
        train_tokens,
    }
}

#[test]
fn a_synthetic_dataset_is_its_recipe() {
    let of = |seed, tokens| dataset_fingerprint(&synthetic(seed, tokens), &no_hub()).unwrap();
    assert_eq!(of(1, None), of(1, None));
    assert_ne!(of(1, None), of(2, None));
    assert_ne!(of(1, None), of(1, Some(5)));
    assert_eq!(of(1, None).len(), 64);
}

#[test]
fn files_count_by_content_and_order_and_not_by_path() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [("a", "one"), ("b", "two"), ("copy-of-a", "one")] {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let of = |train: &[&str], detokenize| {
        let paths = |names: &[&str]| {
            names
                .iter()
                .map(|name| InputPath::new(*name, folder.path()))
                .collect::<Vec<_>>()
        };
        let (validation, test) = (paths(&["a"]), paths(&["a"]));
        let dataset = DatasetSpec::Text {
            train: paths(train),
            validation,
            test,
            detokenize,
            train_tokens: None,
        };
        dataset_fingerprint(&dataset, &no_hub()).unwrap()
    };
    assert_eq!(
        of(&["a", "b"], Detokenize::None),
        of(&["copy-of-a", "b"], Detokenize::None)
    );
    assert_ne!(
        of(&["a", "b"], Detokenize::None),
        of(&["b", "a"], Detokenize::None)
    );
    assert_ne!(
        of(&["a"], Detokenize::None),
        of(&["a"], Detokenize::Wikitext)
    );
}
