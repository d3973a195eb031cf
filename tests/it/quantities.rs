//! Quantities that a text or a model does not have are absent, and nothing else falls with them.

use crate::builder::{TINY, TestSite};

/// Twenty lines without a space, each of another beginning in the same circle of characters.
fn lines_without_spaces() -> String {
    let characters: Vec<char> = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏"
        .chars()
        .collect();
    (0..20)
        .map(|line| {
            let written = (0..150).map(|place| characters[(line + 3 * place) % characters.len()]);
            written.collect::<String>() + "\n"
        })
        .collect()
}

fn site(text: &str) -> TestSite {
    let start = TINY.find("source = \"synthetic\"").unwrap();
    let end = TINY.find("[tokenizer]").unwrap();
    let dataset = "source = \"text\"\ntrain = [\"train.txt\"]\nvalidation = [\"valid.txt\"]\n\
                   test = [\"test.txt\"]\n";
    let spec = format!("{}{dataset}{}", &TINY[..start], &TINY[end..]);
    let site = TestSite::new(&spec.replace(
        "arm = [\"none\", \"mse\", \"wasserstein\"]",
        "arm = [\"none\", \"mse\"]",
    ));
    site.write("train.txt", text.as_bytes());
    // Not the same bytes, so that they are other texts.
    site.write("valid.txt", format!("{text}始").as_bytes());
    site.write("test.txt", format!("{text}终").as_bytes());
    site
}

/// The evaluation of the first run, and the folder of its student.
fn evaluated(site: &TestSite) -> (serde_json::Value, String) {
    let (name, bytes) = site
        .results()
        .into_iter()
        .find(|(name, _)| name.contains("/runs/") && name.ends_with("eval.json"))
        .unwrap();
    let run = name.split('/').nth(2).unwrap();
    (
        serde_json::from_slice(&bytes).unwrap(),
        format!("results/tiny/runs/{run}/student"),
    )
}

#[test]
fn a_study_on_text_without_spaces_lacks_a_word_perplexity_and_nothing_else() {
    for text in [
        lines_without_spaces(),
        lines_without_spaces().replace('\n', ""),
    ] {
        let site = site(&text);
        let done = site.kdpipe("run study.toml").code(0);
        assert_eq!(
            done.error.matches("finished  ").count(),
            2,
            "{}",
            done.error
        );
        let (evaluation, model) = evaluated(&site);
        for split in ["test", "validation"] {
            let found = &evaluation[split];
            assert!(found["word_perplexity"].is_null(), "{found}");
            assert!(found["perplexity"].as_f64().unwrap() > 1.0 && found["bits_per_byte"].is_f64());
        }
        let report = std::fs::read_to_string(site.path("results/tiny/report.md")).unwrap();
        assert!(
            report.contains(
                "test.word\\_perplexity has no value, a dash in tables and a gap in runs.csv: it \
                 is larger than any number of 64 bits: the "
            ),
            "{report}"
        );
        site.kdpipe("verify study.toml").code(0);
        let json = site
            .kdpipe(&format!("eval {model} --text test.txt --json"))
            .code(0)
            .out;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(
            json["word_perplexity"].is_null() && json["perplexity"].is_f64(),
            "{json}"
        );
        assert!(
            json["absent"]["word_perplexity"]
                .as_str()
                .unwrap()
                .contains("words, by white space")
        );
        let page = site
            .kdpipe(&format!("eval {model} --text test.txt"))
            .code(0)
            .out;
        assert!(
            page.contains("word perplexity  –  (it is larger than any number"),
            "{page}"
        );
    }
}

#[test]
fn a_text_of_white_space_has_no_words_and_is_scored() {
    let site = TestSite::tiny(&[(
        "arm = [\"none\", \"mse\", \"wasserstein\"]",
        "arm = [\"none\"]",
    )]);
    site.kdpipe("run study.toml").code(0);
    let (_, model) = evaluated(&site);
    site.write("blank.txt", " \n".repeat(30).as_bytes());
    let json = site
        .kdpipe(&format!("eval {model} --text blank.txt --json"))
        .code(0)
        .out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json["absent"]["word_perplexity"],
        "the text has no words: all of it is white space"
    );
    assert!(json["bits_per_byte"].is_f64(), "{json}");
}
