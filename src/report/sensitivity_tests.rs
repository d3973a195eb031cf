//! Tests of `sensitivity.rs`.

use super::*;
use crate::report::analysis::Analysis;
use crate::report::test_fixture::Fixture;

/// `wasserstein` against `mse`, whose losses differ by these numbers, seed by seed.
fn hanging(differences: &[f64]) -> (Verdict, Vec<(String, Verdict)>) {
    let fixture = Fixture::of_differences(differences);
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let analysis = Analysis::new(&data).unwrap();
    let contrast = &analysis.contrasts[0];
    let seeds = hanging_seeds(&data, &analysis.rows, contrast).unwrap_or_default();
    let seeds = seeds.into_iter().map(|one| (one.seed, one.verdict));
    (contrast.verdict.clone(), seeds.collect())
}

#[test]
fn a_seed_that_alone_hides_a_difference_is_told() {
    let (verdict, seeds) = hanging(&[-0.02, -0.021, -0.019, -0.022, 0.05]);
    assert_eq!(verdict, Verdict::Undecided);
    assert_eq!(seeds, [("4".to_owned(), Verdict::Better)]);
}

#[test]
fn a_verdict_that_every_seed_supports_hangs_on_none() {
    let (verdict, seeds) = hanging(&[-0.02, -0.021, -0.019, -0.022, -0.018]);
    assert_eq!((verdict, seeds), (Verdict::Better, Vec::new()));
    // Less sure of its size is not another verdict.
    let (verdict, seeds) = hanging(&[-0.008, -0.0085, -0.009, -0.0075]);
    assert_eq!((verdict, seeds), (Verdict::Better, Vec::new()));
}

#[test]
fn three_seeds_cannot_lose_one() {
    let (_, seeds) = hanging(&[-0.02, -0.021, 0.5]);
    assert_eq!(seeds, Vec::new());
}

#[test]
fn what_any_of_most_seeds_decides_hangs_on_their_number_and_what_a_few_decide_on_those() {
    let seed = |seed: &str, verdict: Verdict| HangingSeed {
        seed: seed.to_owned(),
        verdict,
    };
    let two = || vec![seed("3", Verdict::Undecided), seed("7", Verdict::Undecided)];
    assert_eq!(alone_and_together(two(), 10), (two(), Vec::new()));
    assert_eq!(alone_and_together(two(), 5), (two(), Vec::new()));
    // Half of them are not most.
    assert_eq!(alone_and_together(two(), 4), (two(), Vec::new()));
    let three = || [two(), vec![seed("8", Verdict::Undecided)]].concat();
    assert_eq!(alone_and_together(three(), 5), (Vec::new(), three()));
    // One that points another way hangs on itself, whatever the others do.
    let other = seed("4", Verdict::Worse);
    let all = [three(), vec![other.clone()]].concat();
    assert_eq!(alone_and_together(all, 5), (vec![other], three()));
}
