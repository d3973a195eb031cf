//! Studies on a card: what a machine without one says, and whole studies on an emulated one, which
//! stands for the libraries under their names.

use std::path::{Path, PathBuf};

use crate::builder::{Done, TestSite, differences};

#[path = "../emulator/emulated.rs"]
mod emulated;

/// The tiny study, its three arms.
fn study() -> TestSite {
    // A thread of a card is some microseconds here: fewer steps, and little text.
    TestSite::tiny(&[
        ("steps = 1, warmup = 3", "steps = 2, warmup = 2"),
        ("steps = 12", "steps = 3"),
        ("steps = 10", "steps = 3"),
        ("evaluate_every = 6\n", ""),
        ("evaluate_every = 5\n", ""),
        ("checkpoint_every = 5", "checkpoint_every = 1"),
        ("checkpoint_every = 3", "checkpoint_every = 1"),
        ("train_words = 4_000", "train_words = 2_000"),
        ("validation_words = 300", "validation_words = 60"),
        ("test_words = 500", "test_words = 60"),
    ])
}

/// A folder with the emulator under the names of CUDA's libraries.
fn libraries(site: &TestSite) -> Option<PathBuf> {
    let library = emulated::emulator()?;
    let folder = site.path("libraries");
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["libcuda.so.1", "libcublas.so.13", "libnvrtc.so.13"] {
        #[cfg(unix)]
        std::os::unix::fs::symlink(&library, folder.join(name)).unwrap();
    }
    Some(folder)
}

fn on_card(site: &TestSite, folder: &Path, more: &[(&str, &str)]) -> Done {
    with_card(site, folder, "run study.toml", more)
}

/// A command on the card that those libraries are of.
fn with_card(site: &TestSite, folder: &Path, command: &str, more: &[(&str, &str)]) -> Done {
    let folder = folder.to_string_lossy();
    let mut settings = vec![("LD_LIBRARY_PATH", &*folder)];
    settings.extend(more);
    site.kdpipe_with(&format!("{command} --device cuda:0"), &settings)
}

#[test]
fn a_machine_without_the_libraries_says_so_before_anything_is_done() {
    let site = study();
    for command in ["check", "run"] {
        let done = site.kdpipe(&format!("{command} study.toml --device cuda:0"));
        if !done.error.contains("libcuda.so.1") && !done.error.contains("no GPU") {
            eprintln!("not tested: this machine has a card");
            return;
        }
        let done = done.code(2);
        assert!(
            done.error.contains("device = \"cuda:0\"") && done.error.contains("train.device"),
            "{}",
            done.error
        );
    }
    assert!(!site.path("results").exists());
    // To look at a study takes no card. The processor's times say nothing of one.
    let plan = site.kdpipe("plan study.toml --device cuda:0").code(0);
    assert!(
        plan.out.contains("on cuda:0: memory is the card's")
            && plan.out.contains("times are not known")
            && !plan.out.contains('~'),
        "{}",
        plan.out
    );
    let plan = site
        .kdpipe("plan study.toml --device cuda:0 --json")
        .code(0);
    assert!(plan.out.contains("\"seconds\": null"), "{}", plan.out);
}

#[test]
fn a_device_is_named_as_cuda_and_a_number() {
    let done = study().kdpipe("check study.toml --set train.device=gpu");
    let done = done.code(2);
    assert!(
        done.error.contains("write \"cpu\", or \"cuda:0\""),
        "{}",
        done.error
    );
}

/// Test losses of the runs, in the order in which they finished.
fn losses(done: &Done) -> Vec<f64> {
    let of_line = |line: &str| {
        let (_, rest) = line.split_once("test NLL ")?;
        rest.split(',').next()?.parse().ok()
    };
    let finished = done.error.lines();
    finished
        .filter(|line| line.starts_with("finished"))
        .filter_map(of_line)
        .collect()
}

#[test]
fn a_study_on_an_emulated_card_is_that_of_the_processor_and_the_same_bytes_again() {
    let (host, card, again) = (study(), study(), study());
    let (Some(folder), Some(of_again)) = (libraries(&card), libraries(&again)) else {
        return;
    };
    let on_host = losses(&host.kdpipe("run study.toml").code(0));
    let done = on_card(&card, &folder, &[]).code(0);
    let found = losses(&done);
    assert_eq!((found.len(), on_host.len()), (3, 3), "{}", done.error);
    for (found, expected) in found.iter().zip(&on_host) {
        assert!((found - expected).abs() < 2e-3, "{found}, not {expected}");
    }
    // The model that is left is scored and written with alike on both.
    use_of_a_model_is_alike(&card, &folder);
    kernels_are_compiled_once(&card, &folder);
    // One that was killed on the way ends in the same bytes.
    let killed = on_card(&again, &of_again, &[("KDPIPE_FAULT", "exit@60")]);
    assert_ne!(killed.code, Some(0));
    on_card(&again, &of_again, &[]).code(0);
    assert_eq!(
        differences(&card.results(), &again.results()),
        Vec::<String>::new()
    );
}

/// `eval` and `generate` on the card and on the processor.
fn use_of_a_model_is_alike(site: &TestSite, folder: &Path) {
    let runs = std::fs::read_dir(site.path("results/tiny/runs")).unwrap();
    let run = runs
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir());
    let model = run.unwrap().join("student");
    let model = model
        .strip_prefix(site.path(""))
        .unwrap()
        .display()
        .to_string();
    site.write(
        "text.txt",
        b"a text of a few words that nobody has read before",
    );
    let score = format!("eval {model} --text text.txt --json");
    let nll = |done: &Done| -> f64 {
        let found: serde_json::Value = serde_json::from_str(&done.out).unwrap();
        found["nll_nats"].as_f64().unwrap()
    };
    let (host, card) = (
        site.kdpipe(&score).code(0),
        with_card(site, folder, &score, &[]).code(0),
    );
    assert!((nll(&host) - nll(&card)).abs() < 1e-5);
    assert!(card.out.contains("an emulated GPU") && !host.out.contains("hardware"));
    let write = format!("generate {model} --prompt word --max-new-tokens 4 --greedy");
    let (host, card) = (
        site.kdpipe(&write).code(0),
        with_card(site, folder, &write, &[]).code(0),
    );
    assert_eq!(host.out, card.out);
}

/// Compiled kernels lie in the cache; damaged ones are made again.
fn kernels_are_compiled_once(site: &TestSite, folder: &Path) {
    let kept = || -> Vec<PathBuf> {
        let entries = std::fs::read_dir(site.path("cache/kernels")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let files = kept();
    assert_eq!(files.len(), 1, "{files:?}");
    let whole = std::fs::read(&files[0]).unwrap();
    std::fs::write(&files[0], &whole[..40]).unwrap();
    with_card(site, folder, "check study.toml", &[]).code(0);
    assert_eq!((kept(), std::fs::read(&files[0]).unwrap()), (files, whole));
}

#[test]
fn which_card_it_is_is_part_of_nothing_that_is_stored() {
    let (one, two) = (study(), study());
    let (Some(folder), Some(of_two)) = (libraries(&one), libraries(&two)) else {
        return;
    };
    let cards = [("KDPIPE_TEST_EMULATED_CARDS", "2")];
    let run = |site: &TestSite, folder: &Path, arguments: &str| {
        let folder = folder.to_string_lossy();
        let settings = [("LD_LIBRARY_PATH", &*folder), cards[0]];
        let command = format!("run study.toml --only arm=none --only arm=mse {arguments}");
        site.kdpipe_with(&command, &settings).code(0)
    };
    run(&one, &folder, "--device cuda:0");
    run(&two, &of_two, "--device cuda:1 --worker");
    run(&two, &of_two, "--device cuda:0 --wait");
    let stored = |site: &TestSite| {
        let mut files = site.results();
        files.retain(|(name, _)| name.contains("/runs/") || name.contains("/teachers/"));
        files
    };
    assert_eq!(
        differences(&stored(&one), &stored(&two)),
        Vec::<String>::new()
    );
    assert!(!stored(&one).is_empty());
    let lock = std::fs::read_to_string(two.path("results/tiny/lock.toml")).unwrap();
    assert!(!lock.contains("cuda:1\""), "{lock}");
    let done = two.kdpipe_with(
        "check study.toml --device cuda:2",
        &[("LD_LIBRARY_PATH", &*of_two.to_string_lossy()), cards[0]],
    );
    assert!(done.code(2).error.contains("the driver has 2 GPU(s)"));
}

#[test]
fn runs_that_need_more_than_a_card_has_are_refused_before_anything_is_done() {
    let site = study();
    let Some(folder) = libraries(&site) else {
        return;
    };
    let small = on_card(&site, &folder, &[("KDPIPE_TEST_EMULATED_FREE", "100000")]).code(1);
    assert!(
        small.error.contains("of the memory of cuda:0") && small.error.contains("train.batch"),
        "{}",
        small.error
    );
    // With room for a run at a time they are trained one after the other.
    let runs = [("KDPIPE_TEST_EMULATED_FREE", "900000")];
    let done = on_card(&site, &folder, &runs).code(0);
    assert_eq!(losses(&done).len(), 3, "{}", done.error);
    assert!(
        !done.error.contains("runs of seed 0 together"),
        "{}",
        done.error
    );
}

#[test]
fn a_card_that_is_too_small_is_told_and_loses_nothing() {
    let site = study();
    let Some(folder) = libraries(&site) else {
        return;
    };
    let small = on_card(&site, &folder, &[("KDPIPE_TEST_EMULATED_BYTES", "1500000")]).code(1);
    assert!(
        small.error.contains("failed on the GPU") && !small.error.contains("a defect"),
        "{}",
        small.error
    );
    on_card(&site, &folder, &[]).code(0);
}
