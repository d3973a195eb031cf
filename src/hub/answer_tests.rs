//! Tests of `answer.rs`.

use super::*;

#[test]
fn a_host_is_named_without_what_is_secret_in_an_address() {
    assert_eq!(
        host(&Url::parse("https://user:secret@cdn.hub:8443/x?signature=y").unwrap()),
        "cdn.hub:8443"
    );
}
