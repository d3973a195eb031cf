//! A server that answers like the Hugging Face hub: commits, lists of files in pages, files behind
//! redirects to another host, ranges; and that fails as it is told to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use sha1::{Digest, Sha1};
use sha2::Sha256;

/// A repo: its branches, and the files of each commit.
#[derive(Debug, Clone, Default)]
pub struct ServedRepo {
    pub branches: BTreeMap<String, String>,
    pub commits: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    /// The token that opens it.
    pub token: Option<String>,
    pub gated: bool,
}

/// What a server does wrong.
#[derive(Debug, Clone)]
pub enum ServerFault {
    /// A status, with a header.
    Status(u16, &'static str, &'static str),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// A body that is announced and sent too short.
    Short(usize),
    /// Bytes more than there should be, announced.
    Long(usize),
    /// The same without an announcement.
    LongUnannounced(usize),
    /// The right length and a wrong byte.
    Wrong,
    NoEtag,
    /// Compressed, though that was not asked for.
    Gzip,
    /// The whole file, whatever range was asked for.
    NoRange,
    /// Another body than asked for.
    Json(&'static str),
}

#[derive(Debug, Clone)]
struct Rule {
    path: String,
    fault: ServerFault,
    times: usize,
}

#[derive(Default)]
struct ServerState {
    repos: BTreeMap<String, ServedRepo>,
    rules: Vec<Rule>,
    log: Vec<Request>,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
}

pub struct Server {
    /// As HF_ENDPOINT has it.
    pub address: String,
    port: u16,
    state: Arc<Mutex<ServerState>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (state, stop) = (
            Arc::new(Mutex::new(ServerState::default())),
            Arc::new(AtomicBool::new(false)),
        );
        let (its_state, its_stop) = (Arc::clone(&state), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if its_stop.load(Ordering::SeqCst) {
                    break;
                }
                let state = Arc::clone(&its_state);
                std::thread::spawn(move || serve(stream, port, &state));
            }
        });
        Self {
            address: format!("http://127.0.0.1:{port}"),
            port,
            state,
            stop,
            thread: Some(thread),
        }
    }

    /// Puts files on a branch of `models/NAME` or `datasets/NAME`, as a new commit, and tells its
    /// name.
    pub fn commit(&self, repo: &str, branch: &str, files: &[(&str, Vec<u8>)]) -> String {
        let files: BTreeMap<String, Vec<u8>> = files
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), bytes.clone()))
            .collect();
        let mut hash = Sha1::new_with_prefix(repo);
        files
            .iter()
            .for_each(|(name, bytes)| hash.update([name.as_bytes(), bytes].concat()));
        let commit = hexadecimal(&hash.finalize());
        let mut state = self.state.lock().expect("the state");
        let repo = state.repos.entry(repo.to_owned()).or_default();
        repo.branches.insert(branch.to_owned(), commit.clone());
        repo.commits.insert(commit.clone(), files);
        commit
    }

    /// Changes a repo.
    pub fn change(&self, repo: &str, change: impl FnOnce(&mut ServedRepo)) {
        change(
            self.state
                .lock()
                .expect("the state")
                .repos
                .get_mut(repo)
                .expect("a repo"),
        );
    }

    /// Does something wrong in the first `times` answers whose path holds `path`.
    pub fn fail(&self, path: &str, fault: ServerFault, times: usize) {
        self.state.lock().expect("the state").rules.push(Rule {
            path: path.to_owned(),
            fault,
            times,
        });
    }

    pub fn heal(&self) {
        self.state.lock().expect("the state").rules.clear();
    }

    /// The requests since the last call.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.lock().expect("the state").log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An answer before any fault.
struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Reply {
    fn new(status: u16, headers: Vec<(&'static str, String)>, body: impl Into<Vec<u8>>) -> Self {
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

fn serve(mut stream: TcpStream, port: u16, state: &Mutex<ServerState>) {
    let Some(request) = read(&stream) else { return };
    let (answer, fault) = {
        let mut state = state.lock().expect("the state");
        state.log.push(request.clone());
        let rule = state
            .rules
            .iter_mut()
            .find(|rule| rule.times > 0 && request.path.contains(&rule.path));
        let fault = rule.map(|rule| {
            rule.times -= 1;
            rule.fault.clone()
        });
        let mut asked = request.clone();
        if matches!(fault, Some(ServerFault::NoRange)) {
            asked.headers.remove("range");
        }
        (answer(&asked, port, &state.repos), fault)
    };
    send(&mut stream, &request, answer, fault);
    let _ = stream.shutdown(Shutdown::Write);
    // What the client still sends is read, so that it gets the answer and no reset.
    let _ = stream.set_read_timeout(Some(std::time::Duration::from_millis(50)));
    let _ = stream.read(&mut [0; 64]);
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    for line in lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
    {
        let (name, value) = line.split_once(':')?;
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    Some(Request {
        method,
        path,
        headers,
    })
}

fn answer(request: &Request, port: u16, repos: &BTreeMap<String, ServedRepo>) -> Reply {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let path = path.trim_start_matches('/');
    if let Some(hash) = path.strip_prefix("store/") {
        // Another host: it knows no token, and gives an etag of its own.
        let found = repos
            .values()
            .flat_map(|repo| repo.commits.values())
            .flat_map(BTreeMap::values)
            .find(|bytes| sha256(bytes) == hash);
        return found.map_or_else(
            || Reply::new(403, vec![], ""),
            |bytes| ranged(request, bytes, "\"of-the-store\""),
        );
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
    let rest = path
        .strip_prefix(&format!("{kind}/"))
        .unwrap_or(&path)
        .to_owned();
    let known = repos.iter().find_map(|(name, repo)| {
        let name = name.strip_prefix(kind)?.strip_prefix('/')?;
        Some((
            name,
            repo,
            rest.strip_prefix(name)?.strip_prefix('/')?.to_owned(),
        ))
    });
    let Some((name, repo, rest)) = known else {
        return Reply::missing("RepoNotFound");
    };
    let token = request
        .headers
        .get("authorization")
        .and_then(|value| value.strip_prefix("Bearer "));
    if repo.token.is_some() && repo.token.as_deref() != token && (!repo.gated || !is_api) {
        let code = if repo.gated {
            ("X-Error-Code", "GatedRepo".to_owned())
        } else {
            ("X-Error-Message", "Invalid username".to_owned())
        };
        return Reply::new(
            if repo.gated && token.is_some() {
                403
            } else {
                401
            },
            vec![code],
            "",
        );
    }
    let commit_of = |revision: &str| -> Option<String> {
        let branch = repo.branches.get(revision).cloned();
        branch.or_else(|| {
            repo.commits
                .contains_key(revision)
                .then(|| revision.to_owned())
        })
    };
    let (what, rest) = rest.split_once('/').unwrap_or((&rest, "main"));
    if is_api && what == "revision" {
        let Some(commit) = commit_of(rest) else {
            return Reply::missing("RevisionNotFound");
        };
        let siblings: Vec<_> = repo.commits[&commit]
            .keys()
            .map(|name| serde_json::json!({ "rfilename": name }))
            .collect();
        return Reply::new(
            200,
            vec![],
            serde_json::json!({ "id": name, "sha": commit, "siblings": siblings }).to_string(),
        );
    }
    if is_api && what == "tree" {
        let Some(commit) = commit_of(rest) else {
            return Reply::missing("RevisionNotFound");
        };
        return tree(
            &repo.commits[&commit],
            query,
            &format!("http://127.0.0.1:{port}/api/{kind}/{name}/tree/{rest}"),
        );
    }
    let revision_and_file = repo
        .branches
        .keys()
        .chain(repo.commits.keys())
        .find_map(|revision| {
            Some((
                revision,
                rest.strip_prefix(revision.as_str())?.strip_prefix('/')?,
            ))
        });
    let Some((revision, file)) = revision_and_file.filter(|_| what == "resolve" || what == "small")
    else {
        return Reply::missing("RevisionNotFound");
    };
    let commit = commit_of(revision).expect("a known revision");
    let Some(bytes) = repo.commits[&commit].get(file) else {
        return Reply::missing("EntryNotFound");
    };
    let (etag, size) = (
        format!("\"{}\"", etag(file, bytes)),
        bytes.len().to_string(),
    );
    if what == "small" {
        let mut answer = ranged(request, bytes, &etag);
        answer.headers.push(("X-Repo-Commit", commit.clone()));
        return answer;
    }
    let headers = vec![
        ("X-Repo-Commit", commit.clone()),
        ("X-Linked-Etag", etag),
        ("X-Linked-Size", size),
    ];
    // Both have bodies of their own, which are not the file's.
    let (status, location) = if is_large(file) {
        (
            302,
            format!(
                "http://localhost:{port}/store/{}?signature=secret-of-the-store",
                sha256(bytes)
            ),
        )
    } else {
        let prefix = if kind == "datasets" { "/datasets" } else { "" };
        (307, format!("{prefix}/{name}/small/{commit}/{file}"))
    };
    Reply::new(
        status,
        [headers, vec![("Location", location)]].concat(),
        "see there",
    )
}

/// The list in pages of three.
fn tree(files: &BTreeMap<String, Vec<u8>>, query: &str, address: &str) -> Reply {
    let from: usize = query
        .split('&')
        .find_map(|part| part.strip_prefix("cursor=")?.parse().ok())
        .unwrap_or(0);
    let entry = |(name, bytes): (&String, &Vec<u8>)| {
        let git = git_hash(bytes);
        if is_large(name) {
            let large = serde_json::json!({ "oid": sha256(bytes), "size": bytes.len(), "pointerSize": 134 });
            serde_json::json!({ "type": "file", "oid": git, "size": bytes.len(), "lfs": large, "path": name })
        } else {
            serde_json::json!({ "type": "file", "oid": git, "size": bytes.len(), "path": name })
        }
    };
    let mut page: Vec<_> = files.iter().skip(from).take(3).map(entry).collect();
    page.push(serde_json::json!({ "type": "directory", "oid": "0", "size": 0, "path": "folder" }));
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

fn send(stream: &mut TcpStream, request: &Request, mut answer: Reply, fault: Option<ServerFault>) {
    let mut announced = Some(answer.body.len());
    let mut sent = usize::MAX;
    match fault {
        None => {}
        Some(ServerFault::Status(status, name, value)) => {
            answer = Reply::new(status, vec![(name, value.to_owned())], "a fault");
            announced = Some(7);
        }
        Some(ServerFault::Cut(at)) => sent = at,
        Some(ServerFault::Short(length)) => {
            answer.body.truncate(length);
            announced = Some(answer.body.len());
        }
        Some(ServerFault::Long(more)) => {
            answer.body.extend(vec![b'x'; more]);
            announced = Some(answer.body.len());
        }
        Some(ServerFault::LongUnannounced(more)) => {
            answer.body.extend(vec![b'x'; more]);
            announced = None;
        }
        Some(ServerFault::Wrong) => {
            let middle = answer.body.len() / 2;
            answer.body[middle] ^= 1;
        }
        Some(ServerFault::NoEtag) => answer
            .headers
            .retain(|(name, _)| !name.to_lowercase().contains("etag")),
        Some(ServerFault::Gzip) => {
            answer.body = gzip(&answer.body);
            announced = Some(answer.body.len());
            answer.headers.push(("Content-Encoding", "gzip".to_owned()));
        }
        Some(ServerFault::NoRange) => {}
        Some(ServerFault::Json(text)) => {
            answer = Reply::new(200, vec![], text);
            announced = Some(text.len());
        }
    }
    let mut head = format!("HTTP/1.1 {} x\r\nConnection: close\r\n", answer.status);
    answer
        .headers
        .iter()
        .for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    if let Some(length) = announced {
        head.push_str(&format!("Content-Length: {length}\r\n"));
    }
    let _ = stream.write_all(format!("{head}\r\n").as_bytes());
    if request.method != "HEAD" {
        let _ = stream.write_all(&answer.body[..answer.body.len().min(sent)]);
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

fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn git_hash(bytes: &[u8]) -> String {
    hexadecimal(
        &Sha1::new_with_prefix(format!("blob {}\0", bytes.len()))
            .chain_update(bytes)
            .finalize(),
    )
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Stored, not compressed: the form is what counts.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks: Vec<&[u8]> = if bytes.is_empty() {
        vec![bytes]
    } else {
        bytes.chunks(60_000).collect()
    };
    for (at, block) in blocks.iter().enumerate() {
        let length = block.len() as u16;
        out.push(u8::from(at + 1 == blocks.len()));
        out.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
        out.extend(*block);
    }
    let crc = bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    });
    out.extend([(!crc).to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat());
    out
}
