//! The same study gives the same bytes however many threads it has, and wherever and by whom it is
//! started.

use std::collections::BTreeMap;

use crate::builder::{TestSite, differences, tiny};

/// The hashes of a finished study's files, times aside.
fn hashes(site: &TestSite) -> BTreeMap<String, String> {
    site.results()
        .into_iter()
        .map(|(name, bytes)| (name, kdpipe::digest::sha256(&bytes)))
        .collect()
}

#[test]
fn one_two_three_and_seven_threads_give_the_same_hashes() {
    let golden = |threads: usize| {
        let site = TestSite::in_memory(&tiny(&[]));
        site.kdpipe(&format!("run study.toml --threads {threads}"))
            .code(0);
        hashes(&site)
    };
    let one = golden(1);
    assert!(
        one.keys()
            .any(|name| name.ends_with("student/model.safetensors")),
        "{:?}",
        one.keys()
    );
    for threads in [2, 3, 7] {
        assert_eq!(golden(threads), one, "{threads} threads");
    }
}

#[test]
fn another_folder_language_time_zone_and_mask_of_permissions_change_nothing() {
    let whole = TestSite::in_memory(&tiny(&[]));
    whole.kdpipe("run study.toml").code(0);
    let site = TestSite::in_memory("");
    let place = site.path("Ein Ort mit Leerzeichen/日本/'quoted'");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("study.toml"), tiny(&[])).unwrap();
    let kdpipe = site.command("run study.toml");
    let mut elsewhere = std::process::Command::new("sh");
    elsewhere
        .args(["-c", "umask 077; exec \"$0\" \"$@\""])
        .arg(kdpipe.get_program())
        .args(kdpipe.get_args())
        .current_dir(&place);
    let settings = [
        ("LC_ALL", "tr_TR.UTF-8"),
        ("LANG", "de_DE.UTF-8"),
        ("TZ", "Asia/Kathmandu"),
        ("HOME", "/nonexistent"),
        ("COLUMNS", "31"),
    ];
    elsewhere
        .env_clear()
        .envs(settings)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    elsewhere.env("KDPIPE_CACHE", place.join("ein anderer cache"));
    let output = elsewhere.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::rename(place.join("results"), site.path("results")).unwrap();
    assert_eq!(
        differences(&whole.results(), &site.results()),
        Vec::<String>::new()
    );
}
