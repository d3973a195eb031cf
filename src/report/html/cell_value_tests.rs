//! Tests of `cell_value.rs`.

use super::*;
use crate::report::format;

#[test]
fn numbers_are_read_in_every_form_that_a_report_gives_them() {
    for value in [
        0.0, 1.0, -0.0273, 12.25, 1234.0, 3.85e11, -1.5e-7, 0.000123, 987_654.0,
    ] {
        for text in [
            format::significant(value, 6),
            format::power(value, 6),
            format::signed(value, 9),
            format::count(value),
            format::prefixed(value, 6),
            format!("{} (1 diverged)", format::significant(value, 6)),
            format!("{} to +0.5", format::significant(value, 6)),
        ] {
            let expected = if text == format::count(value) {
                value.round()
            } else {
                value
            };
            let read = cell_value(&text).unwrap_or_else(|| panic!("{text}"));
            assert!(
                (read - expected).abs() <= 1e-5 * expected.abs() + 1e-9,
                "{text}: {read}"
            );
        }
    }
    for (text, value) in [
        ("1.42 MB", 1.42e6),
        ("817 kB", 817e3),
        ("738 k", 738e3),
        ("59.8 %", 59.8),
        ("1.79×", 1.79),
        ("0 of 5", 0.0),
        ("5e-05", 5e-5),
        ("−∞", f64::NEG_INFINITY),
        ("0.5017, 0.4500", 0.5017),
    ] {
        assert_eq!(cell_value(text), Some(value), "{text}");
    }
}

#[test]
fn times_are_sorted_by_their_length() {
    let seconds = [0.25, 12.0, 119.0, 150.0, 7000.0, 90_000.0];
    let read: Vec<f64> = seconds
        .iter()
        .map(|&seconds| cell_value(&format::duration(seconds)).unwrap())
        .collect();
    assert!(read.is_sorted(), "{read:?}");
    assert!((read[3] - 150.0).abs() < 1.0);
}

#[test]
fn names_are_no_numbers() {
    for text in [
        "",
        "–",
        "mse",
        "4f93bf997c47",
        "1→2: 0.460",
        "3rd",
        "-",
        "undecided",
        "e5",
        ".",
    ] {
        assert_eq!(cell_value(text), None, "{text}");
    }
}
