use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::hub::Settings;
use crate::plan::path::InputPath;
use crate::plan::run::Detokenize;

fn synthetic(train_tokens: Option<u64>) -> DatasetSpec {
    DatasetSpec::Synthetic {
        seed: 3,
        train_words: 20_000,
        validation_words: 2_000,
        test_words: 3_000,
        train_tokens,
    }
}

fn text(folder: &Path, train: &[&str], detokenize: Detokenize) -> DatasetSpec {
    let paths = |names: &[&str]| {
        names
            .iter()
            .map(|name| InputPath::new(*name, folder))
            .collect::<Vec<_>>()
    };
    DatasetSpec::Text {
        train: paths(train),
        validation: paths(&["valid.txt"]),
        test: paths(&["test.txt"]),
        detokenize,
        train_tokens: None,
    }
}

/// A hub that has nothing and is never asked.
pub(super) fn no_hub() -> Hub<'static> {
    let endpoint = "http://127.0.0.1:9".to_owned();
    let settings = Settings {
        endpoint,
        cache: PathBuf::from("no-cache"),
        token: None,
        offline: true,
        pause: Duration::ZERO,
        problem: None,
    };
    Hub::quiet(settings, Vec::new())
}

const TRAINED: run::TokenizerSpec = run::TokenizerSpec::Train { vocab_size: 600 };

fn quiet(dataset: &DatasetSpec, tokenizer: &run::TokenizerSpec, cache: &Path) -> Result<Prepared> {
    prepare(dataset, tokenizer, &no_hub(), cache, &|_| {})
}

/// Every figure of the two is the same, to the bit.
fn assert_same(a: &Prepared, b: &Prepared) {
    for (a, b) in [
        (&a.train, &b.train),
        (&a.validation, &b.validation),
        (&a.test, &b.test),
    ] {
        assert_eq!(a.tokens(), b.tokens());
        assert_eq!(
            (&a.documents, a.words, a.bytes),
            (&b.documents, b.words, b.bytes)
        );
    }
    assert_eq!(
        (a.vocabulary, a.end_of_text, &a.key, a.tokenizer.json()),
        (b.vocabulary, b.end_of_text, &b.key, b.tokenizer.json())
    );
    assert_eq!(
        a.unigram_nats_per_token.to_bits(),
        b.unigram_nats_per_token.to_bits()
    );
    assert_eq!(
        a.exact.map(|exact| exact.nats_per_token.to_bits()),
        b.exact.map(|exact| exact.nats_per_token.to_bits())
    );
    assert_eq!(a.exact, b.exact);
}

#[test]
fn synthetic_documents_come_back_from_the_streams() {
    let cache = tempfile::tempdir().unwrap();
    let prepared = quiet(&synthetic(None), &TRAINED, cache.path()).unwrap();
    assert_eq!((prepared.vocabulary, prepared.end_of_text), (600, 599));
    for (split, part, words) in [
        (&prepared.train, "train", 20_000),
        (&prepared.validation, "validation", 2_000),
        (&prepared.test, "test", 3_000),
    ] {
        let (mut total_words, mut total_bytes) = (0, 0);
        for index in 0..split.documents.len() {
            let document = split.document(index);
            let text = grammar::generate(3, part, index as u64).text;
            assert_eq!(
                prepared.tokenizer.decode(document),
                text.clone() + "<|endoftext|>"
            );
            assert!(
                total_words < words,
                "no document follows once the words are reached"
            );
            total_words += text.split_whitespace().count() as u64;
            total_bytes += text.len() as u64;
        }
        assert!(total_words >= words);
        assert_eq!((split.words, split.bytes), (total_words, total_bytes));
        let ends = split.tokens().iter().filter(|&&token| token == 599).count();
        assert_eq!(ends, split.documents.len());
    }
}

#[test]
fn the_source_knows_its_text_better_than_word_frequencies_do() {
    let cache = tempfile::tempdir().unwrap();
    let prepared = quiet(&synthetic(None), &TRAINED, cache.path()).unwrap();
    let exact = prepared.exact.unwrap();
    let tokens = prepared.test.tokens();
    let nats: f64 = (0..prepared.test.documents.len() as u64)
        .map(|index| -grammar::generate(3, "test", index).log_probability)
        .sum();
    assert!((exact.nats_per_token - nats / tokens.len() as f64).abs() < 1e-12);
    assert!(
        (exact.nats_per_token / exact.entropy_nats_per_token - 1.0).abs() < 0.1,
        "{exact:?}"
    );
    assert!(
        prepared.unigram_nats_per_token > 2.0 * exact.nats_per_token,
        "{} and {exact:?}",
        prepared.unigram_nats_per_token
    );

    let mut counts = vec![1u64; 600];
    prepared
        .train
        .tokens()
        .iter()
        .for_each(|&token| counts[token as usize] += 1);
    let total = counts.iter().sum::<u64>() as f64;
    let unigram = tokens
        .iter()
        .map(|&token| -(counts[token as usize] as f64 / total).ln())
        .sum::<f64>()
        / tokens.len() as f64;
    assert!((prepared.unigram_nats_per_token - unigram).abs() < 1e-12);
}

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
fn the_bytes_are_the_same_for_any_number_of_threads() {
    let file = |threads| {
        let cache = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let key = pool.install(|| quiet(&synthetic(None), &TRAINED, cache.path()).unwrap().key);
        fs::read(cache.path().join(format!("{key}.kdtokens"))).unwrap()
    };
    let one = file(1);
    assert!(one == file(2) && one == file(3));
}

#[test]
fn train_tokens_cuts_the_training_stream_alone() {
    let cache = tempfile::tempdir().unwrap();
    let whole = quiet(&synthetic(None), &TRAINED, cache.path()).unwrap();
    for limit in [
        1,
        5_000,
        whole.train.documents[1],
        whole.train.documents[1] - 1,
    ] {
        let cut = quiet(&synthetic(Some(limit)), &TRAINED, cache.path()).unwrap();
        assert_eq!(cut.train.tokens(), &whole.train.tokens()[..limit as usize]);
        let started = whole
            .train
            .documents
            .iter()
            .filter(|&&start| start < limit)
            .count();
        assert_eq!(cut.train.documents, whole.train.documents[..started]);
        let ends = cut
            .train
            .tokens()
            .iter()
            .filter(|&&token| token == cut.end_of_text)
            .count() as u64;
        assert_eq!(
            cut.train.bytes + 13 * ends,
            cut.tokenizer.decode_bytes(cut.train.tokens()).len() as u64
        );
        assert_eq!(cut.test.tokens(), whole.test.tokens());
        assert_ne!(cut.key, whole.key);
    }
    let more = quiet(&synthetic(Some(u64::MAX)), &TRAINED, cache.path()).unwrap();
    assert_eq!(more.train.tokens(), whole.train.tokens());
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
fn text_files_are_documents_in_the_order_written() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("b.txt", "second  file\n"),
        ("a.txt", "first file"),
        ("empty.txt", ""),
        ("valid.txt", "file\n"),
        ("test.txt", "a ä € file"),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let tokenizer = run::TokenizerSpec::Train { vocab_size: 260 };
    let prepared = quiet(
        &text(
            folder.path(),
            &["b.txt", "empty.txt", "a.txt"],
            Detokenize::None,
        ),
        &tokenizer,
        &folder.path().join("cache"),
    )
    .unwrap();
    assert_eq!(
        prepared.tokenizer.decode(prepared.train.tokens()),
        "second  file\n<|endoftext|>first file<|endoftext|>"
    );
    assert_eq!(
        prepared.train.documents.len(),
        2,
        "an empty file is no document"
    );
    assert_eq!((prepared.train.words, prepared.train.bytes), (4, 23));
    assert_eq!((prepared.test.words, prepared.test.bytes), (4, 13));
    assert_eq!(
        prepared.tokenizer.decode(prepared.test.document(0)),
        "a ä € file<|endoftext|>"
    );
    assert_eq!(prepared.exact, None);
}

#[test]
fn inputs_without_text_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("valid.txt"), "").unwrap();
    fs::write(folder.path().join("test.txt"), "text").unwrap();
    let tokenizer = run::TokenizerSpec::Train { vocab_size: 257 };
    let error = |train: &str| {
        quiet(
            &text(folder.path(), &[train], Detokenize::None),
            &tokenizer,
            folder.path(),
        )
        .unwrap_err()
    };
    assert_eq!(
        format!("{:#}", error("valid.txt")),
        "the train split is empty: name files with text in dataset.train"
    );
    assert!(
        format!("{:#}", error("test.txt"))
            .ends_with("the validation split is empty: name files with text in dataset.validation")
    );
    assert!(
        error("gone.txt")
            .to_string()
            .contains("gone.txt of dataset.train does not exist")
    );
    let none = DatasetSpec::Synthetic {
        seed: 0,
        train_words: 0,
        validation_words: 1,
        test_words: 1,
        train_tokens: None,
    };
    let error = quiet(&none, &tokenizer, folder.path())
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "the train split is empty: write dataset.train_words of at least 1"
    );
}

#[test]
fn a_long_document_is_tokenized_as_if_it_were_not_cut() {
    let folder = tempfile::tempdir().unwrap();
    let line = |i: usize| {
        format!(
            " It 's line {i} , with 1 @,@ 000 words \u{a0} and   spaces\t. \n{}",
            if i.is_multiple_of(5) { "\n  \n" } else { "" }
        )
    };
    let content: String = (0..8_000).map(line).collect();
    for name in ["train.txt", "valid.txt", "test.txt"] {
        fs::write(folder.path().join(name), &content).unwrap();
    }
    for detokenize in [Detokenize::None, Detokenize::Wikitext] {
        let tokenizer = run::TokenizerSpec::Train { vocab_size: 290 };
        let prepared = quiet(
            &text(folder.path(), &["train.txt"], detokenize),
            &tokenizer,
            &folder.path().join("cache"),
        )
        .unwrap();
        let whole = match detokenize {
            Detokenize::None => content.clone(),
            Detokenize::Wikitext => super::detokenize::wikitext(&content),
        };
        let mut expected = prepared.tokenizer.encode(&whole).unwrap();
        expected.push(prepared.end_of_text);
        assert!(prepared.train.tokens() == expected);
        assert_eq!(prepared.train.documents, [0]);
        assert_eq!(
            prepared.train.words,
            content.split_whitespace().count() as u64
        );
        assert_eq!(prepared.train.bytes, whole.len() as u64);
    }
}

#[test]
fn lines_of_a_parquet_file_are_the_stream_of_the_text_file() {
    use polars::prelude::*;
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..300)
        .map(|i| format!(" line {i} , of \" text \" . \n"))
        .collect();
    for name in ["train.txt", "valid.txt", "test.txt"] {
        fs::write(folder.path().join(name), lines.concat()).unwrap();
    }
    let mut frame = df!("text" => &lines).unwrap();
    ParquetWriter::new(fs::File::create(folder.path().join("all.parquet")).unwrap())
        .with_row_group_size(Some(70))
        .finish(&mut frame)
        .unwrap();
    let paths = || vec![InputPath::new("*.parquet", folder.path())];
    let parquet = |rows| super::DatasetSpec::Parquet {
        train: paths(),
        validation: paths(),
        test: paths(),
        column: "text".to_string(),
        rows,
        detokenize: Detokenize::Wikitext,
        train_tokens: None,
    };
    let tokenizer = run::TokenizerSpec::Train { vocab_size: 280 };
    let from_text = quiet(
        &text(folder.path(), &["train.txt"], Detokenize::Wikitext),
        &tokenizer,
        folder.path(),
    )
    .unwrap();
    let from_lines = quiet(&parquet(run::Rows::Lines), &tokenizer, folder.path()).unwrap();
    assert_eq!(from_lines.train.tokens(), from_text.train.tokens());
    assert_eq!(
        (from_lines.test.words, from_lines.test.bytes),
        (from_text.test.words, from_text.test.bytes)
    );
    let from_documents = quiet(&parquet(run::Rows::Documents), &tokenizer, folder.path()).unwrap();
    assert_eq!(from_documents.train.documents.len(), 300);
    assert_eq!(
        from_documents
            .tokenizer
            .decode(from_documents.train.document(7)),
        "line 7, of \"text\".\n<|endoftext|>"
    );
}

#[test]
fn what_is_prepared_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Prepared>();
    shared::<Order>();
}

/// The folder with real corpora, if the environment names one.
fn test_data() -> Option<PathBuf> {
    let folder = std::env::var_os("KDPIPE_TEST_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: KDPIPE_TEST_DATA is not set");
    }
    folder
}

#[test]
fn wikitext_comes_back_from_its_tokens() {
    let Some(data) = test_data() else { return };
    let cache = tempfile::tempdir().unwrap();
    let wikitext = data.join("wikitext-2");
    let tokenizer = run::TokenizerSpec::Dir {
        path: InputPath::new("gpt2-tokenizer", &data),
    };
    let path = |name: &str| vec![InputPath::new(name, &wikitext)];
    let dataset = DatasetSpec::Text {
        train: path("valid.txt"),
        validation: path("valid.txt"),
        test: path("test.txt"),
        detokenize: Detokenize::None,
        train_tokens: Some(100_000),
    };
    let prepared = quiet(&dataset, &tokenizer, cache.path()).unwrap();
    let content = fs::read_to_string(wikitext.join("test.txt")).unwrap();
    assert_eq!(
        prepared.tokenizer.decode(prepared.test.document(0)),
        content.clone() + "<|endoftext|>"
    );
    assert!(
        prepared.test.tokens()[..prepared.test.tokens().len() - 1]
            == prepared.tokenizer.encode(&content).unwrap()
    );
    assert_eq!(
        (prepared.test.documents.len(), prepared.train.tokens().len()),
        (1, 100_000)
    );
    assert_eq!((prepared.vocabulary, prepared.end_of_text), (50257, 50256));
    assert_eq!(prepared.tokenizer.encode("The dog").unwrap(), [464, 3290]);
    assert_same(
        &prepared,
        &quiet(&dataset, &tokenizer, cache.path()).unwrap(),
    );
    // Tokens of the two files as several implementations of GPT-2's tokenizer count them, and the
    // end of the document.
    assert_eq!(
        (
            prepared.validation.tokens().len(),
            prepared.test.tokens().len()
        ),
        (258_659 + 1, 295_877 + 1)
    );
    assert_eq!(prepared.test.words, 241_211);
}

#[test]
fn gpt2_tokens_are_those_of_other_implementations_from_either_form_of_its_files() {
    let Some(data) = test_data() else { return };
    let published = data.join("gpt2-tokenizer");
    let older = tempfile::tempdir().unwrap();
    for name in ["vocab.json", "merges.txt"] {
        fs::copy(published.join(name), older.path().join(name)).unwrap();
    }
    let vectors: Vec<serde_json::Value> =
        serde_json::from_slice(&fs::read(published.join("vectors.json")).unwrap()).unwrap();
    assert!(vectors.len() >= 200);
    let (whole, parts) = (
        Tokenizer::open(&published).unwrap(),
        Tokenizer::open(older.path()).unwrap(),
    );
    assert_eq!(
        whole.sha256(),
        parts.sha256(),
        "the two forms are one tokenizer"
    );
    for tokenizer in [whole, parts] {
        for vector in &vectors {
            let text = vector["text"].as_str().unwrap();
            let ids: Vec<u32> = serde_json::from_value(vector["ids"].clone()).unwrap();
            assert_eq!(tokenizer.decode(&ids), text);
            assert_eq!(
                tokenizer.encode_with_specials(text).unwrap(),
                ids,
                "{text:?}"
            );
            // In a document, a special token's text is text.
            let plain = tokenizer.encode(text).unwrap();
            assert_eq!(plain == ids, !text.contains(tokenizer::END_OF_TEXT));
            assert_eq!(tokenizer.decode(&plain), text);
        }
    }
}

/// A folder with a tokenizer that has added tokens which no cut may tear: 270 `two words`, 271
/// `<eats>` (with the white space around it), 272 `word7` (as a word alone), 273 `<s>` (special).
fn tokenizer_with_added_tokens(folder: &Path) -> run::TokenizerSpec {
    fs::write(
        folder.join("source.txt"),
        "it's the line of words number and so on <s> word7 two words \n".repeat(50),
    )
    .unwrap();
    let paths = || vec![InputPath::new("source.txt", folder)];
    let source = DatasetSpec::Text {
        train: paths(),
        validation: paths(),
        test: paths(),
        detokenize: Detokenize::None,
        train_tokens: None,
    };
    let trained = bpe::train(&source, &no_hub(), 270).unwrap();
    let mut content: serde_json::Value = serde_json::from_str(trained.json()).unwrap();
    for (id, (text, flag)) in (270..).zip([
        ("two words", ""),
        ("<eats>", "lstrip rstrip"),
        ("word7", "single_word"),
        ("<s>", "special"),
    ]) {
        let mut token = serde_json::json!({"id": id, "content": text, "normalized": false});
        for name in ["single_word", "lstrip", "rstrip", "special"] {
            token[name] = flag.contains(name).into();
        }
        content["added_tokens"].as_array_mut().unwrap().push(token);
    }
    fs::create_dir_all(folder.join("tokenizer")).unwrap();
    fs::write(folder.join("tokenizer/tokenizer.json"), content.to_string()).unwrap();
    run::TokenizerSpec::Dir {
        path: InputPath::new("tokenizer", folder),
    }
}

#[test]
fn added_tokens_are_never_torn_by_a_cut() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = tokenizer_with_added_tokens(folder.path());
    let read = Tokenizer::open(&folder.path().join("tokenizer")).unwrap();
    // Little but added tokens, so that many places to cut lie in one or beside one; with white
    // space and without.
    let spaced: String = (0..60_000)
        .map(|i| {
            [
                "two words ",
                "two",
                " words",
                "<eats> ",
                "x\n",
                "<eats>\n\n",
                "word7 ",
                "word7x ",
                "<s> ",
                "it's ",
            ][i * i % 89 % 10]
        })
        .collect();
    let dense: String = (0..60_000)
        .map(|i| ["two", "words7", "<eats>", "word7", "<s>", "it's", "9"][i * i % 97 % 7])
        .collect();
    for (name, content) in [("spaced", spaced), ("dense", dense)] {
        for file in ["train.txt", "valid.txt", "test.txt"] {
            fs::write(folder.path().join(file), &content).unwrap();
        }
        let prepared = quiet(
            &text(folder.path(), &["train.txt"], Detokenize::None),
            &tokenizer,
            &folder.path().join("cache"),
        )
        .unwrap();
        let mut expected = read.encode(&content).unwrap();
        assert!(
            expected.contains(&270) == (name == "spaced") && expected.contains(&271),
            "{name}"
        );
        expected.push(read.end_of_text());
        assert!(prepared.train.tokens() == expected, "{name}");
        assert_eq!(
            (prepared.train.words, prepared.train.bytes),
            (
                content.split_whitespace().count() as u64,
                content.len() as u64
            )
        );

        let single = single(&folder.path().join("train.txt"), &read).unwrap();
        assert!(
            single.tokens == read.encode_with_specials(&content).unwrap()
                && single.tokens.contains(&273),
            "{name}"
        );
        assert_eq!(
            (single.words, single.bytes),
            (prepared.train.words, prepared.train.bytes)
        );
    }
}

#[test]
fn packed_files_give_the_tokens_of_plain_ones() {
    let folder = tempfile::tempdir().unwrap();
    let content: String = (0..30_000)
        .map(|i| format!("line {i} of a text – packed\n"))
        .collect();
    for name in ["train.txt", "valid.txt", "test.txt"] {
        fs::write(folder.path().join(name), &content).unwrap();
    }
    fs::write(
        folder.path().join("train.txt.zst"),
        zstd::encode_all(content.as_bytes(), 1).unwrap(),
    )
    .unwrap();
    let of = |name: &str| {
        quiet(
            &text(folder.path(), &[name], Detokenize::None),
            &TRAINED_SMALL,
            &folder.path().join("cache"),
        )
        .unwrap()
    };
    let (plain, packed) = (of("train.txt"), of("train.txt.zst"));
    assert_eq!(plain.train.tokens(), packed.train.tokens());
    assert_ne!(
        plain.key, packed.key,
        "a packed file counts as it lies on the disk"
    );
}

const TRAINED_SMALL: run::TokenizerSpec = run::TokenizerSpec::Train { vocab_size: 280 };

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
            &run::TokenizerSpec::Train { vocab_size: 262 },
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

#[test]
fn wikitext_is_detokenized_to_plain_english() {
    let Some(data) = test_data() else { return };
    let content = fs::read_to_string(data.join("wikitext-2/test.txt")).unwrap();
    let plain = detokenize::wikitext(&content);
    assert_eq!(plain.matches('\n').count(), content.matches('\n').count());
    for gone in [" ,", " .\n", "@-@", "@,@", "@.@", "( ", " )", " 's ", "  "] {
        assert!(!plain.contains(gone), "{gone:?}");
    }
    let letters = |text: &str| {
        text.chars()
            .filter(|c| !c.is_whitespace() && *c != '@')
            .collect::<String>()
    };
    assert!(
        letters(&plain) == letters(&content),
        "nothing but spaces and marks changes"
    );
}
