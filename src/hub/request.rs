//! One request: redirects, and who is told the token.

use ureq::Response;
use url::Url;

use super::answer::{Answer, FileAbout, RequestSubject, foreign_answer, host};
use super::client::Client;
use super::error::HubError;
use super::hash::Hash;

const MOST_REDIRECTS: usize = 10;

impl Client {
    /// Gets an address, wherever it is sent on to. The token goes to the hub's own address alone.
    pub fn get(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        subject: &RequestSubject,
    ) -> Result<Answer, HubError> {
        let home = Url::parse(&self.endpoint)
            .map_err(|_| foreign_answer("HF_ENDPOINT", "it is no address"))?;
        let mut url =
            Url::parse(url).map_err(|_| foreign_answer("an address", "it cannot be read"))?;
        let (mut commit, mut length) = (None, None);
        for _ in 0..MOST_REDIRECTS {
            let response = self.send("GET", &url, &home, headers, subject)?;
            if is_home(&url, &home) {
                commit = commit.or_else(|| response.header("x-repo-commit").map(str::to_owned));
                length = length.or_else(|| {
                    response
                        .header("x-linked-size")
                        .and_then(|size| size.parse().ok())
                });
            }
            if !(300..400).contains(&response.status()) {
                return Ok(Answer {
                    response,
                    commit,
                    length,
                });
            }
            url = next_address(&url, &response)?;
        }
        Err(foreign_answer(
            &format!("an answer of {}", host(&url)),
            "it sends on without end",
        ))
    }

    /// What the hub tells of a file, wherever the file lies.
    pub fn head(&self, url: &str, subject: &RequestSubject) -> Result<FileAbout, HubError> {
        let home = Url::parse(&self.endpoint)
            .map_err(|_| foreign_answer("HF_ENDPOINT", "it is no address"))?;
        let mut url =
            Url::parse(url).map_err(|_| foreign_answer("an address", "it cannot be read"))?;
        let mut found = FileAbout {
            commit: None,
            size: None,
            hash: None,
        };
        for _ in 0..MOST_REDIRECTS {
            let response = self.send("HEAD", &url, &home, &[], subject)?;
            let header = |name: &str| response.header(name).map(str::to_owned);
            let hash = |name: &str| header(name).and_then(|etag| hash_of_etag(&etag));
            let number = |name: &str| header(name).and_then(|length| length.parse().ok());
            found.commit = found.commit.or_else(|| header("x-repo-commit"));
            found.size = found.size.or_else(|| number("x-linked-size"));
            found.hash = found.hash.or_else(|| hash("x-linked-etag"));
            if !(300..400).contains(&response.status()) {
                found.size = found.size.or_else(|| number("content-length"));
                found.hash = found.hash.or_else(|| hash("etag"));
                return Ok(found);
            }
            url = next_address(&url, &response)?;
            if !is_home(&url, &home) {
                return Ok(found);
            }
        }
        Err(foreign_answer(
            &format!("an answer of {}", host(&url)),
            "it sends on without end",
        ))
    }

    /// Sends one request; an answer of an error's status is an error.
    fn send(
        &self,
        method: &str,
        url: &Url,
        home: &Url,
        headers: &[(&str, &str)],
        subject: &RequestSubject,
    ) -> Result<Response, HubError> {
        let mut request = self
            .agent(home)
            .request_url(method, url)
            .set("accept-encoding", "identity");
        for (name, value) in headers {
            request = request.set(name, value);
        }
        let is_home = is_home(url, home);
        if let Some(token) = self.token.as_ref().filter(|_| is_home) {
            request = request.set("authorization", &format!("Bearer {token}"));
        }
        request.call().map_err(|error| match error {
            ureq::Error::Status(status, response) => {
                self.refusal(status, &response, url, is_home, subject)
            }
            ureq::Error::Transport(transport) => HubError::Unreachable {
                host: host(url),
                reason: reason(&transport),
            },
        })
    }
}

/// The hash that an etag is: `"HASH"`, or `W/"HASH"`.
fn hash_of_etag(etag: &str) -> Option<Hash> {
    Hash::parse(etag.trim().trim_start_matches("W/").trim_matches('"'))
}

/// Whether an address is of the hub itself.
fn is_home(url: &Url, home: &Url) -> bool {
    url.origin() == home.origin()
}

/// Where an answer sends on to: never from an encrypted connection to a plain one.
fn next_address(url: &Url, response: &Response) -> Result<Url, HubError> {
    response
        .header("location")
        .and_then(|to| url.join(to).ok())
        .filter(|next| {
            next.scheme() == "https" || next.scheme() == "http" && url.scheme() == "http"
        })
        .ok_or_else(|| {
            foreign_answer(
                &format!("an answer of {}", host(url)),
                "it sends on to no address that can be followed",
            )
        })
}

/// What went wrong with a connection, without the address.
fn reason(transport: &ureq::Transport) -> String {
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(transport);
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    cause
        .map_or_else(|| transport.kind().to_string(), ToString::to_string)
        .to_lowercase()
}
