//! Tests of `plan_text.rs`.

use super::*;

#[test]
fn numbers_are_shown_in_a_few_characters() {
    assert_eq!(
        [
            count(0.0),
            count(12.0),
            count(1234.0),
            count(5.67e6),
            count(3.21e12)
        ],
        ["?", "12", "1.2 k", "5.67 M", "3.2e12"]
    );
    assert_eq!(
        [
            about(0.0),
            about(12.4),
            about(400.0),
            about(9000.0),
            about(9e5)
        ],
        ["?", "~12 s", "~7 min", "~2 h", "~10 days"]
    );
    assert_eq!(
        [
            bytes(0),
            bytes(12_000),
            bytes(3_400_000),
            bytes(5_600_000_000)
        ],
        ["?", "12 KB", "3 MB", "5.6 GB"]
    );
}
