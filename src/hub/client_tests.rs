//! Tests of `client.rs`.

use super::*;

#[test]
fn the_next_page_is_read_from_its_link() {
    assert_eq!(
        next_page("<https://a/b?c=1>; rel=\"next\"").as_deref(),
        Some("https://a/b?c=1")
    );
    assert_eq!(
        next_page("<p>; rel=\"prev\", </n>; a=b; rel=\"next\"").as_deref(),
        Some("/n")
    );
    assert_eq!(next_page("<p>; rel=\"prev\""), None);
}
