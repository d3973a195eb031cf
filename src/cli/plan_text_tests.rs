//! Tests of `plan_text.rs`.

use super::*;

#[test]
fn what_is_damaged_has_a_word_and_is_trained_again() {
    let found = [
        None,
        Some(Standing::Open),
        Some(Standing::WithoutWeights),
        Some(Standing::Trained),
        Some(Standing::Finished),
    ];
    assert_eq!(
        found.each_ref().map(in_a_word),
        ["damaged", "open", "no weights", "trained", "finished"]
    );
    assert_eq!(
        found.each_ref().map(is_to_train),
        [true, true, true, false, false]
    );
}

#[test]
fn numbers_are_shown_in_a_few_characters() {
    assert_eq!(
        [
            short_number(0.0),
            short_number(12.0),
            short_number(1234.0),
            short_number(5.67e6),
            short_number(3.21e12)
        ],
        ["?", "12", "1.2 k", "5.67 M", "3.2e12"]
    );
    assert_eq!(
        [
            rough_duration(0.0),
            rough_duration(12.4),
            rough_duration(400.0),
            rough_duration(9000.0),
            rough_duration(9e5)
        ],
        ["?", "~12 s", "~7 min", "~2 h", "~10 days"]
    );
    assert_eq!(
        [
            size_or_unknown(0),
            size_or_unknown(12_000),
            size_or_unknown(3_400_000),
            size_or_unknown(5_600_000_000)
        ],
        ["?", "12 KB", "3 MB", "5.6 GB"]
    );
}
