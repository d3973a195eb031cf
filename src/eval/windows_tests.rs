//! Tests of `windows.rs`.

use super::*;

#[test]
fn windows_reach_from_the_first_to_the_last_token() {
    let windows = Windows::holding(1000, 10, 90);
    assert_eq!((windows.starts.len(), windows.length), (9, 10));
    assert_eq!(windows.starts[..3], [0, 123, 247]);
    let places: Vec<usize> = windows.places().collect();
    assert_eq!(places.len(), 90);
    assert_eq!((places[0], places[10], places[89]), (0, 123, 999));
}

#[test]
fn a_part_of_a_long_text_is_from_several_places_whatever_the_context() {
    // As studies of GPT-2 have it.
    let windows = Windows::holding(280_000, 1024, 1024);
    assert_eq!((windows.starts.len(), windows.length), (8, 128));
    // A text that is hardly longer is read in one go.
    assert_eq!(Windows::holding(1500, 1024, 1024).starts, [0]);
    assert_eq!(Windows::holding(1000, 64, 1024).length, 64);
}

#[test]
fn windows_never_overlap_nor_leave_the_text() {
    for tokens in [1, 2, 3, 31, 64, 65, 100, 127, 1000] {
        for (context, wanted) in [(1, 1), (16, 16), (16, 100), (32, 1024), (64, 7)] {
            let windows = Windows::holding(tokens, context, wanted);
            let case = format!("{tokens} {context} {wanted}: {windows:?}");
            assert!(
                (1..=context.min(wanted).min(tokens)).contains(&windows.length),
                "{case}"
            );
            let held = windows.starts.len() * windows.length;
            assert!(held <= wanted, "{case}");
            assert!(held + windows.length > wanted.min(tokens), "{case}");
            let pairs = windows.starts.windows(2);
            assert!(
                pairs
                    .clone()
                    .all(|pair| pair[0] + windows.length <= pair[1]),
                "{case}"
            );
            assert!(windows.places().all(|place| place < tokens), "{case}");
        }
    }
}

#[test]
fn nothing_has_no_windows() {
    assert!(Windows::holding(0, 64, 100).starts.is_empty());
    assert!(Windows::holding(100, 64, 0).starts.is_empty());
    assert_eq!(Windows::evenly(100, 10, 1).starts, [0]);
}
