//! Studies that take text, tokenizer and teacher from the hub, through the program.

use std::collections::BTreeSet;

use super::server::{Server, ServerFault};
use super::shelf::{MODEL, STORIES, filled, model, parquet, settings, splits, stories};
use crate::builder::{Done, TINY, TestSite, differences};

/// The tiny study with everything from the hub.
fn spec(dataset: &str) -> String {
    let (start, end) = (
        TINY.find("[dataset]").unwrap(),
        TINY.find("[student]").unwrap(),
    );
    let sources = format!(
        "[dataset]\nsource = \"hub\"\nrepo = \"o/stories\"\n{dataset}[tokenizer]\nsource = \
         \"hub\"\nrepo = \"o/tiny-gpt2\"\n[teacher]\nsource = \"hub\"\nrepo = \"o/tiny-gpt2\"\n"
    );
    format!("{}{sources}{}", &TINY[..start], &TINY[end..]).replace(
        "arm = [\"none\", \"mse\", \"wasserstein\"]",
        "arm = [\"none\", \"mse\"]",
    )
}

fn run(site: &TestSite, server: &Server, arguments: &str) -> Done {
    site.kdpipe_with(arguments, &[("HF_ENDPOINT", &server.address)])
}

/// The files that were asked of the store and of the hub.
fn fetched(server: &Server) -> BTreeSet<String> {
    let name = |path: String| {
        path.split_once("/resolve/")
            .map(|(_, rest)| rest[41..].to_owned())
    };
    server
        .requests()
        .into_iter()
        .filter_map(|request| name(request.path))
        .collect()
}

#[test]
fn a_study_of_the_hub_runs_and_runs_again_without_it_to_the_same_bytes() {
    let server = filled();
    let site = TestSite::new(&spec("train_tokens = 3000\n"));
    let plan = run(&site, &server, "plan study.toml").code(0).out;
    assert!(
        plan.contains(
            "unknown: the model o/tiny-gpt2 at the revision main is not here yet; `run` fetches it"
        ),
        "{plan}"
    );
    assert!(server.requests().is_empty(), "a plan asks nothing");
    run(&site, &server, "run study.toml").code(0);
    let all = fetched(&server);
    assert!(
        all.contains("model.safetensors")
            && all.contains("config.json")
            && all.contains("tokenizer.json"),
        "{all:?}"
    );
    // The first file of training has enough tokens.
    assert!(
        all.contains("plain/train-00000-of-00002.parquet")
            && !all.contains("plain/train-00001-of-00002.parquet"),
        "{all:?}"
    );
    assert!(!all.contains("README.md"), "{all:?}");
    let lock = std::fs::read_to_string(site.path("results/tiny/lock.toml")).unwrap();
    assert!(
        lock.contains(
            "[[hub]]\nkind = \"model\"\nrepo = \"o/tiny-gpt2\"\nrevision = \"main\"\ncommit = \""
        ) && lock.contains("kind = \"dataset\""),
        "{lock}"
    );
    let first = site.results();

    // The branch moves on, and the study stays where it was; nothing is asked.
    server.commit(MODEL, "main", &model(16, 2));
    let again = run(&site, &server, "run study.toml").code(0);
    assert!(
        again.error.contains("2 runs are finished already"),
        "{}",
        again.error
    );
    assert!(
        server.requests().is_empty(),
        "what is held to a commit is not asked for"
    );
    drop(server);
    site.kdpipe("run study.toml --offline").code(0);
    assert_eq!(differences(&first, &site.results()), Vec::<String>::new());
    assert!(
        site.kdpipe("plan study.toml")
            .code(0)
            .out
            .matches("done")
            .count()
            >= 2
    );
    // Text and runs are made again from the hub's cache and the lock alone.
    std::fs::remove_dir_all(site.path("cache")).unwrap();
    std::fs::remove_dir_all(site.path("results/tiny/runs")).unwrap();
    std::fs::remove_dir_all(site.path("results/tiny/teachers")).unwrap();
    site.kdpipe("run study.toml --offline").code(0);
    assert_eq!(differences(&first, &site.results()), Vec::<String>::new());
    site.kdpipe("verify study.toml").code(0);
}

#[test]
fn relock_moves_the_study_to_what_the_branch_is_now() {
    let server = filled();
    let site = TestSite::new(&spec("train_tokens = 3000\n"));
    run(&site, &server, "run study.toml --only arm=none").code(0);
    let lock = || std::fs::read_to_string(site.path("results/tiny/lock.toml")).unwrap();
    let (first, moved) = (lock(), server.commit(MODEL, "main", &model(16, 2)));
    assert!(!first.contains(&moved));
    run(&site, &server, "run study.toml --only arm=none").code(0);
    assert_eq!(lock(), first);
    run(&site, &server, "run study.toml --only arm=none --relock").code(0);
    assert!(lock().contains(&moved), "{}", lock());
}

#[test]
fn a_damaged_lock_is_refused_until_the_study_is_locked_again() {
    let server = filled();
    let site = TestSite::new(&spec("train_tokens = 3000\n"));
    run(&site, &server, "run study.toml --only arm=none").code(0);
    let path = site.path("results/tiny/lock.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    let damaged = good.replacen("tiny", "tine", 1);
    std::fs::write(&path, &damaged).unwrap();
    for command in ["run study.toml --only arm=none", "plan study.toml"] {
        let done = run(&site, &server, command);
        assert!(
            done.code != Some(0)
                && done
                    .error
                    .contains("the commits that this study is held to cannot be read"),
            "{}",
            done.error
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), damaged);
    }
    let done = run(&site, &server, "run study.toml --only arm=none --relock").code(0);
    assert!(
        done.error.contains("lock.toml.bad and written anew"),
        "{}",
        done.error
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), good);
}

#[test]
fn every_mistake_is_told_at_once_before_weights_or_text_are_fetched() {
    let server = filled();
    server.commit(MODEL, "main", &model(8, 1));
    let site = TestSite::new(
        &spec("config = \"plain\"\nvalidation = \"dev\"\n").replacen(
            "repo = \"o/tiny-gpt2\"",
            "repo = \"o/none\"",
            1,
        ),
    );
    let done = run(&site, &server, "run study.toml").code(2);
    for expected in [
        "the dataset o/stories (plain) has no split \"dev\"; there are test, train, validation",
        "the hub has no such repo: the model o/none",
        "train.context = 16 is longer than the teacher's 8 positions",
    ] {
        assert!(
            done.error.contains(expected),
            "{expected} is not in\n{}",
            done.error
        );
    }
    assert!(done.error.contains("study.toml:"), "{}", done.error);
    let all = fetched(&server);
    assert!(
        !all.iter()
            .any(|file| file.ends_with(".parquet") || file.ends_with(".safetensors")),
        "{all:?}"
    );
    assert!(!site.path("results").exists());
}

#[test]
fn a_dataset_without_files_in_parquet_is_read_from_the_hubs_own_copies() {
    let server = filled();
    server.commit(STORIES, "main", &[("stories.jsonl", b"{}\n".to_vec())]);
    let converted: Vec<(&str, Vec<u8>)> = vec![
        ("default/train/0000.parquet", stories(0, 60)),
        ("default/train/0001.parquet", stories(60, 120)),
        ("default/validation/0000.parquet", stories(120, 130)),
        ("default/test/0000.parquet", stories(130, 145)),
    ];
    let commit = server.commit(STORIES, "refs/convert/parquet", &converted);
    let site = TestSite::new(&spec(""));
    run(&site, &server, "run study.toml --only arm=none").code(0);
    let lock = std::fs::read_to_string(site.path("results/tiny/lock.toml")).unwrap();
    assert!(
        lock.contains(&format!(
            "commit = \"{commit}\"\nbranch = \"refs/convert/parquet\""
        )),
        "{lock}"
    );
    // The same text as that of the files on main: the streams have the same tokens.
    let other = TestSite::new(&spec(""));
    server.commit(STORIES, "main", &splits());
    run(&other, &server, "run study.toml --only arm=none").code(0);
    let metrics = |site: &TestSite| {
        site.results()
            .into_iter()
            .find(|(name, _)| name.contains("runs/") && name.ends_with("metrics.parquet"))
            .unwrap()
            .1
    };
    assert_eq!(metrics(&site), metrics(&other));
    drop(server);
    let again = site
        .kdpipe("run study.toml --only arm=none --offline")
        .code(0);
    assert!(
        again.error.contains("1 run is finished already"),
        "{}",
        again.error
    );
}

#[test]
fn shares_are_cut_from_the_training_documents_and_none_is_in_two_splits() {
    use kdpipe::data::{Dataset, prepare};
    use kdpipe::hub::Hub;
    use kdpipe::plan::run::{DatasetSpec, Detokenize, Rows, TokenizerSpec};
    let server = filled();
    // A third of the texts stands there twice.
    let texts = |from: usize| {
        (from..from + 300)
            .map(|index| format!("story {} of a fox", index % 450))
            .collect::<Vec<_>>()
    };
    server.commit(
        STORIES,
        "main",
        &[
            ("data/train-00000-of-00002.parquet", parquet(texts(0))),
            ("data/train-00001-of-00002.parquet", parquet(texts(300))),
        ],
    );
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::quiet(settings(&server, &folder.path().join("hub")), Vec::new());
    let dataset = |train_tokens: Option<u64>| DatasetSpec::Hub {
        repo: "o/stories".to_owned(),
        config: None,
        revision: "main".to_owned(),
        train: "train".to_owned(),
        validation: "20%".to_owned(),
        test: "10%".to_owned(),
        column: "text".to_owned(),
        rows: Rows::Documents,
        detokenize: Detokenize::None,
        train_tokens,
    };
    let tokenizer = TokenizerSpec::Hub {
        repo: "o/tiny-gpt2".to_owned(),
        revision: "main".to_owned(),
    };
    let prepared = |train_tokens| {
        prepare(
            &dataset(train_tokens),
            &tokenizer,
            &hub,
            &folder.path().join("corpora"),
            &|_| {},
        )
        .unwrap()
    };
    let all = prepared(None);
    let texts_of = |split: &kdpipe::data::Split| {
        (0..split.documents.len())
            .map(|at| all.tokenizer.decode(split.document(at)))
            .collect::<Vec<_>>()
    };
    let [train, validation, test] = [
        texts_of(&all.train),
        texts_of(&all.validation),
        texts_of(&all.test),
    ];
    assert_eq!(train.len() + validation.len() + test.len(), 600);
    let set = |texts: &[String]| texts.iter().cloned().collect::<BTreeSet<String>>();
    assert!(
        set(&train).is_disjoint(&set(&validation))
            && set(&train).is_disjoint(&set(&test))
            && set(&validation).is_disjoint(&set(&test))
    );
    assert!(
        (80..160).contains(&validation.len()) && (30..90).contains(&test.len()),
        "{} {}",
        validation.len(),
        test.len()
    );

    // Fewer tokens: the same documents, up to there, and the second file is not needed.
    let wanted = all.train.documents[100] - 3;
    server.requests();
    let other = tempfile::tempdir().unwrap();
    let fresh = Hub::quiet(settings(&server, &other.path().join("hub")), Vec::new());
    let some = prepare(
        &dataset(Some(wanted)),
        &tokenizer,
        &fresh,
        other.path(),
        &|_| {},
    )
    .unwrap();
    assert_eq!(some.train.tokens(), &all.train.tokens()[..wanted as usize]);
    assert_eq!(
        some.validation.tokens(),
        &all.validation.tokens()[..some.validation.tokens().len()]
    );
    assert!(
        some.validation.documents.len() < validation.len() / 2 && !some.test.documents.is_empty()
    );
    assert_eq!(
        fetched(&server)
            .into_iter()
            .filter(|file| file.ends_with(".parquet"))
            .collect::<Vec<_>>(),
        ["data/train-00000-of-00002.parquet"]
    );
    let fingerprint = |train_tokens| {
        let spec = dataset(train_tokens);
        Dataset::find(&spec, &hub).unwrap().fingerprint().to_owned()
    };
    assert_ne!(fingerprint(None), fingerprint(Some(wanted)));
}

#[test]
fn the_token_is_in_no_file_and_no_message() {
    let server = filled();
    let token = "hf_abcdefghijklmnopqrstuvwxyz";
    server.change(MODEL, |repo| repo.token = Some(token.to_owned()));
    let site = TestSite::new(&spec("train_tokens = 3000\n"));
    let refused = run(&site, &server, "run study.toml").code(2);
    assert!(refused.error.contains("set HF_TOKEN"), "{}", refused.error);
    let with_token = |arguments: &str| {
        site.kdpipe_with(
            arguments,
            &[("HF_ENDPOINT", &server.address), ("HF_TOKEN", token)],
        )
    };
    server.fail("/store/", ServerFault::Cut(10), 2);
    let done = with_token("run study.toml --only arm=none -v").code(0);
    assert!(
        !done.out.contains(token) && !done.error.contains(token),
        "{}",
        done.error
    );
    for folder in ["results", "cache", "hf"] {
        let mut open = vec![site.path(folder)];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(
                    std::fs::read_dir(path)
                        .unwrap()
                        .flatten()
                        .map(|entry| entry.path()),
                );
            } else {
                let bytes = std::fs::read(&path).unwrap();
                assert!(
                    !bytes
                        .windows(token.len())
                        .any(|window| window == token.as_bytes()),
                    "{}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn eval_and_generate_take_a_model_of_the_hub() {
    let server = filled();
    let site = TestSite::new("");
    site.write(
        "text.txt",
        "Once there was a fox. It slept.\n".repeat(20).as_bytes(),
    );
    let first = run(&site, &server, "eval o/tiny-gpt2 --text text.txt --json")
        .code(0)
        .out;
    assert!(first.contains("\"perplexity\""), "{first}");
    let commit = server.commit(MODEL, "other", &model(16, 5));
    let other = run(
        &site,
        &server,
        "eval o/tiny-gpt2@other --text text.txt --json",
    )
    .code(0)
    .out;
    assert_ne!(other, first, "another branch");
    assert_eq!(
        run(
            &site,
            &server,
            &format!("eval o/tiny-gpt2@{commit} --text text.txt --json")
        )
        .code(0)
        .out,
        other
    );
    assert!(
        run(&site, &server, "eval o/tiny-gpt2@none --text text.txt")
            .code(2)
            .error
            .contains("has no revision none")
    );
    run(
        &site,
        &server,
        "generate o/tiny-gpt2 --prompt Once --max-new-tokens 4 -q",
    )
    .code(0);
    assert!(
        run(&site, &server, "eval o/none --text text.txt")
            .code(2)
            .error
            .contains(
                "o/none is not a folder here, and cannot be had from the hub: the hub has no such \
                 repo"
            )
    );
    drop(server);
    assert_eq!(
        site.kdpipe("eval o/tiny-gpt2 --text text.txt --json --offline")
            .code(0)
            .out,
        first
    );
    assert!(
        site.kdpipe("eval no/such/folder --text text.txt")
            .code(2)
            .error
            .contains("is not a folder; give one with config.json")
    );
    server_less(&site);
}

/// Without a hub the message says what can be done.
fn server_less(site: &TestSite) {
    let error = site.kdpipe("eval o/other --text text.txt").code(2).error;
    assert!(
        error.contains("cannot be reached (") && error.contains("--offline"),
        "{error}"
    );
}

#[test]
fn a_repo_with_nothing_but_pickled_weights_is_refused_with_the_way_out() {
    let server = Server::start();
    let mut files = model(16, 1);
    files.retain(|(name, _)| *name != "model.safetensors");
    files.push(("pytorch_model.bin", vec![0; 10]));
    server.commit(MODEL, "main", &files);
    server.commit(STORIES, "main", &splits());
    let site = TestSite::new(&spec(""));
    let done = run(&site, &server, "run study.toml").code(2);
    assert!(
        done.error
            .contains("has its weights only as pytorch_model.bin")
            && done.error.contains("source = \"dir\""),
        "{}",
        done.error
    );
}

#[test]
fn the_shipped_study_of_wikitext_103_runs_with_a_tiny_model_in_its_place() {
    let server = Server::start();
    server.commit("models/openai-community/gpt2", "main", &model(32, 1));
    let lines = |from: usize| {
        (0..300)
            .map(|row| {
                if row % 20 == 0 {
                    format!(" = Title {} = \n", row + from)
                } else {
                    format!(" Line {} of the text , with words . \n", row * from)
                }
            })
            .collect()
    };
    let file = |split: &str| format!("wikitext-103-raw-v1/{split}.parquet");
    let names = [
        file("train-00000-of-00002"),
        file("train-00001-of-00002"),
        file("validation-00000-of-00001"),
        file("test-00000-of-00001"),
    ];
    let files: Vec<(&str, Vec<u8>)> = names
        .iter()
        .zip([1, 2, 3, 5])
        .map(|(name, from)| (name.as_str(), parquet(lines(from))))
        .collect();
    let other = (
        "wikitext-2-raw-v1/train-00000-of-00001.parquet",
        parquet(lines(7)),
    );
    server.commit(
        "datasets/Salesforce/wikitext",
        "main",
        &[files, vec![other]].concat(),
    );
    let site = TestSite::new("");
    let spec = format!("{}/pipelines/wikitext103.toml", env!("CARGO_MANIFEST_DIR"));
    let small = [
        "student.layers=2",
        "student.width=16",
        "student.heads=2",
        "student.init_blocks=\"uniform\"",
        "train.steps=4",
        "train.batch=2",
        "train.context=16",
        "train.checkpoint_every=2",
        "train.evaluate_every=4",
        "balance.batches=1",
        "evaluate.context=16",
        "evaluate.stride=16",
        "evaluate.probe_tokens=32",
        "evaluate.embed_tokens=12",
        "evaluate.directions=4",
        "evaluate.samples.prompts=1",
        "evaluate.samples.tokens=2",
        "loss.hidden.critic.width=8",
        "loss.hidden.critic.steps=1",
        "loss.hidden.critic.warmup=2",
    ];
    let small: String = small
        .iter()
        .filter(|set| !set.contains("critic"))
        .map(|set| format!(" --set {set}"))
        .collect();
    run(&site, &server, &format!("run {spec}{small} --only seed=0")).code(0);
    let report = std::fs::read_to_string(site.path("results/wikitext103/report.md")).unwrap();
    assert!(
        report.contains("Salesforce/wikitext (wikitext-103-raw-v1) of the hub at the commit "),
        "{report}"
    );
    let all = fetched(&server);
    assert!(
        !all.iter().any(|file| file.contains("wikitext-2")),
        "{all:?}"
    );
}
