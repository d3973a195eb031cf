//! Tests of `shares.rs`.

use super::*;

fn texts() -> Vec<String> {
    (0..20_000)
        .map(|index| format!("document {index}"))
        .collect()
}

#[test]
fn shares_are_about_what_was_asked_for_and_splits_of_their_own_are_none() {
    let shares = Shares::new("5%", "10%");
    let count = |part| {
        texts()
            .iter()
            .filter(|text| shares.part(text) == part)
            .count() as f64
            / 20_000.0
    };
    for (part, share) in [
        (Part::Validation, 0.05),
        (Part::Test, 0.10),
        (Part::Train, 0.85),
    ] {
        // Four standard deviations.
        assert!(
            (count(part) - share).abs() < 4.0 * f64::sqrt(share * (1.0 - share) / 20_000.0),
            "{part:?}"
        );
    }
    assert!(!Shares::new("validation", "test").any());
    assert_eq!(
        Shares::new("validation", "50%").part("x"),
        Shares::new("0.0%", "50%").part("x")
    );
}

#[test]
fn every_document_is_in_one_split_and_a_document_has_the_same_one_wherever_it_stands() {
    let shares = Shares::new("20%", "20%");
    let of = |part| {
        let mut choose = shares.chooser(part, None);
        texts()
            .into_iter()
            .filter(|text| choose(text) == DocumentAction::Take)
            .collect::<Vec<_>>()
    };
    let all = [of(Part::Train), of(Part::Validation), of(Part::Test)];
    assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 20_000);
    assert!(
        all[1]
            .iter()
            .all(|text| shares.part(text) == Part::Validation)
    );
}

#[test]
fn the_number_of_a_document_is_the_beginning_of_its_sha256() {
    // `printf 'document 0' | sha256sum` begins with 19e6bd2c.
    let u = 0.101177;
    for (share, is_below) in [(u - 0.001, false), (u + 0.001, true)] {
        assert_eq!(
            Shares::new(&format!("{}%", 100.0 * share), "test").part("document 0")
                == Part::Validation,
            is_below
        );
    }
}

#[test]
fn the_reach_of_training_ends_the_other_splits_too() {
    let shares = Shares::new("20%", "20%");
    let texts = texts();
    let trained: Vec<usize> = (0..texts.len())
        .filter(|&at| shares.part(&texts[at]) == Part::Train)
        .take(100)
        .collect();
    let last = *trained.last().unwrap();
    let mut choose = shares.chooser(Part::Test, Some(100));
    let taken: Vec<usize> = (0..texts.len())
        .take_while(|&at| choose(&texts[at]) != DocumentAction::Stop)
        .collect();
    assert_eq!(taken.len(), last + 1);
    assert_eq!(shares.chooser(Part::Test, None)(""), DocumentAction::Skip);
}
