//! What models are asked, from datasets of the hub: pairs and last words, as parquet and as JSON
//! lines.

use serde_json::Value as Json;

use kdpipe::table::{Column, Table, to_parquet};

use super::server::Server;
use super::studies::{fetched, run};
use crate::builder::{TINY, TestSite};

const PAIRS: &str = "datasets/o/pairs";
const LINES: &str = "datasets/o/lines";
const WORDS: &str = "datasets/o/words";

/// A card with two configurations of one file each.
fn card(ending: &str) -> Vec<u8> {
    let config = |name: &str| {
        format!(
            "- config_name: {name}\n  data_files:\n  - split: train\n    path: {name}/*.{ending}\n"
        )
    };
    format!("---\nconfigs:\n{}{}---\n", config("nouns"), config("verbs")).into_bytes()
}

/// A good and a bad text, and what they are about, where a column says so.
type ServedPair = (String, String, Option<&'static str>);

fn nouns() -> Vec<ServedPair> {
    let pair = |n: usize| {
        (
            format!("The cat {n} sat."),
            format!("The cats {n} sits."),
            None,
        )
    };
    (0..5).map(pair).collect()
}

fn verbs() -> Vec<ServedPair> {
    let about = |n: usize| Some(if n < 3 { "agreement" } else { "tense" });
    let pair = |n: usize| (format!("He is {n}."), format!("He are {n}."), about(n));
    (0..4).map(pair).collect()
}

fn as_parquet(rows: &[ServedPair]) -> Vec<u8> {
    let good = rows.iter().map(|row| row.0.clone()).collect();
    let bad = rows.iter().map(|row| row.1.clone()).collect();
    let mut table = Table::new()
        .with("sentence_good", Column::Text(good))
        .with("sentence_bad", Column::Text(bad));
    let about: Vec<String> = rows
        .iter()
        .filter_map(|row| row.2.map(str::to_owned))
        .collect();
    if !about.is_empty() {
        table = table.with("linguistics_term", Column::Text(about));
    }
    to_parquet(&table).expect("parquet")
}

fn as_lines(rows: &[ServedPair]) -> Vec<u8> {
    let line = |(good, bad, about): &ServedPair| {
        let mut row = serde_json::json!({ "sentence_good": good, "sentence_bad": bad });
        if let Some(about) = about {
            row["linguistics_term"] = (*about).into();
        }
        format!("{row}\n")
    };
    rows.iter().map(line).collect::<String>().into_bytes()
}

/// Pairs in both forms, and texts whose last word is to be found.
fn filled() -> Server {
    let server = Server::start();
    server.commit(
        PAIRS,
        "main",
        &[
            ("README.md", card("parquet")),
            ("nouns/train-00000-of-00001.parquet", as_parquet(&nouns())),
            ("verbs/train-00000-of-00001.parquet", as_parquet(&verbs())),
        ],
    );
    server.commit(
        LINES,
        "main",
        &[
            ("README.md", card("jsonl")),
            ("nouns/train.jsonl", as_lines(&nouns())),
            ("verbs/train.jsonl", as_lines(&verbs())),
        ],
    );
    let words = "{\"text\": \"the fox saw the fox\"}\n{\"text\": \"a hound and a hound\"}\n";
    server.commit(WORDS, "main", &[("data/test.jsonl", words.into())]);
    server
}

/// The tiny study of one run, with these tasks.
fn spec(tasks: &str) -> String {
    let one = "arm = [\"none\"]";
    let spec = TINY.replace("arm = [\"none\", \"mse\", \"wasserstein\"]", one);
    format!("{spec}{tasks}\n")
}

const THREE: &str = "
[evaluate.tasks.lines]
kind = \"pairs\"
repo = \"o/lines\"
[evaluate.tasks.pairs]
kind = \"pairs\"
repo = \"o/pairs\"
[evaluate.tasks.words]
kind = \"cloze\"
repo = \"o/words\"
";

/// Every evaluation of a student, by its path.
fn evaluations(site: &TestSite) -> Vec<(String, Json)> {
    let found = site.results().into_iter();
    let mut found: Vec<(String, Json)> = found
        .filter(|(name, _)| name.contains("runs/") && name.ends_with("eval.json"))
        .map(|(name, bytes)| (name, serde_json::from_slice(&bytes).unwrap()))
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// What the one evaluation of a study holds, with its path.
fn evaluation(site: &TestSite) -> (String, Json) {
    let mut found = evaluations(site);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn lock(site: &TestSite) -> String {
    std::fs::read_to_string(site.path("results/tiny/lock.toml")).unwrap()
}

fn answers(evaluation: &Json, task: &str) -> Json {
    evaluation["tasks"][task]["answers"].clone()
}

/// How many items are about what.
fn counts(answers: &Json) -> Vec<(&str, usize)> {
    let all = answers.as_object().unwrap().iter();
    all.map(|(about, of_it)| (about.as_str(), of_it["right"].as_str().unwrap().len()))
        .collect()
}

#[test]
fn parquet_and_json_lines_give_the_same_items_and_a_plan_asks_nothing() {
    let server = filled();
    let site = TestSite::new(&spec(THREE));
    let plan = run(&site, &server, "plan study.toml").code(0).out;
    assert!(
        plan.contains(
            "unknown: the dataset o/lines at the revision main is not here yet; `run` fetches it"
        ),
        "{plan}"
    );
    assert!(server.requests().is_empty(), "a plan asks nothing");
    run(&site, &server, "run study.toml").code(0);
    for repo in ["o/lines", "o/pairs", "o/words"] {
        let pin = format!("kind = \"dataset\"\nrepo = \"{repo}\"\nrevision = \"main\"\ncommit = ");
        assert!(lock(&site).contains(&pin), "{}", lock(&site));
    }
    let first = evaluation(&site).1;
    assert_eq!(answers(&first, "pairs"), answers(&first, "lines"));
    // By what a column says they are about, else by their configuration.
    assert_eq!(
        counts(&answers(&first, "pairs")),
        [("agreement", 3), ("nouns", 5), ("tense", 1)]
    );
    assert_eq!(counts(&answers(&first, "words")), [("last word", 2)]);
    let report = std::fs::read_to_string(site.path("results/tiny/report.md")).unwrap();
    assert!(
        report.contains("- Items of lines: o/lines, split train, of the hub at the commit "),
        "{report}"
    );
    // One of the configurations is another evaluation, whose files the cache has.
    drop(server);
    let one = "run study.toml --offline --set evaluate.tasks.pairs.configs=[\"verbs\"]";
    site.kdpipe(one).code(0);
    let all = evaluations(&site);
    assert_eq!(all.len(), 2);
    assert!(
        all.iter()
            .any(|(_, other)| counts(&answers(other, "pairs")) == [("agreement", 3), ("tense", 1)]),
        "{all:?}"
    );
}

#[test]
fn tasks_stay_at_their_commits_and_another_commit_is_another_evaluation() {
    let server = filled();
    let site = TestSite::new(&spec(THREE));
    run(&site, &server, "run study.toml").code(0);
    let (name, first) = evaluation(&site);
    fetched(&server);
    let moved = [
        ("README.md", card("jsonl")),
        ("nouns/train.jsonl", as_lines(&nouns()[..3])),
        ("verbs/train.jsonl", as_lines(&verbs())),
    ];
    let commit = server.commit(LINES, "main", &moved);
    let again = run(&site, &server, "run study.toml").code(0);
    assert!(again.error.contains("finished already"), "{}", again.error);
    let asked = server.requests();
    assert!(asked.is_empty(), "what is held is not asked for: {asked:?}");
    site.kdpipe("run study.toml --offline").code(0);
    assert_eq!(evaluation(&site), (name.clone(), first));

    let done = run(&site, &server, "run study.toml --relock").code(0);
    assert!(
        done.error.contains("1 run is trained, to be evaluated"),
        "{}",
        done.error
    );
    assert!(lock(&site).contains(&commit), "{}", lock(&site));
    let mut both = evaluations(&site);
    both.retain(|(other, _)| *other != name);
    let [(_, newer)] = &both[..] else {
        panic!("another evaluation");
    };
    let now = answers(newer, "lines");
    assert_eq!(counts(&now), [("agreement", 3), ("nouns", 3), ("tense", 1)]);
    // Without a hub all is made once more, from its cache.
    drop(server);
    std::fs::remove_dir_all(site.path("results/tiny/runs")).unwrap();
    site.kdpipe("run study.toml --offline").code(0);
    assert_eq!(evaluation(&site).1["tasks"], newer["tasks"]);
    site.kdpipe("verify study.toml").code(0);
    // What is held to a commit has its key, though its files are gone.
    std::fs::remove_dir_all(site.path("hf")).unwrap();
    let plan = site.kdpipe("plan study.toml").code(0).out;
    assert!(plan.contains("finished"), "{plan}");
}

#[test]
fn configurations_and_splits_that_are_not_there_are_told_before_anything_is_fetched() {
    let server = filled();
    let site = TestSite::new(&spec(
        "[evaluate.tasks.pairs]\nkind = \"pairs\"\nrepo = \"o/pairs\"\nconfigs = [\"verb\"]\n\
         [evaluate.tasks.lines]\nkind = \"pairs\"\nrepo = \"o/lines\"\nsplit = \"test\"\n\
         [evaluate.tasks.words]\nkind = \"cloze\"\nrepo = \"o/none\"\n",
    ));
    let done = run(&site, &server, "run study.toml").code(2);
    for expected in [
        "names \"verb\": the dataset o/pairs has no such configuration; it has nouns, verbs",
        "write one of those, or leave it out for all of them",
        "the dataset o/lines (nouns) has no split \"test\"; there is train (and 1 more like it)",
        "name a split that all configurations have",
        "the hub has no such repo: the dataset o/none",
    ] {
        assert!(
            done.error.contains(expected),
            "{expected} is not in\n{}",
            done.error
        );
    }
    let places = done.error.matches("--> study.toml:").count();
    assert_eq!(places, 3, "{}", done.error);
    let all = fetched(&server);
    assert!(all.iter().all(|file| file == "README.md"), "{all:?}");
    assert!(!site.path("results").exists());
    // Of a repo with terms the hub tells what there is, and no more.
    server.change(PAIRS, |repo| {
        repo.token = Some("hf_right".to_owned());
        repo.gated = true;
    });
    let other = TestSite::new(&spec(
        "[evaluate.tasks.pairs]\nkind = \"pairs\"\nrepo = \"o/pairs\"\n",
    ));
    let gated = run(&other, &server, "run study.toml").code(2).error;
    assert!(
        gated.contains("accept them at") && gated.contains("and set HF_TOKEN"),
        "{gated}"
    );
    assert!(gated.contains("--> study.toml:"), "{gated}");
}

#[test]
fn rows_that_are_no_items_are_told_before_anything_is_trained() {
    let server = filled();
    let site = TestSite::new(&spec(
        "[evaluate.tasks.pairs]\nkind = \"pairs\"\nrepo = \"o/pairs\"\n",
    ));
    let offline = site.kdpipe("run study.toml --offline").code(2).error;
    assert!(
        offline.contains("the dataset o/pairs at the revision main"),
        "{offline}"
    );
    let told = |command: &str, expected: &[&str]| {
        let done = run(&site, &server, command).code(2);
        for part in expected {
            assert!(done.error.contains(part), "{part}: {}", done.error);
        }
        assert!(done.error.contains("study.toml:"), "{}", done.error);
    };
    let serve = |bytes: Vec<u8>, name: &str| {
        let files = [("README.md", Vec::new()), (name, bytes)];
        server.commit(PAIRS, "main", &files)
    };
    let good = Column::Text(vec!["He is.".to_owned()]);
    let table = Table::new().with("sentence_good", good);
    serve(to_parquet(&table).unwrap(), "train.parquet");
    let column =
        ["train.parquet of the dataset o/pairs has no column `sentence_bad`; it has sentence_good"];
    // What is not fetched cannot be read; a run fetches it, and finds the fault.
    run(&site, &server, "check study.toml").code(0);
    told("run study.toml", &column);
    told("check study.toml", &column);
    assert!(!site.path("results/tiny/runs").exists());
    let pair =
        |good: &str, bad: &str| format!("{{\"sentence_good\": {good}, \"sentence_bad\": {bad}}}\n");
    let first = pair("\"a b\"", "\"a c\"");
    for (row, problem) in [
        (pair("\"a b\"", "null"), "\"sentence_bad\" is null"),
        (pair("\" \"", "\"a b\""), "\"sentence_good\" is empty"),
        (pair("7", "\"a b\""), "\"sentence_good\" is no text"),
    ] {
        serve(format!("{first}{row}").into_bytes(), "train.jsonl");
        let place = format!("train.jsonl of the dataset o/pairs, row 2: {problem}");
        let remedy = "export it to JSON lines, and name those in evaluate.tasks.pairs.files";
        told("run study.toml --relock", &[&place, remedy]);
        told("check study.toml", &[&place, remedy]);
    }
    let alike = pair("\"a b\"", "\"a b\"");
    serve(format!("{first}{alike}").into_bytes(), "train.jsonl");
    let problem = "1 of 2 pairs have the same text twice, which no model gets right";
    told("run study.toml --relock", &[problem, "repo = \"o/pairs\""]);
}
