//! Whatever the hub or the network does wrong, a file is whole or there is an error that says what
//! to do; and what can pass is tried again.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use kdpipe::hub::{Hub, News, Repo};

use super::answers::etag;
use super::server::{Server, ServerFault};
use super::shelf::settings;

pub const NAME: &str = "models/o/m";
pub const FILE: &str = "model.safetensors";
pub const ALWAYS: usize = usize::MAX;

/// Bytes that no piece of repeats.
pub fn content() -> Vec<u8> {
    (0..3000u32)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect()
}

pub fn server() -> Server {
    let server = Server::start();
    server.commit(
        NAME,
        "main",
        &[
            (FILE, content()),
            ("config.json", b"{}".to_vec()),
            ("a/b c.txt", b"text".to_vec()),
            ("empty", Vec::new()),
        ],
    );
    server
}

/// Fetches a file with a hub of its own.
pub fn fetch(server: &Server, cache: &Path, file: &str) -> Result<Vec<u8>, String> {
    fetch_from(&Hub::quiet(settings(server, cache), Vec::new()), file)
}

pub fn fetch_from(hub: &Hub, file: &str) -> Result<Vec<u8>, String> {
    let repo = Repo::model("o/m", "main");
    let path = hub
        .commit(&repo)
        .map_err(anyhow::Error::from)
        .and_then(|commit| hub.file(&repo, &commit, file));
    path.map(|path| std::fs::read(path).expect("a file"))
        .map_err(|error| format!("{error:#}"))
}

/// Files below the cache that are neither whole nor waiting to be.
pub fn strays(cache: &Path) -> Vec<String> {
    let folder = cache.join("models--o--m/.kdpipe");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.ends_with(".part")).collect()
}

#[test]
fn files_lie_where_the_python_library_looks_for_them() {
    let (server, cache) = (server(), tempfile::tempdir().unwrap());
    for (file, bytes) in [
        (FILE, content()),
        ("config.json", b"{}".to_vec()),
        ("a/b c.txt", b"text".to_vec()),
        ("empty", Vec::new()),
    ] {
        assert_eq!(fetch(&server, cache.path(), file).unwrap(), bytes, "{file}");
        let folder = cache.path().join("models--o--m");
        let commit = std::fs::read_to_string(folder.join("refs/main")).unwrap();
        let link = folder.join("snapshots").join(&commit).join(file);
        let blob = folder.join("blobs").join(etag(file, &bytes));
        assert!(std::fs::read_link(&link).unwrap().is_relative());
        assert_eq!(link.canonicalize().unwrap(), blob.canonicalize().unwrap());
    }
    assert_eq!(strays(cache.path()), Vec::<String>::new());
    // What is there is not asked for again; only the branch may have moved.
    server.requests();
    fetch(&server, cache.path(), FILE).unwrap();
    let paths: Vec<String> = server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(paths, ["/api/models/o/m/revision/main"]);
}

#[test]
fn what_passes_is_tried_again_and_goes_on_from_where_it_was() {
    let whole = content();
    for fault in [
        ServerFault::Status(500, "x", "y"),
        ServerFault::Status(503, "Retry-After", "0"),
        ServerFault::Status(429, "Retry-After", "0"),
        ServerFault::Cut(0),
        ServerFault::Cut(1),
        ServerFault::Cut(7777),
        ServerFault::Cut(whole.len() - 1),
        ServerFault::Short(5000),
        ServerFault::NoEtag,
        ServerFault::Gzip,
        ServerFault::Wrong,
    ] {
        for times in [1, 2] {
            if times == 2 && matches!(fault, ServerFault::Wrong) {
                continue;
            }
            let (server, cache) = (server(), tempfile::tempdir().unwrap());
            for path in ["/store/", "/resolve/", "/tree/", "/revision/"] {
                if !matches!(fault, ServerFault::Wrong | ServerFault::Short(_)) || path == "/store/"
                {
                    server.fail(path, fault.clone(), times);
                }
            }
            assert_eq!(
                fetch(&server, cache.path(), FILE),
                Ok(whole.clone()),
                "{fault:?} {times}"
            );
            assert_eq!(strays(cache.path()), Vec::<String>::new(), "{fault:?}");
        }
    }
}

#[test]
fn a_cut_anywhere_is_resumed_by_the_next_process_with_a_range() {
    let whole = content();
    let (server, cache) = (server(), tempfile::tempdir().unwrap());
    server.fail("/store/", ServerFault::Cut(100), ALWAYS);
    let error = fetch(&server, cache.path(), FILE).unwrap_err();
    assert!(
        error.starts_with(
            "only 500 of the 12000 bytes of model.safetensors of the model o/m came ("
        ),
        "{error}"
    );
    assert!(
        error.ends_with("run the same command again, it goes on from there"),
        "{error}"
    );
    server.heal();
    server.requests();
    assert_eq!(fetch(&server, cache.path(), FILE).unwrap(), whole);
    let ranges: Vec<Option<String>> = server
        .requests()
        .iter()
        .filter(|request| request.path.contains("/store/"))
        .map(|request| request.headers.get("range").cloned())
        .collect();
    assert_eq!(ranges, [Some("bytes=500-".to_owned())]);
    // A server that knows no ranges sends everything.
    let again = tempfile::tempdir().unwrap();
    server.fail("/store/", ServerFault::Cut(100), 1);
    server.fail("/store/", ServerFault::NoRange, ALWAYS);
    assert_eq!(fetch(&server, again.path(), FILE).unwrap(), whole);
}

const PATH_ABOVE: &str = r#"[{"type": "file", "path": "../x",
    "oid": "ce013625030ba8dba906f756967f9e9ca394464a", "size": 1}]"#;
const PATH_FROM_THE_ROOT: &str = r#"[{"type": "file", "path": "/etc/x",
    "oid": "ce013625030ba8dba906f756967f9e9ca394464a", "size": 1}]"#;

/// Where the server fails, how, and what the error says. No try does better.
const LASTING: [(&str, ServerFault, &str); 16] = [
    (
        "/store/",
        ServerFault::Wrong,
        "came with another content than the hub's list says",
    ),
    (
        "/store/",
        ServerFault::Long(1),
        "has 12000 bytes on the hub's list, and 12001 or more were sent",
    ),
    (
        "/store/",
        ServerFault::LongUnannounced(4),
        "has 12000 bytes on the hub's list, and 120",
    ),
    ("/store/", ServerFault::Short(50), "only "),
    (
        "/store/",
        ServerFault::Status(500, "x", "y"),
        "is in trouble (status 500); try again later",
    ),
    (
        "/store/",
        ServerFault::Status(403, "x", "y"),
        "is in trouble (status 403)",
    ),
    (
        "/store/",
        ServerFault::Status(302, "Location", "/store/again"),
        "sends on without end",
    ),
    (
        "/store/",
        ServerFault::Status(302, "Location", "file:///etc/passwd"),
        "sends on to no address that can be followed",
    ),
    (
        "/resolve/",
        ServerFault::Status(429, "x", "y"),
        "too many requests from here (429); try again later, or set HF_TOKEN",
    ),
    (
        "/resolve/",
        ServerFault::Status(404, "X-Error-Code", "EntryNotFound"),
        "has no file model.safetensors",
    ),
    (
        "/resolve/",
        ServerFault::Status(403, "X-Error-Code", "GatedRepo"),
        "accept them at http://127.0.0.1:",
    ),
    (
        "/revision/",
        ServerFault::Json("<html>Log in</html>"),
        "is not what a hub answers",
    ),
    (
        "/revision/",
        ServerFault::Json(r#"{"sha": "../../x", "siblings": []}"#),
        "its commit is no commit",
    ),
    (
        "/tree/",
        ServerFault::Json(PATH_ABOVE),
        "does not lie in the repo's folder",
    ),
    (
        "/tree/",
        ServerFault::Json(PATH_FROM_THE_ROOT),
        "does not lie in the repo's folder",
    ),
    (
        "/tree/",
        ServerFault::Json(r#"[{"type": "file", "path": "x", "oid": "../x", "size": 1}]"#),
        "gives no hash",
    ),
];

#[test]
fn what_does_not_pass_is_an_error_and_leaves_no_file_that_looks_whole() {
    for (path, fault, expected) in LASTING {
        let (server, cache) = (server(), tempfile::tempdir().unwrap());
        server.fail(path, fault.clone(), ALWAYS);
        let error = fetch(&server, cache.path(), FILE).expect_err(expected);
        assert!(error.contains(expected), "{fault:?}: {error}");
        assert!(!error.contains("secret-of-the-store"), "{error}");
        assert!(
            !cache.path().join("models--o--m/snapshots").exists(),
            "{fault:?}"
        );
        assert_eq!(strays(cache.path()), Vec::<String>::new(), "{fault:?}");
        server.heal();
        assert_eq!(
            fetch(&server, cache.path(), FILE),
            Ok(content()),
            "after {fault:?}"
        );
    }
}

#[test]
fn many_at_once_fetch_a_file_once_and_all_get_it() {
    let (server, cache) = (server(), tempfile::tempdir().unwrap());
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| fetch(&server, cache.path(), FILE)))
            .collect();
        all.into_iter()
            .for_each(|one| assert_eq!(one.join().unwrap(), Ok(content())));
    });
    assert_eq!(
        server
            .requests()
            .iter()
            .filter(|request| request.path.contains("/store/"))
            .count(),
        1
    );
    assert_eq!(strays(cache.path()), Vec::<String>::new());
}

#[test]
fn progress_is_told_and_a_stop_keeps_what_came() {
    let (server, cache) = (server(), tempfile::tempdir().unwrap());
    let news = Mutex::new(Vec::new());
    let stop = AtomicBool::new(false);
    let listener = |told: &News| news.lock().unwrap().push(format!("{told:?}"));
    server.fail("/store/", ServerFault::Cut(6000), 1);
    fetch_from(
        &Hub::new(
            settings(&server, cache.path()),
            Vec::new(),
            &listener,
            &stop,
        ),
        FILE,
    )
    .unwrap();
    let told = news.lock().unwrap().join("\n");
    assert!(
        told.contains("only 6000 of the 12000 bytes")
            && told.ends_with("done: 12000, total: 12000 }"),
        "{told}"
    );
    let (other, stopped) = (tempfile::tempdir().unwrap(), AtomicBool::new(true));
    let error = fetch_from(
        &Hub::new(
            settings(&server, other.path()),
            Vec::new(),
            &listener,
            &stopped,
        ),
        FILE,
    )
    .unwrap_err();
    assert_eq!(error, "stopped; what was fetched is kept");
}
