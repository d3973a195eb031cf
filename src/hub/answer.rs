//! What the hub is asked for and what it answers, and reading that.

use std::fmt;
use std::io::Read;

use serde::de::DeserializeOwned;
use ureq::Response;
use url::Url;

use super::error::HubError;
use super::hash::Hash;
use super::repo::Repo;

/// More than any repo's description or page of its list.
const LARGEST_ANSWER: u64 = 64 << 20;

/// A request's answer.
pub(super) struct Answer {
    pub response: Response,
    /// The commit and the length that the hub itself gave, before it sent the request on.
    pub commit: Option<String>,
    pub length: Option<u64>,
}

/// What is told of a file without the file itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileAbout {
    pub commit: Option<String>,
    pub size: Option<u64>,
    pub hash: Option<Hash>,
}

/// What a request is for, for messages.
pub(super) struct RequestSubject<'a> {
    pub repo: &'a Repo,
    pub file: Option<&'a str>,
}

impl fmt::Display for RequestSubject<'_> {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self.file {
            Some(file) => write!(out, "{file} of {}", self.repo.title()),
            None => out.write_str(&self.repo.title()),
        }
    }
}

/// Reads an answer of bounded length as JSON.
pub(super) fn read_json<T: DeserializeOwned>(
    response: Response,
    what: &str,
) -> Result<T, HubError> {
    let announced: Option<u64> = response
        .header("content-length")
        .and_then(|length| length.parse().ok());
    let at = response.get_url().to_owned();
    let mut bytes = Vec::new();
    let read = response
        .into_reader()
        .take(LARGEST_ANSWER + 1)
        .read_to_end(&mut bytes);
    let found = bytes.len() as u64;
    if found > LARGEST_ANSWER {
        return Err(foreign_answer(
            what,
            "it is longer than such an answer may be",
        ));
    }
    if let Some(expected) =
        announced.filter(|_| read.is_err() || announced.is_some_and(|length| found < length))
    {
        return Err(HubError::Cut {
            file: what.to_owned(),
            found,
            expected,
            reason: "the connection ended".to_owned(),
        });
    }
    if let Err(error) = read {
        let host = Url::parse(&at).map_or_else(|_| "the hub".to_owned(), |url| host(&url));
        return Err(HubError::Unreachable {
            host,
            reason: error.kind().to_string(),
        });
    }
    serde_json::from_slice(&bytes).map_err(|error| foreign_answer(what, &error.to_string()))
}

/// An answer that no hub gives.
pub(super) fn foreign_answer(what: &str, reason: &str) -> HubError {
    HubError::Foreign {
        what: what.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Host and port, never the rest: an address may hold a signature.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the hub");
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
