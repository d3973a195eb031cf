//! A server that answers like the Hugging Face hub: commits, lists of files in pages, files behind
//! redirects to another host, ranges; and that fails as it is told to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use kdpipe::digest::hex;
use sha1::{Digest, Sha1};

use super::answers::answer;
use super::sending::send;

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
        let commit = hex(&hash.finalize());
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
