//! Studies that take text, tokenizer and teacher from the hub, through the program.

use std::collections::BTreeSet;

use super::server::{Server, ServerFault};
use super::shelf::{MODEL, STORIES, filled, model, splits};
use crate::builder::{Done, TINY, TestSite, differences};

/// The tiny study with everything from the hub.
pub fn spec(dataset: &str) -> String {
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

pub fn run(site: &TestSite, server: &Server, arguments: &str) -> Done {
    site.kdpipe_with(arguments, &[("HF_ENDPOINT", &server.address)])
}

/// The files that were asked of the store and of the hub.
pub fn fetched(server: &Server) -> BTreeSet<String> {
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

/// The files of the model and as much of the text as has enough tokens, and nothing else.
fn check_fetched(all: &BTreeSet<String>) {
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
    // Of the dataset: its card may say which files it is made of.
    assert!(all.contains("README.md"), "{all:?}");
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
    check_fetched(&fetched(&server));
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
            .matches("finished")
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
fn runs_are_not_cleaned_away_where_the_hub_s_files_are_not() {
    let server = filled();
    let site = TestSite::new(&spec("train_tokens = 3000\n"));
    run(&site, &server, "run study.toml --only arm=none").code(0);
    let first = site.results();
    std::fs::remove_dir_all(site.path("hf")).unwrap();
    let kept = site.kdpipe("clean study.toml --remove").code(0).out;
    assert_eq!(kept, "results/tiny: nothing is left over\n");
    // Nobody knows which runs another spec has without its inputs.
    let refused = site.kdpipe("clean study.toml --remove --set train.steps=9");
    assert!(
        refused.code == Some(2) && refused.error.contains("the stored runs were set otherwise"),
        "{}",
        refused.error
    );
    assert_eq!(differences(&first, &site.results()), Vec::<String>::new());
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
    let text = "Once there was a fox. It slept.\n".repeat(20);
    site.write("text.txt", text.as_bytes());
    let eval = |model: &str| {
        let arguments = format!("eval {model} --text text.txt --json");
        run(&site, &server, &arguments)
    };
    let first = eval("o/tiny-gpt2").code(0).out;
    assert!(first.contains("\"perplexity\""), "{first}");
    let commit = server.commit(MODEL, "other", &model(16, 5));
    let other = eval("o/tiny-gpt2@other").code(0).out;
    assert_ne!(other, first, "another branch");
    assert_eq!(eval(&format!("o/tiny-gpt2@{commit}")).code(0).out, other);
    let error = eval("o/tiny-gpt2@none").code(2).error;
    assert!(error.contains("has no revision none"), "{error}");
    let generate = "generate o/tiny-gpt2 --prompt Once --max-new-tokens 4 -q";
    run(&site, &server, generate).code(0);
    let error = eval("o/none").code(2).error;
    assert!(
        error.contains(
            "o/none is not a folder here, and cannot be had from the hub: the hub has no such repo"
        ),
        "{error}"
    );
    drop(server);
    check_without_hub(&site, &first);
}

/// Without a hub the cache has the model, and a message says what can be done about another.
fn check_without_hub(site: &TestSite, first: &str) {
    let again = site.kdpipe("eval o/tiny-gpt2 --text text.txt --json --offline");
    assert_eq!(again.code(0).out, first);
    let error = site.kdpipe("eval no/such/folder --text text.txt").code(2);
    assert!(
        error
            .error
            .contains("is not a folder; give one with config.json")
    );
    std::fs::create_dir(site.path("gpt2")).unwrap();
    let hidden = site.kdpipe("eval gpt2 --text text.txt").code(2).error;
    assert!(
        hidden.contains("gpt2 is an empty folder here, so the hub is not asked"),
        "{hidden}"
    );
    let error = site.kdpipe("eval o/other --text text.txt").code(2).error;
    assert!(
        error.contains("cannot be reached (") && error.contains("HF_ENDPOINT"),
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
