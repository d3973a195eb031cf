//! Tests of `client.rs`.

use super::*;

#[test]
fn links_and_hosts_are_read() {
    assert_eq!(
        next_page("<https://a/b?c=1>; rel=\"next\"").as_deref(),
        Some("https://a/b?c=1")
    );
    assert_eq!(
        next_page("<p>; rel=\"prev\", </n>; a=b; rel=\"next\"").as_deref(),
        Some("/n")
    );
    assert_eq!(next_page("<p>; rel=\"prev\""), None);
    assert_eq!(
        host(&Url::parse("https://user:secret@cdn.hub:8443/x?signature=y").unwrap()),
        "cdn.hub:8443"
    );
    for (host, listed, direct) in [
        ("127.0.0.1", "", true),
        ("hub.org", "", false),
        ("hub.org", "a, hub.org", true),
        ("hub.org", ".org", true),
        ("hub.org", "ub.org", false),
        ("hub.org", "*", true),
    ] {
        assert_eq!(is_direct(host, listed), direct, "{host} in {listed}");
    }
}
