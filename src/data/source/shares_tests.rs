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
fn white_space_at_the_ends_of_a_document_makes_no_other_one() {
    let shares = Shares::new("33%", "33%");
    for text in texts().iter().take(200) {
        let of = shares.part(text);
        assert_eq!(shares.part(&format!("\n{text} \r\n")), of);
    }
}
