//! Tests of `limits.rs`.

use super::*;

#[test]
fn sizes_are_read_as_people_write_them() {
    assert_eq!(parse_size("8GB"), Some(8_000_000_000));
    assert_eq!(parse_size(" 1.5 gb "), Some(1_500_000_000));
    assert_eq!(parse_size("500 MB"), Some(500_000_000));
    assert_eq!(parse_size("123"), Some(123));
    for text in ["", "GB", "0", "-1GB", "8 G B", "8 parsecs", "1.2.3GB"] {
        assert_eq!(parse_size(text), None, "{text}");
    }
}
