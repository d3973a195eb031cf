//! What the hub is asked: the commit of a revision, the files of a commit, the address of a file.

use std::sync::OnceLock;
use std::time::Duration;

use hf_hub::api::RepoInfo;
use ureq::{Agent, Response};
use url::Url;

use super::answer::{RequestSubject, foreign_answer, read_json};
use super::error::HubError;
use super::listing::{Listing, ListingPage};
use super::proxy::without_proxy;
use super::repo::{Repo, RepoKind, is_commit};
use super::settings::Settings;

/// Pages of a thousand files each.
const MOST_PAGES: usize = 2000;

/// To the first byte of a connection, and between two bytes.
const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(30);

/// Asks the hub, one request at a time.
pub(super) struct Client {
    pub(super) endpoint: String,
    pub(super) token: Option<String>,
    agent: OnceLock<Agent>,
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
        let url = format!("{}/api/{}", self.endpoint, repo.as_hf_hub().api_url());
        let what = format!("the description of {}", repo.title());
        let answer = self.get(&url, &[], &RequestSubject { repo, file: None })?;
        let info: RepoInfo = read_json(answer.response, &what)?;
        if !is_commit(&info.sha) {
            return Err(foreign_answer(&what, "its commit is no commit"));
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
        let subject = RequestSubject {
            repo: &at,
            file: None,
        };
        let mut next = Some(format!(
            "{}/api/{kind}/{}/tree/{commit}?recursive=true",
            self.endpoint, repo.name
        ));
        let mut files = Vec::new();
        for _ in 0..MOST_PAGES {
            let Some(url) = next else {
                return Listing::new(files).map_err(|reason| foreign_answer(&what, &reason));
            };
            let response = self.get(&url, &[], &subject)?.response;
            next = address_of_next_page(&url, &response)
                .map_err(|_| foreign_answer(&what, "its next page has no address"))?;
            let page: ListingPage = read_json(response, &what)?;
            files.extend(page);
        }
        Err(foreign_answer(&what, "it has no end"))
    }

    /// The address of a file.
    pub fn address(&self, repo: &Repo, commit: &str, file: &str) -> String {
        let mut url = format!(
            "{}/{}/resolve/{commit}",
            self.endpoint,
            repo.as_hf_hub().url()
        );
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

    /// The client of requests, made when it is first needed.
    pub(super) fn agent(&self, home: &Url) -> &Agent {
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

/// Where the list goes on after the page at `url`; nothing after the last.
fn address_of_next_page(url: &str, response: &Response) -> Result<Option<String>, url::ParseError> {
    let Some(link) = response.header("link").and_then(next_page) else {
        return Ok(None);
    };
    Ok(Some(Url::parse(url)?.join(&link)?.into()))
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

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
