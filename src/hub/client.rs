//! Requests: redirects, who is told the token, what an answer's status means, and how often
//! something is tried again.

use std::io::Read;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use hf_hub::api::RepoInfo;
use ureq::{Agent, Response};
use url::Url;

use super::error::HubError;
use super::listing::{Listing, ListingPage};
use super::repo::{Repo, RepoKind, is_commit};
use super::settings::Settings;
use super::{Hub, News};

/// Tries without progress before it is given up.
const TRIES: u32 = 5;
/// Where there is no connection at all, fewer tell.
const TRIES_TO_CONNECT: u32 = 3;
/// The longest wait that the hub may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// More than any repo's description or page of its list.
const LARGEST_ANSWER: u64 = 64 << 20;
const MOST_REDIRECTS: usize = 10;
/// Pages of a thousand files each.
const MOST_PAGES: usize = 2000;
/// To the first byte of a connection, and between two bytes.
const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(30);

/// Asks the hub, one request at a time.
pub(super) struct Client {
    endpoint: String,
    token: Option<String>,
    agent: OnceLock<Agent>,
}

/// A request's answer.
pub(super) struct Answer {
    pub response: Response,
    /// The commit and the length that the hub itself gave, before it sent the request on.
    pub commit: Option<String>,
    pub length: Option<u64>,
}

/// What a request is for, for messages.
pub(super) struct RequestSubject<'a> {
    pub repo: &'a Repo,
    pub file: Option<&'a str>,
}

impl Client {
    pub fn new(settings: &Settings) -> Self {
        Self {
            endpoint: settings.endpoint.clone(),
            token: settings.token.clone(),
            agent: OnceLock::new(),
        }
    }

    /// The commit of a revision.
    pub fn commit(&self, repo: &Repo) -> Result<String, HubError> {
        let url = format!("{}/api/{}", self.endpoint, repo.named().api_url());
        let answer = self.get(&url, &[], &RequestSubject { repo, file: None })?;
        let info: RepoInfo = self.json(
            answer.response,
            &format!("the description of {}", repo.title()),
        )?;
        if !is_commit(&info.sha) {
            return Err(foreign(
                &format!("the description of {}", repo.title()),
                "its commit is no commit",
            ));
        }
        Ok(info.sha)
    }

    /// The files of a commit, page by page.
    pub fn listing(&self, repo: &Repo, commit: &str) -> Result<Listing, HubError> {
        let kind = match repo.kind {
            RepoKind::Model => "models",
            RepoKind::Dataset => "datasets",
        };
        let what = format!("the list of files of {}", repo.title());
        let at = repo.at(commit);
        let mut next = Some(format!(
            "{}/api/{kind}/{}/tree/{commit}?recursive=true",
            self.endpoint, repo.name
        ));
        let mut files = Vec::new();
        for _ in 0..MOST_PAGES {
            let Some(url) = next else {
                return Listing::new(files).map_err(|reason| foreign(&what, &reason));
            };
            let response = self
                .get(
                    &url,
                    &[],
                    &RequestSubject {
                        repo: &at,
                        file: None,
                    },
                )?
                .response;
            next = match response.header("link").and_then(next_page) {
                Some(link) => Some(
                    Url::parse(&url)
                        .and_then(|url| url.join(&link))
                        .map_err(|_| foreign(&what, "its next page has no address"))?
                        .into(),
                ),
                None => None,
            };
            let page: ListingPage = self.json(response, &what)?;
            files.extend(page);
        }
        Err(foreign(&what, "it has no end"))
    }

    /// The address of a file.
    pub fn address(&self, repo: &Repo, commit: &str, file: &str) -> String {
        let mut url = format!("{}/{}/resolve/{commit}", self.endpoint, repo.named().url());
        for part in file.split('/') {
            url.push('/');
            for byte in part.bytes() {
                if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                    url.push(char::from(byte));
                } else {
                    url.push_str(&format!("%{byte:02X}"));
                }
            }
        }
        url
    }

    /// Gets an address, wherever it is sent on to. The token goes to the hub's own address alone.
    pub fn get(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        subject: &RequestSubject,
    ) -> Result<Answer, HubError> {
        let home =
            Url::parse(&self.endpoint).map_err(|_| foreign("HF_ENDPOINT", "it is no address"))?;
        let mut url = Url::parse(url).map_err(|_| foreign("an address", "it cannot be read"))?;
        let (mut commit, mut length) = (None, None);
        for _ in 0..MOST_REDIRECTS {
            let mut request = self
                .agent(&home)
                .request_url("GET", &url)
                .set("accept-encoding", "identity");
            for (name, value) in headers {
                request = request.set(name, value);
            }
            let is_home = url.origin() == home.origin();
            if let Some(token) = self.token.as_ref().filter(|_| is_home) {
                request = request.set("authorization", &format!("Bearer {token}"));
            }
            let response = match request.call() {
                Ok(response) => response,
                Err(ureq::Error::Status(status, response)) => {
                    return Err(self.refusal(status, &response, &url, is_home, subject));
                }
                Err(ureq::Error::Transport(transport)) => {
                    return Err(HubError::Unreachable {
                        host: host(&url),
                        reason: reason(&transport),
                    });
                }
            };
            if is_home {
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
            let next = response.header("location").and_then(|to| url.join(to).ok());
            let next = next.filter(|next| {
                next.scheme() == "https" || next.scheme() == "http" && url.scheme() == "http"
            });
            url = next.ok_or_else(|| {
                foreign(
                    &format!("an answer of {}", host(&url)),
                    "it sends on to no address that can be followed",
                )
            })?;
        }
        Err(foreign(
            &format!("an answer of {}", host(&url)),
            "it sends on without end",
        ))
    }

    /// What a status above 399 means, by the code that the hub adds to it.
    fn refusal(
        &self,
        status: u16,
        response: &Response,
        url: &Url,
        is_home: bool,
        subject: &RequestSubject,
    ) -> HubError {
        let (host, has_token, repo) = (host(url), self.token.is_some(), subject.repo);
        let wait = response
            .header("retry-after")
            .and_then(|seconds| seconds.trim().parse().ok())
            .map(Duration::from_secs);
        match status {
            429 => {
                return HubError::Busy {
                    host,
                    has_token,
                    wait,
                };
            }
            408 | 500..=599 => return HubError::Server { host, status, wait },
            _ => {}
        }
        let page = format!("{}/{}", self.endpoint, repo.named().url());
        let code = response.header("x-error-code").unwrap_or_default();
        let title = repo.title();
        match (status, code) {
            (_, "GatedRepo") => HubError::Gated {
                repo: title,
                page,
                has_token,
            },
            (404, "RevisionNotFound") => HubError::NoRevision {
                repo: title,
                revision: repo.revision.clone(),
            },
            (404, "EntryNotFound") => no_file(subject),
            (404, "RepoNotFound") => HubError::NoRepo { repo: title },
            (401 | 403, _) if is_home => HubError::NotOpen {
                repo: title,
                page,
                has_token,
            },
            (404, _) if is_home && subject.file.is_some() => no_file(subject),
            (404, _) if is_home && repo.revision != "main" => HubError::NoRevision {
                repo: title,
                revision: repo.revision.clone(),
            },
            (404, _) if is_home => HubError::NoRepo { repo: title },
            // The store behind the hub: its links hold for a while only, so a new one may do.
            (401 | 403, _) => HubError::Server { host, status, wait },
            _ => HubError::Refused {
                host,
                status,
                what: subject
                    .file
                    .map_or_else(|| title.clone(), |file| format!("{file} of {title}")),
            },
        }
    }

    /// Reads an answer of bounded length as JSON.
    fn json<T: serde::de::DeserializeOwned>(
        &self,
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
            return Err(foreign(what, "it is longer than such an answer may be"));
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
        serde_json::from_slice(&bytes).map_err(|error| foreign(what, &error.to_string()))
    }

    fn agent(&self, home: &Url) -> &Agent {
        self.agent.get_or_init(|| {
            let builder = ureq::builder()
                .redirects(0)
                .timeout_connect(CONNECT)
                .timeout_read(SILENCE)
                .timeout_write(SILENCE)
                .user_agent(concat!("kdpipe/", env!("CARGO_PKG_VERSION")));
            builder.try_proxy_from_env(!without_proxy(home)).build()
        })
    }
}

impl Hub<'_> {
    /// Tries again after a pause what may pass, a bounded number of times.
    pub(super) fn again<T>(
        &self,
        mut work: impl FnMut() -> Result<T, HubError>,
    ) -> Result<T, HubError> {
        let mut tries = 0;
        loop {
            if let Some(fault) = self.state().down.clone() {
                return Err(fault);
            }
            match work() {
                Err(fault) => self.pause(&mut tries, fault)?,
                done => return done,
            }
        }
    }

    /// Waits before the next try; the fault itself where it would not help or was tried often
    /// enough.
    pub(super) fn pause(&self, tries: &mut u32, fault: HubError) -> Result<(), HubError> {
        *tries += 1;
        let most = if matches!(fault, HubError::Unreachable { .. }) {
            TRIES_TO_CONNECT
        } else {
            TRIES
        };
        if !fault.is_passing() || *tries >= most {
            if matches!(fault, HubError::Unreachable { .. }) {
                self.state().down = Some(fault.clone());
            }
            return Err(fault);
        }
        (self.listener)(&News::Again {
            reason: &fault.to_string(),
        });
        let own = self.settings.pause * 2u32.pow(*tries - 1);
        let until = Instant::now()
            + fault
                .wait()
                .map_or(own, |asked| asked.min(LONGEST_WAIT).max(own));
        while Instant::now() < until {
            if self.stopped() {
                return Err(HubError::Stopped);
            }
            std::thread::sleep(
                until
                    .saturating_duration_since(Instant::now())
                    .min(Duration::from_millis(100)),
            );
        }
        Ok(())
    }
}

fn no_file(subject: &RequestSubject) -> HubError {
    HubError::NoFile {
        repo: subject.repo.title(),
        revision: subject.repo.revision.clone(),
        file: subject.file.unwrap_or("of its description").to_owned(),
    }
}

fn foreign(what: &str, reason: &str) -> HubError {
    HubError::Foreign {
        what: what.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Host and port, never the rest: an address may hold a signature.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the hub");
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
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

/// The address of `rel="next"` in a Link header.
fn next_page(header: &str) -> Option<String> {
    header.split(',').find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        parameters
            .split(';')
            .any(|parameter| ["rel=\"next\"", "rel=next"].contains(&parameter.trim()))
            .then(|| address.to_owned())
    })
}

/// Whether a host is reached directly: this machine, and what NO_PROXY names.
fn without_proxy(url: &Url) -> bool {
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
#[path = "client_tests.rs"]
mod tests;
