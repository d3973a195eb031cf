//! What fuzzers start from and found, checked again, and walks from there:
//! `KDPIPE_TEST_WALKS=100000 cargo test --test it fuzz -- --nocapture` makes them long.

#[path = "../fuzz/checks.rs"]
mod checks;

use std::path::{Path, PathBuf};

use kdpipe::record::layout::Layout;
use kdpipe::record::{About, Attempt, Journal, RunClaim};

use crate::plan::Draws;

/// The kept cases of a target, by name.
fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/kept")
        .join(target);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("kept cases")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let named = |path: PathBuf| {
        (
            path.display().to_string(),
            std::fs::read(&path).expect("a case"),
        )
    };
    paths.into_iter().map(named).collect()
}

/// Another case near one: bytes changed, cut, doubled, or taken from a second one.
fn near(draws: &mut Draws, case: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = case.to_vec();
    for _ in 0..1 + draws.below(4) {
        let (at, count) = (
            draws.below(bytes.len() as u64 + 1) as usize,
            draws.below(9) as usize,
        );
        let end = (at + count).min(bytes.len());
        match draws.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << draws.below(8),
            1 if at < bytes.len() => {
                bytes[at] = [0, 0xff, 0x7f, 0x80, b'"', b'{'][draws.below(6) as usize]
            }
            2 => drop(bytes.drain(at..end)),
            3 => {
                let copied = bytes[at..end].to_vec();
                bytes.splice(at..at, copied);
            }
            4 => bytes.truncate(at),
            _ => {
                let from = draws.below(other.len() as u64 + 1) as usize;
                bytes.splice(
                    at..end,
                    other[from..(from + count).min(other.len())].iter().copied(),
                );
            }
        }
    }
    bytes
}

#[test]
fn what_fuzzers_found_and_what_is_near_it_is_read_or_refused() {
    let walks: usize = std::env::var("KDPIPE_TEST_WALKS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(120);
    for (target, check) in checks::CHECKS {
        let cases = kept(target);
        assert!(!cases.is_empty(), "{target} has no cases");
        for (name, case) in &cases {
            println!("{name}");
            check(case);
        }
        let mut draws = Draws(9);
        for walk in 0..walks {
            let pick = |draws: &mut Draws| &cases[draws.below(cases.len() as u64) as usize];
            let ((name, case), (_, other)) = (pick(&mut draws), pick(&mut draws));
            let found = near(&mut draws, case, other);
            let checked = std::panic::catch_unwind(|| check(&found));
            // The same walk gives the same bytes again, so they need not be kept.
            assert!(checked.is_ok(), "{target}: walk {walk}, from {name}");
        }
        println!("{target}: {walks} walks");
    }
    checks::clear();
}

/// The kept cases are what the first formats wrote: a later version reads them, or refuses them by
/// a rule that this test then states.
#[test]
fn what_the_first_formats_wrote_is_still_read() {
    let folder = tempfile::tempdir().unwrap();
    let case = |name: &str| {
        std::fs::read(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/fuzz/kept")
                .join(name),
        )
        .unwrap()
    };
    let whole = case("checkpoint/whole");
    let end = whole.iter().position(|&byte| byte == 0).unwrap();
    let place = folder.path().join("work/r/a/checkpoints/2");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("manifest.toml"), &whole[..end]).unwrap();
    std::fs::write(place.join("state"), &whole[end + 1..]).unwrap();
    let layout = Layout {
        root: folder.path().to_owned(),
    };
    let RunClaim::Ours(mut attempt) = Attempt::open_or_new(&layout, "r").unwrap() else {
        panic!("it is free")
    };
    let [spec, data, instructions, version] = ["r", "d", "i", "v"].map(str::to_owned);
    let found = attempt
        .newest_valid_checkpoint(&About {
            spec,
            numerics: 1,
            data,
            teacher: None,
            instructions,
            version,
        })
        .unwrap()
        .unwrap();
    assert_eq!((found.step, &found.files["state"][..]), (2, &[7; 9][..]));

    let journal = folder.path().join("journal");
    std::fs::write(&journal, &case("records/journal")[1..]).unwrap();
    assert_eq!(Journal::open(&journal).unwrap().read().unwrap().len(), 2);

    let corpus = folder.path().join("corpus");
    std::fs::write(&corpus, case("corpus/tiny")).unwrap();
    // Its key was changed by hand, so the hash is not that of its content: it is refused as
    // damaged, never as foreign.
    let error = kdpipe::data::cache::open(&corpus, "00000000000000000000000000000000")
        .map(drop)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "its content does not have the hash that its header gives"
    );
}
