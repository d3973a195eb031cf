//! Tests of the cache: what is found again, and what is not believed.

use std::cell::RefCell;
use std::fs;

use super::*;

#[test]
fn a_second_start_reads_the_very_same_from_the_cache() {
    let cache = tempfile::tempdir().unwrap();
    let first = quiet(&synthetic(None), &TRAINED, cache.path()).unwrap();
    let second = prepare(
        &synthetic(None),
        &TRAINED,
        &no_hub(),
        cache.path(),
        &|line| panic!("nothing takes time: {line}"),
    )
    .unwrap();
    assert_same(&first, &second);
    assert_eq!(
        fs::read_dir(cache.path()).unwrap().count(),
        1,
        "no temporary file stays"
    );
}

#[test]
fn a_broken_cache_is_set_aside_and_built_again() {
    let cache = tempfile::tempdir().unwrap();
    let first = quiet(&synthetic(None), &TRAINED, cache.path()).unwrap();
    let path = cache.path().join(format!("{}.kdtokens", first.key));
    let bad = PathBuf::from(format!("{}.bad", path.display()));
    let good = fs::read(&path).unwrap();
    let changed = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let cases = [
        (changed(0), "does not begin as a token file"),
        (changed(8), "its format is"),
        (changed(16), "does not fit its header"),
        (changed(40), "does not have the hash"),
        (changed(100), "does not have the hash"),
        (changed(good.len() - 1), "does not have the hash"),
        (good[..good.len() - 1].to_vec(), "does not fit its header"),
        (good[..79].to_vec(), "too short"),
        (Vec::new(), "too short"),
        ([good.clone(), vec![0]].concat(), "does not fit its header"),
    ];
    for (bytes, reason) in cases {
        fs::remove_file(&path).unwrap();
        fs::write(&path, &bytes).unwrap();
        let lines = RefCell::new(Vec::new());
        let again = prepare(
            &synthetic(None),
            &TRAINED,
            &no_hub(),
            cache.path(),
            &|line| lines.borrow_mut().push(line.to_string()),
        )
        .unwrap();
        assert!(
            lines.borrow()[0].contains(reason) && lines.borrow()[0].contains(".bad"),
            "{reason}: {:?}",
            lines.borrow()
        );
        assert_eq!(fs::read(&bad).unwrap(), bytes);
        assert!(
            fs::read(&path).unwrap() == good,
            "built again, byte for byte"
        );
        assert_same(&first, &again);
    }
}

#[test]
fn a_cache_file_of_another_key_is_not_taken_for_this_one() {
    let cache = tempfile::tempdir().unwrap();
    let first = quiet(&synthetic(None), &TRAINED, cache.path()).unwrap();
    let error = cache::open(
        &cache.path().join(format!("{}.kdtokens", first.key)),
        "another",
    )
    .unwrap_err()
    .to_string();
    assert_eq!(error, format!("it is of the key {}", first.key));
}

#[test]
fn files_that_change_while_they_are_read_leave_no_cache() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["train.txt", "valid.txt", "test.txt"] {
        fs::write(folder.path().join(name), "some text to read\n".repeat(100)).unwrap();
    }
    let cache = folder.path().join("cache");
    let change = |line: &str| {
        if line.contains("tokenizing the test split") {
            fs::write(
                folder.path().join("train.txt"),
                "another text to read\n".repeat(100),
            )
            .unwrap();
        }
    };
    let dataset = text(folder.path(), &["train.txt"], Detokenize::None);
    let error = format!(
        "{:#}",
        prepare(
            &dataset,
            &TokenizerSpec::Train { vocab_size: 262 },
            &no_hub(),
            &cache,
            &change
        )
        .unwrap_err()
    );
    assert!(
        error.contains("the dataset's files changed while they were read"),
        "{error}"
    );
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 0, "nothing stays");
}

/// Cache files that people have are found by their key; it last moved with the format of the file
/// (2) and with the separators of text files.
#[test]
fn keys_are_those_of_this_format() {
    let folder = tempfile::tempdir().unwrap();
    for (name, words) in [("train.txt", 900), ("valid.txt", 50), ("test.txt", 70)] {
        let content: String = (0..words)
            .map(|i| format!(" the word {} @-@ b .\n", i * i % 71))
            .collect();
        fs::write(folder.path().join(name), content).unwrap();
    }
    let key = |dataset: DatasetSpec, vocab_size| {
        let tokenizer = TokenizerSpec::Train { vocab_size };
        quiet(&dataset, &tokenizer, folder.path()).unwrap().key
    };
    let cut = text(folder.path(), &["train.txt"], Detokenize::Wikitext);
    assert_eq!(
        [
            key(synthetic(None), 600),
            key(synthetic(Some(5000)), 600),
            key(cut, 290),
        ],
        [
            "83c3ddfa3d0503bb8681d8ee255a9f23",
            "c474df0545ae0f5960d6ae42aee448f6",
            "6199d812901248f62a4f0b98de7db03c",
        ]
    );
}
