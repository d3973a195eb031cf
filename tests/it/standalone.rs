//! `eval` and `generate`: one model without a study.

use crate::builder::{TestSite, taught_by};

/// A tiny trained model and a text, by their paths.
fn site() -> (TestSite, String) {
    let site = TestSite::tiny(&[(
        "arm = [\"none\", \"mse\", \"wasserstein\"]",
        "arm = [\"none\"]",
    )]);
    site.kdpipe("run study.toml").code(0);
    let run = std::fs::read_dir(site.path("results/tiny/runs"))
        .unwrap()
        .flatten()
        .next()
        .unwrap()
        .file_name();
    site.write(
        "text.txt",
        "Once there was a fox. It slept — and dreamed of geese.\n"
            .repeat(20)
            .as_bytes(),
    );
    (
        site,
        format!("results/tiny/runs/{}/student", run.to_str().unwrap()),
    )
}

#[test]
fn perplexity_comes_with_its_protocol_and_its_figures_belong_together() {
    let (site, model) = site();
    let json = |arguments: &str| -> serde_json::Value {
        serde_json::from_str(
            &site
                .kdpipe(&format!("eval {model} --text text.txt --json {arguments}"))
                .code(0)
                .out,
        )
        .unwrap()
    };
    let found = json("--stride 4");
    let of = |name: &str| found[name].as_f64().unwrap();
    assert_eq!((of("context"), of("stride")), (16.0, 4.0));
    assert_eq!(of("scored_tokens"), of("tokens") - 1.0);
    assert_eq!((of("words"), of("bytes")), (240.0, 1140.0));
    assert!((of("perplexity") / of("nll_nats").exp() - 1.0).abs() < 1e-12);
    assert!(
        (of("word_perplexity").ln() / (of("nll_nats") * of("tokens") / 240.0) - 1.0).abs() < 1e-12
    );
    assert!(
        (of("bits_per_byte") / (of("nll_nats") * of("tokens") / 1140.0 / std::f64::consts::LN_2)
            - 1.0)
            .abs()
            < 1e-12
    );
    // Side by side, the first token of each window is not scored.
    let apart = json("--context 8");
    assert_eq!(
        (apart["context"].as_u64(), apart["stride"].as_u64()),
        (Some(8), Some(8))
    );
    assert_eq!(
        apart["scored_tokens"].as_u64().unwrap(),
        of("tokens") as u64 - (of("tokens") as u64).div_ceil(8)
    );
    let page = site
        .kdpipe(&format!("eval {model} --text text.txt"))
        .code(0)
        .out;
    assert!(
        page.starts_with("perplexity  ") && page.contains("context 16, stride 16, tokenizer "),
        "{page}"
    );
}

#[test]
fn steps_are_timed_part_by_part() {
    let site = TestSite::tiny(&[]);
    let found: serde_json::Value =
        serde_json::from_str(&site.kdpipe("bench study.toml --steps 3 --json").code(0).out)
            .unwrap();
    let of = |name: &str| {
        found[name]
            .as_f64()
            .unwrap_or_else(|| panic!("{name} in {found}"))
    };
    assert!((of("tokens_per_second") * of("seconds_per_step") / 64.0 - 1.0).abs() < 1e-9);
    assert!(of("matmul_peak_gflops") > 0.1 && of("gflops") > 0.0);
    let phases: Vec<&str> = found["phases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|phase| phase["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        phases,
        [
            "teacher", "forward", "critic", "losses", "backward", "update"
        ]
    );
    assert!(
        found["phases"][2]["seconds"].as_f64().unwrap() > 0.0,
        "the costliest run has critics"
    );
    assert!(!site.path("results").exists() && !site.path("cache").exists());
}

#[test]
fn what_cannot_be_scored_is_refused_with_the_numbers() {
    let (site, model) = site();
    site.write("empty.txt", b"");
    let message = |arguments: &str| site.kdpipe(&format!("eval {arguments}")).code(2).error;
    assert!(
        message(&format!("{model} --text text.txt --context 17"))
            .contains("--context 17 is out of range: this model takes 2 to 16")
    );
    assert!(
        message(&format!("{model} --text text.txt --context 8 --stride 9"))
            .contains("--stride 9 is out of range: it is 1 to the context, 8")
    );
    assert!(message(&format!("{model} --text empty.txt")).contains("is empty"));
    assert!(message(&format!("{model} --text no.txt")).contains("no.txt"));
    assert!(message("results --text text.txt").contains("config.json"));
}

#[test]
fn text_is_the_same_for_the_same_seed_and_quiet_is_the_new_text_alone() {
    let (site, model) = site();
    let text = |arguments: &str| {
        site.kdpipe(&format!(
            "generate {model} --prompt Once --max-new-tokens 40 {arguments}"
        ))
        .code(0)
        .out
    };
    let (first, second) = (text("--seed 1"), text("--seed 2"));
    assert_eq!(first, text("--seed 1"));
    assert_ne!(first, second);
    assert_eq!(text("--greedy"), text("--top-k 1"));
    assert_eq!(text("--seed 1"), format!("Once{}", text("--seed 1 -q")));
    let json: serde_json::Value = serde_json::from_str(&text("--seed 1 --json")).unwrap();
    assert_eq!(format!("Once{}\n", json["text"].as_str().unwrap()), first);
    assert!(json["new_tokens"].as_u64().unwrap() <= 40);
    let long = site.kdpipe(&format!(
        "generate {model} --prompt Once --max-new-tokens 40"
    ));
    assert!(
        long.error.contains(
            "more than the model's 16 positions; whenever they are full, it goes on from the last \
             8 tokens"
        ),
        "{}",
        long.error
    );
}

/// Copies the model to a folder of its own.
fn copied(site: &TestSite, model: &str, name: &str) {
    std::fs::create_dir(site.path(name)).unwrap();
    for file in std::fs::read_dir(site.path(model)).unwrap().flatten() {
        std::fs::copy(file.path(), site.path(name).join(file.file_name())).unwrap();
    }
}

#[test]
fn a_tokenizer_in_two_files_and_a_packed_text_change_nothing() {
    let (site, model) = site();
    copied(&site, &model, "older");
    let content: serde_json::Value =
        serde_json::from_slice(&std::fs::read(site.path("older/tokenizer.json")).unwrap()).unwrap();
    let merge = |pair: &serde_json::Value| match pair.as_array() {
        Some(pair) => format!(
            "{} {}\n",
            pair[0].as_str().unwrap(),
            pair[1].as_str().unwrap()
        ),
        None => format!("{}\n", pair.as_str().unwrap()),
    };
    let merges: String = content["model"]["merges"]
        .as_array()
        .unwrap()
        .iter()
        .map(merge)
        .collect();
    site.write(
        "older/vocab.json",
        content["model"]["vocab"].to_string().as_bytes(),
    );
    site.write(
        "older/merges.txt",
        format!("#version: 0.2\n{merges}").as_bytes(),
    );
    std::fs::remove_file(site.path("older/tokenizer.json")).unwrap();
    std::fs::remove_file(site.path("older/tokenizer_config.json")).unwrap();
    site.write(
        "text.zst",
        &zstd::encode_all(&std::fs::read(site.path("text.txt")).unwrap()[..], 1).unwrap(),
    );
    let score = |arguments: &str| -> serde_json::Value {
        let mut score: serde_json::Value =
            serde_json::from_str(&site.kdpipe(&format!("eval {arguments} --json")).code(0).out)
                .unwrap();
        score.as_object_mut().unwrap().remove("tokenizer").unwrap();
        score
    };
    let expected = score(&format!("{model} --text text.txt"));
    assert_eq!(score("older --text text.txt"), expected);
    assert_eq!(score("older --text text.zst"), expected);
    let written = |model: &str| {
        site.kdpipe(&format!("generate {model} --prompt Once --greedy"))
            .code(0)
            .out
    };
    assert_eq!(written("older"), written(&model));
}

#[test]
fn special_tokens_that_a_text_spells_are_tokens() {
    let (site, model) = site();
    site.write(
        "text.txt",
        b"Once there was a fox.<|endoftext|>Once there was a goose.",
    );
    let score = site
        .kdpipe(&format!("eval {model} --text text.txt --json"))
        .code(0)
        .out;
    let score: serde_json::Value = serde_json::from_str(&score).unwrap();
    assert_eq!(
        (score["special_tokens"].as_u64(), score["bytes"].as_u64()),
        (Some(1), Some(44))
    );
    let page = site
        .kdpipe(&format!("eval {model} --text text.txt"))
        .code(0)
        .out;
    assert!(
        page.contains("tokens scored (1 of them special, 10 words, 44 bytes)"),
        "{page}"
    );
    // An empty prompt is the beginning of a text, as the token for its end is.
    let written = |prompt: &str| {
        let command = format!("generate {model} --greedy -q --max-new-tokens 12 --prompt");
        let out = site.command(&command).arg(prompt).output().unwrap();
        assert!(out.status.success());
        String::from_utf8(out.stdout).expect("whole characters")
    };
    assert_eq!(written(""), written("<|endoftext|>"));
}

#[test]
fn models_with_more_rows_than_tokens_are_taken_and_those_with_fewer_as_far_as_a_text_goes() {
    use kdpipe::model::Weights;
    let (site, model) = site();
    let (config, weights) = Weights::read(&site.path(&model)).unwrap();
    let resized = |name: &str, rows: usize| {
        copied(&site, &model, name);
        let (mut config, mut weights) = (config.clone(), weights.clone());
        config.vocabulary = rows;
        let wte = weights.arrays.get_mut("wte.weight").unwrap();
        wte.values.resize(rows * config.width, 0.0);
        wte.shape[0] = rows;
        site.write(
            &format!("{name}/config.json"),
            config.to_json(299).to_string().as_bytes(),
        );
        site.write(
            &format!("{name}/model.safetensors"),
            &weights.to_safetensors().unwrap(),
        );
    };
    resized("padded", 320);
    resized("short", 299);
    let nats = |model: &str| -> f64 {
        let score = site
            .kdpipe(&format!("eval {model} --text text.txt --json"))
            .code(0)
            .out;
        serde_json::from_str::<serde_json::Value>(&score).unwrap()["nll_nats"]
            .as_f64()
            .unwrap()
    };
    // Twenty more logits of 0 in every softmax.
    assert!(nats("padded") > nats(&model));
    site.kdpipe("generate padded --prompt Once").code(0);
    // A row less for a token that no text uses, as that for padding often is: the last is a merge
    // of another text.
    let fox = "Once there was a fox. It slept.\n";
    site.write("fox.txt", fox.as_bytes());
    let short = |text: &str| site.kdpipe(&format!("eval short --text {text} --json"));
    let nats_of_fox: serde_json::Value =
        serde_json::from_str(&short("fox.txt").code(0).out).unwrap();
    assert!(nats_of_fox["nll_nats"].as_f64().unwrap() > 0.0);
    let last = kdpipe::data::Tokenizer::open(&site.path(&model)).unwrap();
    let last = String::from_utf8_lossy(last.token_bytes(299)).into_owned();
    assert!(!fox.contains(&last), "{last:?}");
    let told = format!(
        "uses the token 299 ({last:?}), and the model has 299 rows, for the tokens 0 to 298"
    );
    site.write("last.txt", format!("{fox}{last}").as_bytes());
    let error = short("last.txt").code(2).error;
    assert!(error.contains(&format!("last.txt {told}")), "{error}");
    let command = "generate short --greedy -q --max-new-tokens 4 --prompt";
    let prompted = |prompt: &str| site.command(command).arg(prompt).output().unwrap();
    assert!(prompted("Once").status.success());
    let error = String::from_utf8(prompted(&last).stderr).unwrap();
    assert!(error.contains(&format!("the prompt {told}")), "{error}");
}

#[test]
fn a_model_that_predicts_no_numbers_is_told_apart_with_the_array_at_fault() {
    use kdpipe::model::Weights;
    let (site, model) = site();
    copied(&site, &model, "broken");
    let (_, mut weights) = Weights::read(&site.path("broken")).unwrap();
    weights.arrays.get_mut("h.1.mlp.c_fc.bias").unwrap().values[3] = f32::NAN;
    site.write(
        "broken/model.safetensors",
        &weights.to_safetensors().unwrap(),
    );
    let error = site.kdpipe("eval broken --text text.txt").code(2).error;
    assert!(
        error.contains(
            "the model predicts no numbers for the first 16 tokens of text.txt: h.1.mlp.c_fc.bias \
             holds values that are none"
        ),
        "{error}"
    );
    let error = site.kdpipe("generate broken --prompt Once").code(2).error;
    assert!(
        error.contains("the model predicts no numbers: h.1.mlp.c_fc.bias holds values that are"),
        "{error}"
    );
    site.write(
        "taught.toml",
        taught_by(&model, "broken", "taught").as_bytes(),
    );
    let done = site.kdpipe("run taught.toml").code(1);
    assert!(
        done.error.contains(
            "the teacher predicts no numbers for the first 16 tokens of the train split: \
             h.1.mlp.c_fc.bias holds values that are none. The model is broken"
        ) && !done.error.contains("diverged"),
        "{}",
        done.error
    );
}

#[test]
fn what_was_left_out_of_a_model_has_a_word_on_standard_error() {
    use kdpipe::model::Weights;
    let (site, model) = site();
    copied(&site, &model, "headed");
    let (_, mut weights) = Weights::read(&site.path("headed")).unwrap();
    weights.arrays.insert(
        "lm_head.weight".to_owned(),
        weights.arrays["wte.weight"].clone(),
    );
    weights.arrays.get_mut("lm_head.weight").unwrap().values[0] += 1.0;
    let other = weights.to_safetensors().unwrap();
    site.write("headed/model.safetensors", &other);
    let done = site.kdpipe("eval headed --text text.txt --json").code(0);
    assert!(
        done.error
            .contains("note: lm_head.weight in headed/model.safetensors is not wte.weight"),
        "{}",
        done.error
    );
    let quiet = site.kdpipe("eval headed --text text.txt --json -q").code(0);
    assert_eq!((quiet.error, quiet.out), (String::new(), done.out));
}

#[test]
fn texts_that_are_broken_are_refused_with_the_file_and_the_byte() {
    let (site, model) = site();
    site.write("latin.txt", b"caf\xe9");
    site.write("short.gz", b"\x1f\x8b\x08\0");
    site.write("one.txt", b"a");
    let message = |text: &str| {
        site.kdpipe(&format!("eval {model} --text {text}"))
            .code(2)
            .error
    };
    assert!(
        message("latin.txt").contains("latin.txt is not UTF-8: byte 3 is no part of a character")
    );
    assert!(message("short.gz").contains("short.gz is no whole gzip archive"));
    assert!(message("one.txt").contains("one.txt has one token, and the first is never predicted"));
    assert!(message("text.txt --context 16 --stride 0").contains("--stride 0 is out of range"));
}
