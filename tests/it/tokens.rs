//! Models whose tokenizer is not GPT-2's own, in `eval`, `generate` and as a study's teacher.

use kdpipe::data::Tokenizer;
use kdpipe::model::{Config, ModelFolder, Weights};
use kdpipe::random::Seed;
use serde_json::{Value, json};

use crate::builder::{TINY, TestSite};

const POSITIONS: usize = 16;

/// A folder of `tests/reference/folders.json` with a model of `rows` rows beside it.
fn model(site: &TestSite, name: &str, of: &str, rows: usize, ids: &Value) {
    let all: Value =
        serde_json::from_str(include_str!("../reference/folders.json")).expect("a reference");
    let cases = all["cases"].as_array().unwrap();
    let case = cases.iter().find(|case| case["name"] == of).unwrap();
    std::fs::create_dir(site.path(name)).unwrap();
    for (file, content) in case["files"].as_object().unwrap() {
        let mut content = content.clone();
        if content["model"] == "BASE" {
            content["model"] = all["model"].clone();
        }
        site.write(&format!("{name}/{file}"), content.to_string().as_bytes());
    }
    let config = Config::new(3, 12, 3, rows, POSITIONS);
    let mut weights = Weights::random(&config, Seed::Run(1));
    // Predictions that are far from even, so that every token shows.
    for array in weights.arrays.values_mut() {
        array.values.iter_mut().for_each(|value| *value *= 4.0);
    }
    let mut content = config.to_json(0);
    for (key, value) in ids.as_object().unwrap() {
        content[key] = value.clone();
    }
    site.write(
        &format!("{name}/config.json"),
        content.to_string().as_bytes(),
    );
    site.write(
        &format!("{name}/model.safetensors"),
        &weights.to_safetensors().unwrap(),
    );
}

/// `<s>` 0, `<pad>` 1 and `</s>` 2, and no `<|endoftext|>`.
fn three_specials(site: &TestSite, name: &str) {
    let ids = json!({"bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1});
    model(
        site,
        name,
        "three specials, of PreTrainedTokenizerFast",
        286,
        &ids,
    );
}

fn score(site: &TestSite, model: &str, text: &str) -> Value {
    site.write("text.txt", text.as_bytes());
    let out = site
        .kdpipe(&format!("eval {model} --text text.txt --json"))
        .code(0)
        .out;
    serde_json::from_str(&out).unwrap()
}

const TEXT: &str = "a new line of ab ab, it's not 12 lines\n";

#[test]
fn what_a_tokenizer_puts_around_a_text_counts_as_if_the_text_spelt_it() {
    let site = TestSite::new("");
    let none = json!({});
    model(
        &site,
        "framed",
        "template in a Sequence, of PreTrainedTokenizerFast",
        286,
        &none,
    );
    let plain = "added_tokens_decoder leaves out, of PreTrainedTokenizerFast";
    model(&site, "plain", plain, 286, &none);
    let text = TEXT.repeat(9);
    let framed = score(&site, "framed", &text);
    let spelt = score(&site, "plain", &format!("<s>{text}</s>"));
    let bare = score(&site, "plain", &text);
    for number in ["tokens", "scored_tokens", "special_tokens", "nll_nats"] {
        assert_eq!(framed[number], spelt[number], "{number}");
    }
    assert_eq!(framed["special_tokens"], 2);
    assert_eq!(
        framed["tokens"].as_u64().unwrap(),
        bare["tokens"].as_u64().unwrap() + 2
    );
    assert_eq!(
        framed["bytes"], bare["bytes"],
        "what is around the text is none of its bytes"
    );
}

#[test]
fn generated_text_ends_at_every_token_that_the_model_names() {
    let site = TestSite::new("");
    three_specials(&site, "model");
    let written = || -> Value {
        let out = site
            .kdpipe("generate model --prompt ab --greedy --max-new-tokens 12 --json")
            .code(0)
            .out;
        serde_json::from_str(&out).unwrap()
    };
    let whole = written();
    assert_eq!(
        (&whole["new_tokens"], &whole["ended"]),
        (&json!(12), &json!(false))
    );
    // Whatever it writes in the third place ends the text from now on, among others.
    let tokenizer = Tokenizer::open(&site.path("model")).unwrap();
    let third = {
        let checkpoint = ModelFolder::open(&site.path("model")).unwrap();
        let weights = Weights::from_checkpoint(&checkpoint);
        let mut decoder = kdpipe::eval::Decoder::new(&checkpoint.config, &weights);
        let mut greedy = kdpipe::eval::Sampler::new(kdpipe::eval::Sampling::Greedy);
        let prompt = tokenizer.encode_with_specials("ab").unwrap();
        let new = kdpipe::eval::generate(&mut decoder, &prompt, 12, &mut greedy, &[], |_| {});
        (
            new[2],
            new.iter().position(|&token| token == new[2]).unwrap(),
        )
    };
    let set = |file: &str, ids: Value| {
        let path = format!("model/{file}");
        let mut content: Value = std::fs::read(site.path(&path))
            .map_or(json!({}), |bytes| serde_json::from_slice(&bytes).unwrap());
        content["eos_token_id"] = ids;
        site.write(&path, content.to_string().as_bytes());
    };
    set("config.json", json!([2, third.0]));
    let ended = written();
    assert_eq!(
        (ended["new_tokens"].as_u64(), &ended["ended"]),
        (Some(third.1 as u64), &json!(true))
    );
    // generation_config.json is asked first.
    set("generation_config.json", json!(2));
    assert_eq!(written(), whole);
    set("generation_config.json", json!([1, third.0]));
    assert_eq!(written(), ended);
}

/// A study on texts with the model in `teacher/` as teacher and tokenizer.
fn study(site: &TestSite) -> String {
    let start = TINY.find("[dataset]").unwrap();
    let end = TINY.find("[loss.lm]").unwrap();
    let parts = "[dataset]\nsource = \"text\"\ntrain = [\"a.txt\", \"b.txt\"]\n\
                 validation = [\"c.txt\"]\ntest = [\"d.txt\"]\n\
                 [tokenizer]\nsource = \"dir\"\npath = \"teacher\"\n\
                 [teacher]\nsource = \"dir\"\npath = \"teacher\"\n\
                 [student]\nlayers = 2\nwidth = 12\nheads = 3\n";
    let spec = format!("{}{parts}{}", &TINY[..start], &TINY[end..]).replace(
        "arm = [\"none\", \"mse\", \"wasserstein\"]",
        "arm = [\"none\"]",
    );
    for (file, times) in [("a", 90), ("b", 40), ("c", 20), ("d", 30)] {
        let text = TEXT.replace("of", file).repeat(times);
        site.write(
            &format!("{file}.txt"),
            format!("{text}a <pad> line of <s>\n").as_bytes(),
        );
    }
    spec
}

/// Runs the study; the folder of its student below the site's.
fn student(site: &TestSite) -> String {
    let out = site.kdpipe("run study.toml --json").code(0).out;
    let summary: Value = serde_json::from_str(&out).unwrap();
    let id = summary["runs"][0]["id"].as_str().unwrap().to_owned();
    format!("results/tiny/runs/{id}/student")
}

#[test]
fn a_teacher_without_endoftext_teaches_with_the_separator_that_it_names() {
    let site = TestSite::new("");
    site.write("study.toml", study(&site).as_bytes());
    three_specials(&site, "teacher");
    let template = b"{{ messages }}";
    site.write("teacher/chat_template.jinja", template);
    site.write(
        "teacher/generation_config.json",
        br#"{"eos_token_id": [2, 5], "temperature": 0.5}"#,
    );
    let folder = student(&site);
    let read =
        |model: &str, name: &str| std::fs::read(site.path(&format!("{model}/{name}"))).unwrap();
    // Byte for byte what the teacher has.
    for name in [
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
    ] {
        assert!(read(&folder, name) == read("teacher", name), "{name}");
    }
    let ids = |name: &str| -> Value { serde_json::from_slice(&read(&folder, name)).unwrap() };
    let config = ids("config.json");
    assert_eq!(
        ["bos_token_id", "eos_token_id", "pad_token_id"].map(|name| config[name].as_u64()),
        [Some(0), Some(2), Some(1)]
    );
    assert_eq!(
        ids("generation_config.json"),
        json!({"eos_token_id": [2, 5], "temperature": 0.5})
    );
    site.kdpipe("verify study.toml").code(0);
    site.kdpipe(&format!("eval {folder} --text d.txt")).code(0);
    site.kdpipe(&format!("generate {folder} --prompt ab"))
        .code(0);
    // The streams: every document, and `</s>` behind it.
    let page = site.kdpipe("report study.toml").code(0).out;
    assert!(!page.contains("nan"), "{page}");
    let tokenizer = Tokenizer::open(&site.path("teacher")).unwrap();
    assert_eq!(tokenizer.document_end().unwrap(), 2);
    let test = std::fs::read_to_string(site.path("d.txt")).unwrap();
    let evaluation = site.path(&format!("{}/evals", folder.trim_end_matches("/student")));
    let key = std::fs::read_dir(evaluation)
        .unwrap()
        .flatten()
        .next()
        .unwrap();
    let found: Value =
        serde_json::from_slice(&std::fs::read(key.path().join("eval.json")).unwrap()).unwrap();
    // Special tokens that a text spells are tokens in a study, as they are for `eval`.
    let tokens = tokenizer.encode(&test).unwrap();
    assert!(tokens.contains(&0) && tokens.contains(&1));
    assert_eq!(found["test"]["tokens"], tokens.len() + 1);
    assert_eq!(score(&site, "teacher", &test)["tokens"], tokens.len());
}

#[test]
fn added_tokens_that_a_teacher_has_no_rows_for_matter_where_a_text_spells_one() {
    let site = TestSite::new("");
    site.write("study.toml", study(&site).as_bytes());
    // 285 tokens, the last of them [PAD]; `<|endoftext|>` is 283.
    let ids = json!({"bos_token_id": 283, "eos_token_id": 283});
    model(&site, "teacher", "a pad token", 284, &ids);
    site.kdpipe("check study.toml").code(0);
    let folder = student(&site);
    let checkpoint = ModelFolder::open(&site.path(&folder)).unwrap();
    assert_eq!(checkpoint.config.vocabulary, 284, "its teacher's rows");
    site.write("text.txt", b"ab [PAD] ab");
    let error = site.kdpipe("eval teacher --text text.txt").code(2).error;
    assert!(
        error.contains("text.txt uses the token 284 (\"[PAD]\"), and the model has 284 rows"),
        "{error}"
    );
    let error = site
        .command("generate teacher --prompt")
        .arg("ab [PAD]")
        .output()
        .unwrap();
    assert_eq!(error.status.code(), Some(2));
    // A row that any text may need is another matter.
    std::fs::remove_dir_all(site.path("teacher")).unwrap();
    model(&site, "teacher", "a pad token", 283, &ids);
    let error = site.kdpipe("check study.toml").code(2).error;
    assert!(
        error.contains("the tokenizer has 285 tokens, and the teacher's vocabulary 283"),
        "{error}"
    );
}
