//! `eval` and `generate`: one model without a study.

use crate::builder::Site;

/// A tiny trained model and a text, by their paths.
fn site() -> (Site, String) {
    let site = Site::tiny(&[("arm = [\"none\", \"mse\", \"wasserstein\"]", "arm = [\"none\"]")]);
    site.kdpipe("run study.toml").code(0);
    let run = std::fs::read_dir(site.path("results/tiny/runs")).unwrap().flatten().next().unwrap().file_name();
    site.write("text.txt", "Once there was a fox. It slept — and dreamed of geese.\n".repeat(20).as_bytes());
    (site, format!("results/tiny/runs/{}/student", run.to_str().unwrap()))
}

#[test]
fn perplexity_comes_with_its_protocol_and_its_figures_belong_together() {
    let (site, model) = site();
    let json = |arguments: &str| -> serde_json::Value {
        serde_json::from_str(&site.kdpipe(&format!("eval {model} --text text.txt --json {arguments}")).code(0).out).unwrap()
    };
    let found = json("--stride 4");
    let of = |name: &str| found[name].as_f64().unwrap();
    assert_eq!((of("context"), of("stride")), (16.0, 4.0));
    assert_eq!(of("scored_tokens"), of("tokens") - 1.0);
    assert_eq!((of("words"), of("bytes")), (240.0, 1140.0));
    assert!((of("perplexity") / of("nll_nats").exp() - 1.0).abs() < 1e-12);
    assert!((of("word_perplexity").ln() / (of("nll_nats") * of("tokens") / 240.0) - 1.0).abs() < 1e-12);
    assert!((of("bits_per_byte") / (of("nll_nats") * of("tokens") / 1140.0 / std::f64::consts::LN_2) - 1.0).abs() < 1e-12);
    // Side by side, the first token of each window is not scored.
    let apart = json("--context 8");
    assert_eq!((apart["context"].as_u64(), apart["stride"].as_u64()), (Some(8), Some(8)));
    assert_eq!(apart["scored_tokens"].as_u64().unwrap(), of("tokens") as u64 - (of("tokens") as u64).div_ceil(8));
    let page = site.kdpipe(&format!("eval {model} --text text.txt")).code(0).out;
    assert!(page.starts_with("perplexity  ") && page.contains("context 16, stride 16, tokenizer "), "{page}");
}

#[test]
fn steps_are_timed_part_by_part() {
    let site = Site::tiny(&[]);
    let found: serde_json::Value = serde_json::from_str(&site.kdpipe("bench study.toml --steps 3 --json").code(0).out).unwrap();
    let of = |name: &str| found[name].as_f64().unwrap_or_else(|| panic!("{name} in {found}"));
    assert!((of("tokens_per_second") * of("seconds_per_step") / 64.0 - 1.0).abs() < 1e-9);
    assert!(of("matmul_peak_gflops") > 0.1 && of("gflops") > 0.0);
    let phases: Vec<&str> = found["phases"].as_array().unwrap().iter().map(|phase| phase["name"].as_str().unwrap()).collect();
    assert_eq!(phases, ["teacher", "forward", "critic", "losses", "backward", "update"]);
    assert!(found["phases"][2]["seconds"].as_f64().unwrap() > 0.0, "the costliest run has critics");
    assert!(!site.path("results").exists() && !site.path("cache").exists());
}

#[test]
fn what_cannot_be_scored_is_refused_with_the_numbers() {
    let (site, model) = site();
    site.write("empty.txt", b"");
    let message = |arguments: &str| site.kdpipe(&format!("eval {arguments}")).code(2).error;
    assert!(message(&format!("{model} --text text.txt --context 17")).contains("--context 17 is out of range: this model takes 2 to 16"));
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
    let text = |arguments: &str| site.kdpipe(&format!("generate {model} --prompt Once --max-new-tokens 40 {arguments}")).code(0).out;
    let (first, second) = (text("--seed 1"), text("--seed 2"));
    assert_eq!(first, text("--seed 1"));
    assert_ne!(first, second);
    assert_eq!(text("--greedy"), text("--top-k 1"));
    assert_eq!(text("--seed 1"), format!("Once{}", text("--seed 1 -q")));
    let json: serde_json::Value = serde_json::from_str(&text("--seed 1 --json")).unwrap();
    assert_eq!(format!("Once{}\n", json["text"].as_str().unwrap()), first);
    assert!(json["new_tokens"].as_u64().unwrap() <= 40);
    let long = site.kdpipe(&format!("generate {model} --prompt Once --max-new-tokens 40"));
    assert!(
        long.error.contains("more than the model's 16 positions; whenever they are full, it goes on from the last 8 tokens"),
        "{}",
        long.error
    );
}
