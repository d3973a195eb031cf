//! What the hub is asked: the commit of a revision, the files of a commit, the address of a file.

use std::sync::OnceLock;
use std::time::Duration;

use serde::Deserialize;
use ureq::{Agent, Response};
use url::Url;

use super::answer::{FileAbout, RequestSubject, foreign_answer, read_json};
use super::error::HubError;
use super::listing::{Listing, ListingPage, RepoFile, Sibling};
use super::proxy::without_proxy;
use super::repo::{Repo, RepoKind, is_commit};
use super::settings::Settings;

/// Pages of a thousand files each.
const MOST_PAGES: usize = 2000;

/// What of a model is ever wanted, and what tells that it is something else; parts of weights are
/// asked for when their index names them.
const MODEL_FILES: [&str; 14] = [
    "adapter_config.json",
    "added_tokens.json",
    "chat_template.jinja",
    "config.json",
    "generation_config.json",
    "merges.txt",
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
];

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

    /// The commit of a revision: by the repo's description, else as one of its files has it.
    pub fn commit(&self, repo: &Repo) -> Result<String, HubError> {
        let what = format!("the description of {}", repo.title());
        let found = self
            .get(&self.api(repo), &[], &RequestSubject { repo, file: None })
            .and_then(|answer| read_json::<Description>(answer.response, &what));
        match found {
            Ok(found) if is_commit(&found.sha) => Ok(found.sha),
            Ok(_) => Err(foreign_answer(&what, "its commit is no commit")),
            Err(fault) if fault.is_of_a_mirror() => self.probe(repo, &repo.revision).ok_or(fault),
            Err(fault) => Err(fault),
        }
    }

    /// The files of a commit: by the hub's list, else as the repo's description names them. A
    /// mirror may have neither; of a model the files are then asked for by their names.
    pub fn listing(&self, repo: &Repo, commit: &str) -> Result<Listing, HubError> {
        let fault = match self.tree(repo, commit) {
            Err(fault) if fault.is_of_a_mirror() => fault,
            done => return done,
        };
        match self.siblings(repo, commit) {
            Ok(listing) => Ok(listing),
            Err(other) if other.is_passing() => Err(other),
            Err(_) if repo.kind == RepoKind::Model => self.listing_by_name(repo, commit, fault),
            Err(_) => Err(match self.probe(repo, commit) {
                Some(_) => HubError::NoList {
                    endpoint: self.endpoint.clone(),
                    repo: repo.title(),
                },
                None => fault,
            }),
        }
    }

    /// The files as the repo's description names them.
    fn siblings(&self, repo: &Repo, commit: &str) -> Result<Listing, HubError> {
        let what = format!("the description of {}", repo.title());
        let mut fault = None;
        for revision in [commit, &repo.revision] {
            let at = repo.at(revision);
            let url = format!("{}?blobs=true", self.api(&at));
            let subject = RequestSubject {
                repo: &at,
                file: None,
            };
            let found = self
                .get(&url, &[], &subject)
                .and_then(|answer| read_json::<Description>(answer.response, &what))
                .and_then(|found| match found.siblings {
                    Some(siblings) if found.sha == commit => Listing::of_siblings(siblings)
                        .map_err(|reason| foreign_answer(&what, &reason)),
                    _ => Err(foreign_answer(&what, "it names no files of the commit")),
                });
            match found {
                Ok(listing) => return Ok(listing),
                Err(error) => fault = Some(error),
            }
        }
        Err(fault.unwrap_or_else(|| foreign_answer(&what, "it names no files")))
    }

    /// The files that a model may have, each asked for; the fault where none is there.
    fn listing_by_name(
        &self,
        repo: &Repo,
        commit: &str,
        fault: HubError,
    ) -> Result<Listing, HubError> {
        let mut listing = Listing::by_name();
        for name in MODEL_FILES {
            match self.about(repo, commit, name) {
                Ok(about) => listing = listing.with(RepoFile::asked(name, about.size, about.hash)),
                Err(absent) if absent.is_of_a_mirror() => {}
                Err(other) => return Err(other),
            }
        }
        if listing.files.is_empty() {
            return Err(fault);
        }
        Ok(listing)
    }

    /// The commit of a revision as a file has it that most repos have.
    fn probe(&self, repo: &Repo, revision: &str) -> Option<String> {
        let files: &[&str] = match repo.kind {
            RepoKind::Model => &["config.json", "tokenizer.json", "README.md"],
            RepoKind::Dataset => &["README.md", ".gitattributes"],
        };
        let commit = |file: &&str| self.about(repo, revision, file).ok()?.commit;
        files
            .iter()
            .find_map(commit)
            .filter(|commit| is_commit(commit))
    }

    /// What is told of a file without the file itself: its commit, length and hash.
    pub fn about(&self, repo: &Repo, revision: &str, file: &str) -> Result<FileAbout, HubError> {
        let at = repo.at(revision);
        let subject = RequestSubject {
            repo: &at,
            file: Some(file),
        };
        self.head(&self.address(repo, revision, file), &subject)
    }

    /// The address of a repo's description at its revision.
    fn api(&self, repo: &Repo) -> String {
        format!("{}/api/{}", self.endpoint, repo.as_hf_hub().api_url())
    }

    /// The list of files of a commit, page by page.
    fn tree(&self, repo: &Repo, commit: &str) -> Result<Listing, HubError> {
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
            next = self
                .next_page(&url, &response)
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

/// A repo as the hub describes it.
#[derive(Deserialize)]
struct Description {
    sha: String,
    siblings: Option<Vec<Sibling>>,
}

impl Client {
    /// Where the list goes on after the page at `url`; nothing after the last. Always at the
    /// endpoint: a mirror hands on the hub's own link, which leads to the hub.
    fn next_page(&self, url: &str, response: &Response) -> Result<Option<String>, url::ParseError> {
        let Some(link) = response.header("link").and_then(next_link) else {
            return Ok(None);
        };
        let link = Url::parse(url)?.join(&link)?;
        let query = link
            .query()
            .map_or_else(String::new, |query| format!("?{query}"));
        let path = match link.path().split_once("/api/") {
            Some((_, path)) => format!("{}/api/{path}", self.endpoint),
            None => url.split('?').next().unwrap_or(url).to_owned(),
        };
        Ok(Some(path + &query))
    }
}

/// The address of `rel="next"` in a Link header.
fn next_link(header: &str) -> Option<String> {
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
