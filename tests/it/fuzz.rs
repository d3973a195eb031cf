//! What fuzzers found worth keeping, checked again, and short walks from there. The long form is in `tests/README.md`.

#[path = "../fuzz/checks.rs"]
mod checks;

use std::path::{Path, PathBuf};

use crate::spec::Draws;

/// The kept cases of a target, by name.
fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/kept").join(target);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).expect("kept cases").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let named = |path: PathBuf| (path.display().to_string(), std::fs::read(&path).expect("a case"));
    paths.into_iter().map(named).collect()
}

/// Another case near one: bytes changed, cut, doubled, or taken from a second one.
fn near(draws: &mut Draws, case: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = case.to_vec();
    for _ in 0..1 + draws.below(4) {
        let (at, count) = (draws.below(bytes.len() as u64 + 1) as usize, draws.below(9) as usize);
        let end = (at + count).min(bytes.len());
        match draws.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << draws.below(8),
            1 if at < bytes.len() => bytes[at] = [0, 0xff, 0x7f, 0x80, b'"', b'{'][draws.below(6) as usize],
            2 => drop(bytes.drain(at..end)),
            3 => {
                let copied = bytes[at..end].to_vec();
                bytes.splice(at..at, copied);
            }
            4 => bytes.truncate(at),
            _ => {
                let from = draws.below(other.len() as u64 + 1) as usize;
                bytes.splice(at..end, other[from..(from + count).min(other.len())].iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn what_fuzzers_found_and_what_is_near_it_is_read_or_refused() {
    for (target, check) in checks::CHECKS {
        let cases = kept(target);
        assert!(!cases.is_empty(), "{target} has no cases");
        for (name, case) in &cases {
            println!("{name}");
            check(case);
        }
        let mut draws = Draws(9);
        for walk in 0..120 {
            let pick = |draws: &mut Draws| &cases[draws.below(cases.len() as u64) as usize];
            let ((name, case), (_, other)) = (pick(&mut draws), pick(&mut draws));
            println!("{target}: walk {walk} from {name}");
            check(&near(&mut draws, case, other));
        }
    }
    checks::clear();
}
