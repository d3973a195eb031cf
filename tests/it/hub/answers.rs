//! What the server answers as the hub does: commits, lists of files, and the files themselves.

use std::collections::BTreeMap;

use kdpipe::digest::{hex, sha256};
use serde_json::json;
use sha1::{Digest, Sha1};

use super::server::{Request, ServedRepo};

/// An answer before any fault.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn new(
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

    fn missing(code: &str) -> Self {
        Self::new(404, vec![("X-Error-Code", code.to_owned())], "not found")
    }
}

/// A request for something of a known repo.
struct RepoRequest<'a> {
    request: &'a Request,
    port: u16,
    /// `models` or `datasets`.
    kind: &'a str,
    name: &'a str,
    repo: &'a ServedRepo,
    is_api: bool,
    /// `revision`, `tree`, `resolve` or `small`.
    what: &'a str,
    rest: &'a str,
}

pub fn answer(request: &Request, port: u16, repos: &BTreeMap<String, ServedRepo>) -> Reply {
    let path = request.path.split('?').next().unwrap_or_default();
    let path = path.trim_start_matches('/');
    if let Some(hash) = path.strip_prefix("store/") {
        return of_the_store(request, hash, repos);
    }
    let is_api = path.starts_with("api/");
    let path = path
        .strip_prefix("api/")
        .unwrap_or(path)
        .replace("%2F", "/")
        .replace("%20", " ");
    let kind = if path.starts_with("datasets/") {
        "datasets"
    } else {
        "models"
    };
    let rest = path.strip_prefix(&format!("{kind}/")).unwrap_or(&path);
    let known = repos.iter().find_map(|(name, repo)| {
        let name = name.strip_prefix(kind)?.strip_prefix('/')?;
        Some((name, repo, rest.strip_prefix(name)?.strip_prefix('/')?))
    });
    let Some((name, repo, rest)) = known else {
        return Reply::missing("RepoNotFound");
    };
    let (what, rest) = rest.split_once('/').unwrap_or((rest, "main"));
    let asked = RepoRequest {
        request,
        port,
        kind,
        name,
        repo,
        is_api,
        what,
        rest,
    };
    if let Some(refusal) = asked.refusal() {
        return refusal;
    }
    match (is_api, what) {
        (true, "revision") => asked.description(),
        (true, "tree") => asked.tree(),
        (_, "resolve" | "small") => asked.file(),
        _ => Reply::missing("RevisionNotFound"),
    }
}

/// Another host: it knows no token, and gives an etag of its own.
fn of_the_store(request: &Request, hash: &str, repos: &BTreeMap<String, ServedRepo>) -> Reply {
    let found = repos
        .values()
        .flat_map(|repo| repo.commits.values())
        .flat_map(BTreeMap::values)
        .find(|bytes| sha256(bytes) == hash);
    match found {
        Some(bytes) => ranged(request, bytes, "\"of-the-store\""),
        None => Reply::new(403, vec![], ""),
    }
}

impl RepoRequest<'_> {
    /// What those get whose token does not open the repo.
    fn refusal(&self) -> Option<Reply> {
        let (repo, headers) = (self.repo, &self.request.headers);
        let token = headers
            .get("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        let is_open = repo.token.is_none() || repo.token.as_deref() == token;
        if is_open || repo.gated && self.is_api {
            return None;
        }
        let code = if repo.gated {
            ("X-Error-Code", "GatedRepo".to_owned())
        } else {
            ("X-Error-Message", "Invalid username".to_owned())
        };
        let status = if repo.gated && token.is_some() {
            403
        } else {
            401
        };
        Some(Reply::new(status, vec![code], ""))
    }

    /// The commit that a branch is at, or that a commit is.
    fn commit_of(&self, revision: &str) -> Option<&str> {
        let branch = self.repo.branches.get(revision);
        let commit = self.repo.commits.get_key_value(revision);
        branch
            .or(commit.map(|(commit, _)| commit))
            .map(String::as_str)
    }

    fn description(&self) -> Reply {
        let Some(commit) = self.commit_of(self.rest) else {
            return Reply::missing("RevisionNotFound");
        };
        let siblings: Vec<_> = self.repo.commits[commit]
            .keys()
            .map(|name| json!({ "rfilename": name }))
            .collect();
        let about = json!({ "id": self.name, "sha": commit, "siblings": siblings });
        Reply::new(200, vec![], about.to_string())
    }

    fn tree(&self) -> Reply {
        let Some(commit) = self.commit_of(self.rest) else {
            return Reply::missing("RevisionNotFound");
        };
        let address = format!(
            "http://127.0.0.1:{}/api/{}/{}/tree/{}",
            self.port, self.kind, self.name, self.rest
        );
        let query = self
            .request
            .path
            .split_once('?')
            .map_or("", |(_, query)| query);
        tree(&self.repo.commits[commit], query, &address)
    }

    /// A file, or where it is: small ones lie with the hub, large ones in the store.
    fn file(&self) -> Reply {
        let mut revisions = self.repo.branches.keys().chain(self.repo.commits.keys());
        let revision_and_file = revisions.find_map(|revision| {
            let file = self
                .rest
                .strip_prefix(revision.as_str())?
                .strip_prefix('/')?;
            Some((revision, file))
        });
        let Some((revision, file)) = revision_and_file else {
            return Reply::missing("RevisionNotFound");
        };
        let commit = self.commit_of(revision).expect("a known revision");
        let Some(bytes) = self.repo.commits[commit].get(file) else {
            return Reply::missing("EntryNotFound");
        };
        let etag = format!("\"{}\"", etag(file, bytes));
        let from_commit = ("X-Repo-Commit", commit.to_owned());
        if self.what == "small" {
            let mut answer = ranged(self.request, bytes, &etag);
            answer.headers.push(from_commit);
            return answer;
        }
        // Both have bodies of their own, which are not the file's.
        let (status, location) = if is_large(file) {
            (302, self.address_in_store(bytes))
        } else {
            (307, self.address_of_small(commit, file))
        };
        let headers = vec![
            from_commit,
            ("X-Linked-Etag", etag),
            ("X-Linked-Size", bytes.len().to_string()),
            ("Location", location),
        ];
        Reply::new(status, headers, "see there")
    }

    fn address_in_store(&self, bytes: &[u8]) -> String {
        format!(
            "http://localhost:{}/store/{}?signature=secret-of-the-store",
            self.port,
            sha256(bytes)
        )
    }

    fn address_of_small(&self, commit: &str, file: &str) -> String {
        let prefix = if self.kind == "datasets" {
            "/datasets"
        } else {
            ""
        };
        format!("{prefix}/{}/small/{commit}/{file}", self.name)
    }
}

/// The list in pages of three.
fn tree(files: &BTreeMap<String, Vec<u8>>, query: &str, address: &str) -> Reply {
    let from: usize = query
        .split('&')
        .find_map(|part| part.strip_prefix("cursor=")?.parse().ok())
        .unwrap_or(0);
    let entry = |(name, bytes): (&String, &Vec<u8>)| {
        let (git, size) = (git_hash(bytes), bytes.len());
        let mut entry = json!({ "type": "file", "oid": git, "size": size, "path": name });
        if is_large(name) {
            entry["lfs"] = json!({ "oid": sha256(bytes), "size": size, "pointerSize": 134 });
        }
        entry
    };
    let mut page: Vec<_> = files.iter().skip(from).take(3).map(entry).collect();
    page.push(json!({ "type": "directory", "oid": "0", "size": 0, "path": "folder" }));
    let more = format!(
        "<{address}?recursive=true&cursor={}>; rel=\"next\"",
        from + 3
    );
    let headers = if from + 3 < files.len() {
        vec![("Link", more)]
    } else {
        vec![]
    };
    Reply::new(200, headers, serde_json::Value::from(page).to_string())
}

fn ranged(request: &Request, bytes: &[u8], etag: &str) -> Reply {
    let mut headers = vec![
        ("ETag", etag.to_owned()),
        ("Accept-Ranges", "bytes".to_owned()),
    ];
    let from = request.headers.get("range").and_then(|range| {
        range
            .strip_prefix("bytes=")?
            .split('-')
            .next()?
            .parse::<usize>()
            .ok()
    });
    let same = request
        .headers
        .get("if-range")
        .is_none_or(|known| known == etag);
    match from.filter(|_| same) {
        Some(from) if from >= bytes.len() => Reply::new(416, headers, ""),
        Some(from) => {
            headers.push((
                "Content-Range",
                format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len()),
            ));
            Reply::new(206, headers, &bytes[from..])
        }
        None => Reply::new(200, headers, bytes),
    }
}

fn is_large(name: &str) -> bool {
    name.ends_with(".parquet") || name.ends_with(".safetensors")
}

pub fn etag(name: &str, bytes: &[u8]) -> String {
    if is_large(name) {
        sha256(bytes)
    } else {
        git_hash(bytes)
    }
}

fn git_hash(bytes: &[u8]) -> String {
    hex(&Sha1::new_with_prefix(format!("blob {}\0", bytes.len()))
        .chain_update(bytes)
        .finalize())
}
