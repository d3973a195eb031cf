//! Bad input: what is said, and that nothing is lost.

use crate::builder::{TINY, TestSite, differences};

/// The tiny study on text files.
fn on_text() -> String {
    let (start, end) = (
        TINY.find("[dataset]").unwrap(),
        TINY.find("[tokenizer]").unwrap(),
    );
    let dataset = "[dataset]\nsource = \"text\"\ntrain = [\"train.txt\"]\nvalidation = \
                   [\"valid.txt\"]\ntest = [\"test.txt\"]\n";
    format!("{}{dataset}{}", &TINY[..start], &TINY[end..])
}

#[test]
fn a_missing_file_is_named_before_anything_is_trained() {
    let site = TestSite::new(&on_text());
    let done = site.kdpipe("run study.toml").code(2);
    assert!(
        done.error.contains("train.txt") && !done.error.contains("training"),
        "{}",
        done.error
    );
}

#[test]
fn text_that_is_not_utf8_is_named_with_its_byte() {
    let site = TestSite::new(&on_text().replace("vocab_size = 300", "vocab_size = 280"));
    let good = "The quick brown fox jumps over the lazy dog. ".repeat(80);
    site.write("train.txt", good.as_bytes());
    site.write("valid.txt", good.as_bytes());
    let mut bad = good.into_bytes();
    bad[100] = 0xff;
    site.write("test.txt", &bad);
    for command in ["check study.toml", "run study.toml"] {
        let done = site.kdpipe(command).code(2);
        assert!(
            done.error.matches("test.txt is not UTF-8").count() == 1
                && done.error.contains("100")
                && done.error.contains("UTF-8"),
            "{}",
            done.error
        );
    }
}

#[test]
fn an_empty_text_is_refused() {
    let site = TestSite::new(&on_text());
    for name in ["train.txt", "valid.txt", "test.txt"] {
        site.write(name, b"");
    }
    let done = site.kdpipe("run study.toml");
    assert_ne!(done.code, Some(0));
    assert!(
        done.error.contains("no text") || done.error.contains("empty"),
        "{}",
        done.error
    );
}

#[test]
fn results_that_cannot_be_written_lose_nothing() {
    let site = TestSite::tiny(&[]);
    site.write("results", b"a file, not a folder");
    let done = site.kdpipe("run study.toml").code(1);
    assert!(done.error.contains("results"), "{}", done.error);
    std::fs::remove_file(site.path("results")).unwrap();
    site.kdpipe("run study.toml --only arm=none").code(0);
}

#[test]
fn what_cannot_fit_the_memory_is_refused_with_the_figures_and_what_to_change() {
    // What is measured of a treatment takes more than such a training.
    let small = [(
        "embed_tokens = 12",
        "embed_tokens = 12\ntreatment_tokens = 32",
    )];
    let site = TestSite::tiny(&small);
    for (command, code) in [("run study.toml", 2), ("plan study.toml", 0)] {
        let done = site
            .kdpipe_with(command, &[("KDPIPE_MEMORY", "100KB")])
            .code(code);
        assert!(
            done.error
                .contains("of memory, and there are 100 KB; lower train.batch"),
            "{}",
            done.error
        );
    }
    assert!(!site.path("results").exists() && !site.path("cache").exists());
    let done = site
        .kdpipe_with("run study.toml", &[("KDPIPE_MEMORY", "lots")])
        .code(2);
    assert!(
        done.error
            .contains("KDPIPE_MEMORY = \"lots\" is no size; write 8GB, 8G or 500MB"),
        "{}",
        done.error
    );
    let planned = site
        .kdpipe_with("plan study.toml", &[("KDPIPE_MEMORY", "lots")])
        .code(0);
    assert!(
        planned
            .error
            .contains("warning: KDPIPE_MEMORY = \"lots\" is no size"),
        "{}",
        planned.error
    );
    // A small share of the memory makes the groups small, which changes nothing.
    let whole = TestSite::tiny(&small);
    whole.kdpipe("run study.toml").code(0);
    site.kdpipe_with("run study.toml", &[("KDPIPE_MEMORY", "4MB")])
        .code(0);
    assert_eq!(
        differences(&whole.results(), &site.results()),
        Vec::<String>::new()
    );
}

#[test]
fn every_error_of_a_spec_is_shown_at_once_with_place_and_remedy() {
    let site = TestSite::tiny(&[
        ("steps = 10", "stpes = 10"),
        ("kind = \"lm\"", "kind = \"ml\""),
    ]);
    let done = site.kdpipe("check study.toml").code(2);
    assert!(
        done.error.contains("stpes") && done.error.contains("steps"),
        "{}",
        done.error
    );
    assert!(done.error.contains("\"ml\""), "{}", done.error);
    assert!(done.error.contains("study.toml:"), "{}", done.error);
}

#[test]
fn an_existing_file_is_not_overwritten_by_init_and_the_starter_is_a_good_spec() {
    let site = TestSite::tiny(&[]);
    assert!(
        site.kdpipe("init study.toml")
            .code(2)
            .error
            .contains("exists already")
    );
    site.kdpipe("init new.toml").code(0);
    site.kdpipe("check new.toml").code(0);
}

#[test]
fn what_lies_on_the_hub_is_planned_as_unknown_and_missed_by_run_offline() {
    for name in ["wikitext103", "openwebtext", "gpt2-medium"] {
        let path = format!("{}/pipelines/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let site = TestSite::tiny(&[]);
        let plan = site.kdpipe(&format!("plan {path}")).code(0);
        assert!(plan.out.contains("unknown"), "{}", plan.out);
        let run = site.kdpipe(&format!("run {path} --offline")).code(2);
        assert_eq!(
            run.error
                .matches("is not in the hub's cache, and offline nothing is fetched")
                .count(),
            3,
            "{}",
            run.error
        );
        assert!(!site.path("results").exists() && !site.path("hf").exists());
    }
}

#[test]
fn every_shipped_spec_is_good() {
    let folder = format!("{}/pipelines", env!("CARGO_MANIFEST_DIR"));
    let site = TestSite::tiny(&[]);
    for name in [
        "default",
        "smoke",
        "sweep",
        "claims/base",
        "claims/layer-choice",
        "claims/kl-direction",
        "claims/skew-kl",
        "claims/weak-teachers",
        "claims/hidden-at-equal-compute",
    ] {
        site.kdpipe(&format!("check {folder}/{name}.toml")).code(0);
    }
}

#[test]
fn mistakes_in_the_text_are_told_once_at_their_key_before_anything_is_trained() {
    let words = |count: usize| {
        (0..count)
            .map(|i| format!("word{} of line {i}\n", i * i % 97))
            .collect::<String>()
    };
    let site = TestSite::new(&on_text());
    for (name, count) in [("train.txt", 300), ("valid.txt", 30), ("test.txt", 40)] {
        site.write(name, words(count).as_bytes());
    }
    let told = |command: &str, code: i32, parts: &[&str]| {
        let done = site.kdpipe(command).code(code);
        for part in parts {
            assert_eq!(
                done.error.matches(part).count(),
                1,
                "{part}\n{}",
                done.error
            );
        }
        assert!(
            !done.error.contains("training the teacher") && !done.error.contains("kdtokens"),
            "{}",
            done.error
        );
    };
    told(
        "run study.toml --set tokenizer.vocab_size=5000",
        2,
        &[
            "--set",
            "more than the training split can fill",
            "write at most that",
        ],
    );
    site.write("test.txt", b" \n");
    told(
        "run study.toml",
        2,
        &[
            "study.toml:",
            "the test split has",
            "too little to measure a perplexity on",
        ],
    );
    site.write("test.txt", words(300).as_bytes());
    for command in ["check study.toml", "run study.toml"] {
        let set = "--set dataset.train=[\"train.txt\",\"valid.txt\",\"gone.txt\"]";
        told(
            &format!("{command} {set}"),
            2,
            &[
                "gone.txt of dataset.train does not exist",
                "test.txt of dataset.test is also in dataset.train (there as",
                "valid.txt of dataset.validation is also in dataset.train",
            ],
        );
    }
}

#[test]
fn a_template_that_is_not_there_and_a_tilde_are_told_before_anything_is_trained() {
    let site = TestSite::new(TINY);
    site.write("broken.j2", b"# {{ study.name");
    for (set, expected) in [
        (
            "report.template=gone.j2",
            "write \"report.md.j2\" for the built-in one",
        ),
        ("report.template=broken.j2", "broken.j2"),
        (
            "report.template=~/mine.md.j2",
            "mine.md.j2\" for \"~/mine.md.j2\"",
        ),
        (
            "teacher={source=\"dir\",path=\"~/models/gpt2\"}",
            "models/gpt2\" for \"~/models/gpt2\"",
        ),
        (
            "evaluate.tasks.own={kind=\"pairs\",files=[\"~/own.jsonl\"]}",
            "own.jsonl\" for \"~/own.jsonl\"",
        ),
    ] {
        for command in ["check", "run"] {
            let done = site.kdpipe(&format!("{command} study.toml --set {set}"));
            let done = done.code(2);
            assert!(
                done.error.contains(expected) && !done.error.contains("training"),
                "{}",
                done.error
            );
        }
    }
}

#[test]
fn a_template_that_cannot_be_used_is_told_with_the_other_mistakes() {
    for (spec, other) in [
        (
            TINY.replace("[train]\n", "[train]\nstpes = 3\n"),
            "train.stpes is not a key",
        ),
        (on_text(), "train.txt of dataset.train does not exist"),
    ] {
        let site = TestSite::new(&spec);
        let check = "check study.toml --set report.template=gone.j2";
        let told = site.kdpipe(check).code(2).error;
        assert!(told.contains(other) && told.contains("gone.j2"), "{told}");
        assert_eq!(told.matches("write \"report.md.j2\"").count(), 1, "{told}");
    }
}

#[test]
fn patterns_of_tasks_begin_where_the_spec_is_however_it_is_called() {
    let task = "[evaluate.tasks.own]\nkind = \"pairs\"\nfiles = [\"asked/*.jsonl\"]\n";
    let site = TestSite::new(&format!("{TINY}\n{task}"));
    std::fs::create_dir(site.path("asked")).expect("a folder");
    let item = r#"{"sentence_good": "a cat", "sentence_bad": "a cats", "phenomenon": "number"}"#;
    site.write("asked/number.jsonl", item.as_bytes());
    let absolute = site.path("study.toml");
    for spec in ["study.toml", &absolute.to_string_lossy()] {
        site.kdpipe(&format!("check {spec}")).code(0);
    }
}

#[test]
fn text_that_changes_while_a_study_runs_is_not_trained_on_under_the_old_ids() {
    let spec = on_text()
        .replace("vocab_size = 300", "vocab_size = 270")
        .replace("[grid]", "[grid]\ntokenizer.vocab_size = [270, 271]");
    let site = TestSite::new(&spec);
    let text = "The quick brown fox jumps over the lazy dog and runs home. ".repeat(80);
    for name in ["train.txt", "valid.txt", "test.txt"] {
        site.write(name, format!("{name} {text}").as_bytes());
    }
    let mut running = site.command("run study.toml --set train.steps=60");
    let mut running = running
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let lines = std::io::BufReader::new(running.stderr.take().expect("its words"));
    let (mut told, mut is_changed) = (String::new(), false);
    for line in std::io::BufRead::lines(lines) {
        let line = line.expect("a line");
        // The first text is in hand: what follows is the training of its teacher.
        if !is_changed && line.starts_with("training the teacher") {
            site.write("train.txt", format!("changed {text}{text}").as_bytes());
            is_changed = true;
        }
        told.push_str(&line);
        told.push('\n');
    }
    assert!(!running.wait().expect("an end").success(), "{told}");
    assert!(
        told.contains("the files of dataset are not what they were when the study began"),
        "{told}"
    );
    // Half of the runs is there, of the text that they are named after.
    let again = site.kdpipe("run study.toml --set train.steps=60").code(0);
    assert!(!again.error.contains("finished already"), "{}", again.error);
}
