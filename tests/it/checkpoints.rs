//! Models as they lie on disks, through the commands: what is taken with a word, and what is
//! refused before anything is prepared.

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};

use crate::builder::{TestSite, taught_by};

/// The tiny study, run for its baseline, with a trained student in `model`.
fn site() -> TestSite {
    let site = TestSite::tiny(&[(
        "arm = [\"none\", \"mse\", \"wasserstein\"]",
        "arm = [\"none\"]",
    )]);
    site.kdpipe("run study.toml").code(0);
    let mut runs = std::fs::read_dir(site.path("results/tiny/runs")).unwrap();
    let run = runs.next().unwrap().unwrap().path();
    std::fs::rename(run.join("student"), site.path("model")).unwrap();
    site
}

/// Copies the model to a folder of its own, its arrays with some taken out and others added.
fn changed(site: &TestSite, name: &str, without: &[&str], with: &[(&str, &[usize])]) {
    std::fs::create_dir_all(site.path(name)).unwrap();
    for file in std::fs::read_dir(site.path("model")).unwrap().flatten() {
        std::fs::copy(file.path(), site.path(name).join(file.file_name())).unwrap();
    }
    let stored = std::fs::read(site.path("model/model.safetensors")).unwrap();
    let arrays = SafeTensors::deserialize(&stored).unwrap();
    let bytes: Vec<Vec<u8>> = with
        .iter()
        .map(|(_, shape)| vec![0x3f; 4 * shape.iter().product::<usize>()])
        .collect();
    let added = with.iter().zip(&bytes).map(|((name, shape), bytes)| {
        let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap();
        ((*name).to_owned(), view)
    });
    let kept = arrays
        .tensors()
        .into_iter()
        .filter(|(name, _)| !without.contains(&name.as_str()));
    let file = serialize(kept.chain(added), None).unwrap();
    site.write(&format!("{name}/model.safetensors"), &file);
}

#[test]
fn a_teacher_with_other_heads_is_used_with_a_word_and_teaches_the_same() {
    let site = site();
    changed(&site, "headed", &[], &[("v_head.summary.weight", &[1, 12])]);
    site.write("plain.toml", taught_by("model", "model", "same").as_bytes());
    site.write(
        "headed.toml",
        taught_by("model", "headed", "same").as_bytes(),
    );
    let plain = site.kdpipe("run plain.toml --results plain").code(0);
    let headed = site
        .kdpipe("run headed.toml --results headed-results")
        .code(0);
    let note = "note: headed/model.safetensors holds arrays that are no part of GPT-2's language \
                model, and they are left out: v_head.summary.weight";
    assert!(headed.error.contains(note), "{}", headed.error);
    assert!(!plain.error.contains("note: "), "{}", plain.error);
    let losses = |results: &str| {
        let table = std::fs::read_to_string(site.path(results).join("same/runs.csv")).unwrap();
        let lines = table.lines().map(|line| {
            let values = line.split(',').filter(|value| value.contains('.'));
            values.map(str::to_owned).collect::<Vec<_>>()
        });
        lines.collect::<Vec<_>>()
    };
    assert_eq!(losses("plain"), losses("headed-results"));
}

#[test]
fn a_student_that_starts_from_a_head_of_its_own_has_a_word_of_it() {
    let site = site();
    changed(&site, "untied", &[], &[("lm_head.weight", &[300, 12])]);
    let spec = taught_by("model", "model", "start").replace(
        "[student]\n",
        "[student]\ninit = \"dir\"\ninit_dir = \"untied\"\n",
    );
    site.write("start.toml", spec.as_bytes());
    let done = site.kdpipe("run start.toml --only arm=none").code(0);
    assert_eq!(
        done.error
            .matches("note: lm_head.weight in untied/model.safetensors is not wte.weight")
            .count(),
        1,
        "{}",
        done.error
    );
}

#[test]
fn what_is_wrong_with_a_teacher_is_found_by_a_check() {
    let site = site();
    changed(
        &site,
        "lacking",
        &["transformer.ln_f.bias"],
        &[("transformer.h.0.adapter", &[1])],
    );
    site.write("study2.toml", taught_by("model", "lacking", "s").as_bytes());
    let error = site.kdpipe("check study2.toml").code(2).error;
    assert!(
        error.contains(
            "error: in lacking/model.safetensors: ln_f.bias [12] is missing; h.0.adapter [1] is \
             not part of this GPT-2\n  --> study2.toml:"
        ),
        "{error}"
    );
    // A trainer's folder, and an adapter.
    std::fs::create_dir_all(site.path("out")).unwrap();
    std::fs::rename(site.path("lacking"), site.path("out/checkpoint-500")).unwrap();
    std::fs::create_dir_all(site.path("lora")).unwrap();
    site.write("lora/adapter_config.json", b"{}");
    for (folder, told) in [
        (
            "out",
            "out holds no model, but a folder below it does; name out/checkpoint-500",
        ),
        ("lora", "lora holds an adapter (LoRA or the like; "),
        ("nowhere", "nowhere does not exist; name a folder with"),
    ] {
        site.write("study2.toml", taught_by("model", folder, "s").as_bytes());
        let error = site.kdpipe("check study2.toml").code(2).error;
        assert!(error.contains(&format!("error: {told}")), "{error}");
    }
    site.write("text.txt", b"Once there was a fox.");
    for (folder, told) in [("out", "name out/checkpoint-500"), ("lora", "an adapter")] {
        let error = site.kdpipe(&format!("eval {folder} --text text.txt"));
        assert!(error.code(2).error.contains(told));
    }
}
