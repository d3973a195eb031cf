//! What an answer's status means.

use std::time::Duration;

use ureq::Response;
use url::Url;

use super::answer::{RequestSubject, host};
use super::client::Client;
use super::error::HubError;

impl Client {
    /// What a status above 399 means, by the code that the hub adds to it.
    pub(super) fn refusal(
        &self,
        status: u16,
        response: &Response,
        url: &Url,
        is_home: bool,
        subject: &RequestSubject,
    ) -> HubError {
        let host = host(url);
        let wait = response
            .header("retry-after")
            .and_then(|seconds| seconds.trim().parse().ok())
            .map(Duration::from_secs);
        let code = response.header("x-error-code").unwrap_or_default();
        match (status, code) {
            (429, _) => HubError::Busy {
                host,
                has_token: self.token.is_some(),
                wait,
            },
            (408 | 500 | 502..=599, _) => HubError::Server { host, status, wait },
            (_, "GatedRepo") => self.gated(subject),
            (404, "RevisionNotFound") => no_revision(subject, true),
            (404, "EntryNotFound") => no_file(subject),
            (404, "RepoNotFound") => no_repo(subject, true),
            (401 | 403, _) if is_home => self.not_open(subject),
            (404, _) if is_home && subject.file.is_some() => no_file(subject),
            (404, _) if is_home && subject.repo.revision != "main" => no_revision(subject, false),
            (404, _) if is_home => no_repo(subject, false),
            // The store behind the hub: its links hold for a while only, so a new one may do.
            (401 | 403, _) => HubError::Server { host, status, wait },
            _ => HubError::Refused {
                host,
                status,
                what: subject.to_string(),
            },
        }
    }

    fn gated(&self, subject: &RequestSubject) -> HubError {
        HubError::Gated {
            repo: subject.repo.title(),
            page: self.page(subject),
            has_token: self.token.is_some(),
        }
    }

    fn not_open(&self, subject: &RequestSubject) -> HubError {
        HubError::NotOpen {
            repo: subject.repo.title(),
            page: self.page(subject),
            has_token: self.token.is_some(),
        }
    }

    /// The repo's page for people.
    fn page(&self, subject: &RequestSubject) -> String {
        format!("{}/{}", self.endpoint, subject.repo.as_hf_hub().url())
    }
}

fn no_repo(subject: &RequestSubject, is_told: bool) -> HubError {
    HubError::NoRepo {
        is_told,
        repo: subject.repo.title(),
    }
}

fn no_revision(subject: &RequestSubject, is_told: bool) -> HubError {
    HubError::NoRevision {
        is_told,
        repo: subject.repo.title(),
        revision: subject.repo.revision.clone(),
    }
}

fn no_file(subject: &RequestSubject) -> HubError {
    HubError::NoFile {
        repo: subject.repo.title(),
        revision: subject.repo.revision.clone(),
        file: subject.file.unwrap_or("of its description").to_owned(),
    }
}
