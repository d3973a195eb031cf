//! Tests of `transfer.rs`.

use super::*;

#[test]
fn the_beginning_of_a_range_is_read() {
    assert_eq!(start_of_range("bytes 5-9/10"), Some(5));
    assert_eq!(start_of_range("bytes */10"), None);
    assert_eq!(start_of_range(""), None);
}
