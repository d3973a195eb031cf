//! Which hosts are reached without a proxy.

use url::Url;

/// Whether a host is reached directly: this machine, and what NO_PROXY names.
pub(super) fn without_proxy(url: &Url) -> bool {
    let listed = ["NO_PROXY", "no_proxy"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_default();
    is_direct(url.host_str().unwrap_or_default(), &listed)
}

fn is_direct(host: &str, listed: &str) -> bool {
    let here = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    here || listed
        .split(',')
        .map(|name| name.trim().trim_start_matches("*").trim_start_matches('.'))
        .any(|name| {
            name == host
                || !name.is_empty()
                    && host
                        .strip_suffix(name)
                        .is_some_and(|rest| rest.ends_with('.'))
        })
        || listed.trim() == "*"
}

#[cfg(test)]
#[path = "proxy_tests.rs"]
mod tests;
