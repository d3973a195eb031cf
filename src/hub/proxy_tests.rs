//! Tests of `proxy.rs`.

use super::*;

#[test]
fn this_machine_and_what_is_listed_is_reached_directly() {
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
