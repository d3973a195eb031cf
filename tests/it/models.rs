//! Studies on models that are not GPT-2's standard, and the folders that runs leave.

use std::path::Path;

use kdpipe::model::{Config, ModelFolder, Weights};
use kdpipe::ops::Activation;
use kdpipe::random::Seed;

use crate::builder::{TINY, TestSite};

/// A model of the tiny study's vocabulary that differs from the standard in everything.
fn unusual() -> Config {
    Config {
        inner: 20,
        epsilon: 1e-4,
        activation: Activation::QuickGelu,
        scale_by_width: false,
        scale_by_layer: true,
        tied: false,
        ..Config::new(3, 12, 3, 300, 32)
    }
}

fn write(site: &TestSite, name: &str, config: &Config, seed: u64) -> Weights {
    let weights = Weights::random(config, Seed::Run(seed));
    std::fs::create_dir(site.path(name)).unwrap();
    site.write(
        &format!("{name}/config.json"),
        config.to_json(0).to_string().as_bytes(),
    );
    site.write(
        &format!("{name}/model.safetensors"),
        &weights.to_safetensors().unwrap(),
    );
    weights
}

/// The tiny study with the teacher in `teacher/`, and other lines for the student.
fn spec(student: &str) -> String {
    let start = TINY.find("[teacher]").unwrap();
    let end = TINY.find("[loss.lm]").unwrap();
    let spec = format!(
        "{}[teacher]\nsource = \"dir\"\npath = \"teacher\"\n[student]\n{student}\n{}",
        &TINY[..start],
        &TINY[end..]
    );
    spec.replace(
        "arm = [\"none\", \"mse\", \"wasserstein\"]",
        "arm = [\"none\"]",
    )
}

/// Runs the study and opens the one student that it leaves.
fn student(site: &TestSite, set: &str) -> (std::path::PathBuf, ModelFolder) {
    let json = site
        .kdpipe(&format!("run study.toml --json {set}"))
        .code(0)
        .out;
    let summary: serde_json::Value = serde_json::from_str(&json).unwrap();
    let folder = site.path(&format!(
        "results/tiny/runs/{}/student",
        summary["runs"][0]["id"].as_str().unwrap()
    ));
    let checkpoint = ModelFolder::open(&folder).unwrap();
    (folder, checkpoint)
}

#[test]
fn a_student_takes_over_what_its_teacher_is() {
    let site = TestSite::new(&spec(
        "layers = 2\nwidth = 12\nheads = 3\ninit = \"teacher\"\ninit_blocks = [0, 2]",
    ));
    let teacher = write(&site, "teacher", &unusual(), 1);
    let (_, found) = student(&site, "--set train.lr.peak=1e-12");
    assert_eq!(
        found.config,
        Config {
            layers: 2,
            ..unusual()
        }
    );
    // The steps are too small to be seen.
    for (own, of_teacher) in [
        ("wte", "wte"),
        ("lm_head", "lm_head"),
        ("h.1.mlp.c_fc", "h.2.mlp.c_fc"),
        ("h.0.attn.c_attn", "h.0.attn.c_attn"),
    ] {
        let (own, of_teacher) = (
            found.values(&format!("{own}.weight")),
            &teacher.arrays[&format!("{of_teacher}.weight")].values,
        );
        assert!(
            own.iter()
                .zip(of_teacher)
                .all(|(own, of_teacher)| (own - of_teacher).abs() < 1e-6)
        );
    }
}

#[test]
fn a_student_takes_over_what_the_model_in_its_folder_is() {
    let site = TestSite::new(&spec(
        "layers = 2\nwidth = 8\nheads = 2\ninit = \"dir\"\ninit_dir = \"start\"",
    ));
    write(&site, "teacher", &Config::new(3, 12, 3, 300, 32), 1);
    let start = Config {
        layers: 2,
        width: 8,
        heads: 2,
        ..unusual()
    };
    write(&site, "start", &start, 2);
    assert_eq!(student(&site, "").1.config, start);
}

#[test]
fn a_random_student_is_standard_whatever_its_teacher_is() {
    let site = TestSite::new(&spec("layers = 2\nwidth = 8\nheads = 2\ninit = \"random\""));
    write(&site, "teacher", &unusual(), 1);
    assert_eq!(student(&site, "").1.config, Config::new(2, 8, 2, 300, 32));
}

#[test]
fn plans_count_the_parameters_of_inner_widths_and_heads() {
    let site = TestSite::new(&spec(
        "layers = 2\nwidth = 12\nheads = 3\ninit = \"teacher\"",
    ));
    write(&site, "teacher", &unusual(), 1);
    let plan: serde_json::Value =
        serde_json::from_str(&site.kdpipe("plan study.toml --json").code(0).out).unwrap();
    assert_eq!(
        plan["runs"][0]["student_parameters"],
        Config {
            layers: 2,
            ..unusual()
        }
        .parameters()
    );
}

#[test]
fn the_folder_of_a_student_has_what_transformers_and_a_reader_want() {
    let site = TestSite::new(&spec(
        "layers = 2\nwidth = 12\nheads = 3\ninit = \"teacher\"\ninit_blocks = [0, 2]",
    ));
    write(&site, "teacher", &unusual(), 1);
    let (folder, _) = student(&site, "");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "README.md",
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json"
        ]
    );
    let read = |folder: &Path, name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let config: serde_json::Value = serde_json::from_str(&read(&folder, "config.json")).unwrap();
    let generation: serde_json::Value =
        serde_json::from_str(&read(&folder, "generation_config.json")).unwrap();
    assert_eq!(generation["eos_token_id"], config["eos_token_id"]);
    let checksums = read(folder.parent().unwrap(), "checksums.toml");
    assert!(
        names
            .iter()
            .all(|name| checksums.contains(&format!("student/{name}"))),
        "{checksums}"
    );
    let card = read(&folder, "README.md");
    for part in [
        "# A GPT-2 student of 2 layers",
        "the teacher's embeddings, final norm and blocks 0, 2, counted from 0",
        "`kl` (logits.kl, weight 0.5); `lm` (lm, weight 0.5)",
        "10 steps of 64 tokens (4 sequences of 16)",
        "AutoModelForCausalLM.from_pretrained(\"FOLDER\")",
        "kdpipe generate FOLDER",
    ] {
        assert!(card.contains(part), "{part} in {card}");
    }
    assert!(
        card.contains(&read(folder.parent().unwrap(), "spec.toml")),
        "the card holds the run's spec"
    );
    site.kdpipe("verify study.toml").code(0);
}

#[test]
fn a_teacher_with_a_tokenizer_of_its_own_is_not_used_with_another_of_the_same_size() {
    let site = TestSite::tiny(&[]);
    site.kdpipe("run study.toml --only arm=none").code(0);
    let runs = std::fs::read_dir(site.path("results/tiny/runs")).unwrap();
    let student = runs.flatten().next().unwrap().path().join("student");
    let (start, end) = (
        TINY.find("[teacher]").unwrap(),
        TINY.find("[student]").unwrap(),
    );
    let teacher = format!("[teacher]\nsource = \"dir\"\npath = {student:?}\n");
    let spec = format!("{}{teacher}{}", &TINY[..start], &TINY[end..]);
    site.write(
        "other.toml",
        spec.replace("name = \"tiny\"", "name = \"other\"")
            .as_bytes(),
    );
    let run = "run other.toml --only arm=none";
    // The same text makes the same tokenizer.
    site.kdpipe(run).code(0);
    let refused = site.kdpipe(&format!("{run} --set dataset.seed=1"));
    assert!(
        refused.code != Some(0) && refused.error.contains("is another one than the study's"),
        "{}",
        refused.error
    );
}

#[test]
fn a_student_does_not_start_from_a_model_of_another_tokenizer() {
    let site = TestSite::tiny(&[]);
    site.kdpipe("run study.toml --only arm=none").code(0);
    let runs = std::fs::read_dir(site.path("results/tiny/runs")).unwrap();
    let start = runs.flatten().next().unwrap().path().join("student");
    let spec = TINY.replace("name = \"tiny\"", "name = \"other\"").replace(
        "[student]\n",
        &format!("[student]\ninit = \"dir\"\ninit_dir = {start:?}\n"),
    );
    site.write("other.toml", spec.as_bytes());
    let run = "run other.toml --only arm=none";
    // The same text makes the same tokenizer.
    site.kdpipe(run).code(0);
    let refused = site.kdpipe(&format!("{run} --set dataset.seed=1")).code(2);
    let told = &refused.error;
    assert!(
        told.contains("is another one than the study's")
            && told.contains("--> other.toml:")
            && !told.contains("training the teacher"),
        "{told}"
    );
}
