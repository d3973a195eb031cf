//! Whatever the hub or the network does wrong, a file is whole or there is an error that says what
//! to do; and what can pass is tried again.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use kdpipe::hub::{Hub, News, Repo};

use super::server::{Server, ServerFault, etag};
use super::shelf::settings;

const NAME: &str = "models/o/m";
const FILE: &str = "model.safetensors";
const ALWAYS: usize = usize::MAX;

/// Bytes that no piece of repeats.
fn content() -> Vec<u8> {
    (0..3000u32)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect()
}

fn server() -> Server {
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
fn fetch(server: &Server, cache: &Path, file: &str) -> Result<Vec<u8>, String> {
    fetch_from(&Hub::quiet(settings(server, cache), Vec::new()), file)
}

fn fetch_from(hub: &Hub, file: &str) -> Result<Vec<u8>, String> {
    let repo = Repo::model("o/m", "main");
    let path = hub
        .commit(&repo)
        .map_err(anyhow::Error::from)
        .and_then(|commit| hub.file(&repo, &commit, file));
    path.map(|path| std::fs::read(path).expect("a file"))
        .map_err(|error| format!("{error:#}"))
}

/// Files below the cache that are neither whole nor waiting to be.
fn strays(cache: &Path) -> Vec<String> {
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

#[test]
fn what_does_not_pass_is_an_error_and_leaves_no_file_that_looks_whole() {
    for (path, fault, expected) in [
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
            ServerFault::Json(
                r#"[{"type": "file", "path": "../x", "oid": "ce013625030ba8dba906f756967f9e9ca394464a", "size": 1}]"#,
            ),
            "does not lie in the repo's folder",
        ),
        (
            "/tree/",
            ServerFault::Json(
                r#"[{"type": "file", "path": "/etc/x", "oid": "ce013625030ba8dba906f756967f9e9ca394464a", "size": 1}]"#,
            ),
            "does not lie in the repo's folder",
        ),
        (
            "/tree/",
            ServerFault::Json(r#"[{"type": "file", "path": "x", "oid": "../x", "size": 1}]"#),
            "gives no hash",
        ),
    ] {
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
fn what_does_not_fit_the_disk_is_refused_before_a_byte_of_it_comes() {
    let (server, cache) = (server(), tempfile::tempdir().unwrap());
    let listed = format!(
        r#"[{{"type": "file", "path": "{FILE}", "oid": "ce013625030ba8dba906f756967f9e9ca394464a", "size": 9000000000000000}}]"#
    );
    server.fail("/tree/", ServerFault::Json(listed.leak()), ALWAYS);
    let error = fetch(&server, cache.path(), FILE).unwrap_err();
    assert!(
        error.starts_with("the model o/m needs 9000000.0 GB more of disk below "),
        "{error}"
    );
    assert!(
        error.ends_with(" are free; make room, or set HF_HOME to a folder on another disk"),
        "{error}"
    );
    assert!(server.requests().iter().all(|request| !request.path.contains("/resolve/") && !request.path.contains("/store/")));
    assert_eq!(strays(cache.path()), Vec::<String>::new());
}

#[test]
fn what_is_not_there_or_not_open_is_named_with_the_remedy() {
    let (server, cache) = (server(), tempfile::tempdir().unwrap());
    let ask = |name: &str, revision: &str, file: &str, token: Option<&str>| {
        let hub = Hub::quiet(
            kdpipe::hub::Settings {
                token: token.map(str::to_owned),
                ..settings(&server, cache.path())
            },
            Vec::new(),
        );
        let repo = Repo::model(name, revision);
        let got = hub
            .commit(&repo)
            .map_err(anyhow::Error::from)
            .and_then(|commit| hub.file(&repo, &commit, file));
        got.map(|_| ()).map_err(|error| format!("{error:#}"))
    };
    assert_eq!(
        ask("o/none", "main", FILE, None).unwrap_err(),
        "the hub has no such repo: the model o/none; check the name at https://huggingface.co"
    );
    assert!(
        ask("o/m", "v2", FILE, None)
            .unwrap_err()
            .starts_with("the model o/m has no revision v2; write a branch, a tag or a commit")
    );
    assert_eq!(
        ask("o/m", "main", "no.txt", None).unwrap_err(),
        "the model o/m has no file no.txt at the revision main"
    );
    assert!(
        ask("../m", "main", FILE, None)
            .unwrap_err()
            .contains("is no repo of the hub; write OWNER/NAME")
    );
    server.change(NAME, |repo| repo.token = Some("hf_right".to_owned()));
    let error = ask("o/m", "main", FILE, None).unwrap_err();
    assert!(
        error.contains("or it is private")
            && error.contains("set HF_TOKEN to a token that may read http://127.0.0.1:"),
        "{error}"
    );
    let error = ask("o/m", "main", FILE, Some("hf_wrong")).unwrap_err();
    assert!(
        error.contains("the token does not open it") && !error.contains("hf_wrong"),
        "{error}"
    );
    server.change(NAME, |repo| repo.gated = true);
    let error = ask("o/m", "main", FILE, None).unwrap_err();
    assert!(
        error.contains("accept them at") && error.contains("and set HF_TOKEN"),
        "{error}"
    );
    assert!(
        ask("o/m", "main", FILE, Some("hf_wrong"))
            .unwrap_err()
            .contains("with the account of the token that is set")
    );
    server.requests();
    ask("o/m", "main", FILE, Some("hf_right")).unwrap();
    // The store is another host.
    for request in server.requests() {
        assert_eq!(
            request.headers.contains_key("authorization"),
            !request.path.contains("/store/"),
            "{}",
            request.path
        );
    }
}

#[test]
fn a_hub_that_is_gone_is_asked_a_few_times_and_then_no_more() {
    let cache = tempfile::tempdir().unwrap();
    let server = server();
    let hub = Hub::quiet(settings(&server, cache.path()), Vec::new());
    drop(server);
    let error = fetch_from(&hub, FILE).unwrap_err();
    assert!(
        error.starts_with("127.0.0.1:")
            && error.contains("cannot be reached (")
            && error.ends_with("or use what the cache has with --offline"),
        "{error}"
    );
    assert_eq!(fetch_from(&hub, "config.json").unwrap_err(), error);
}

#[test]
fn offline_nothing_is_asked_and_what_is_there_is_checked() {
    let (server, cache) = (server(), tempfile::tempdir().unwrap());
    let offline = || {
        Hub::quiet(
            kdpipe::hub::Settings {
                offline: true,
                ..settings(&server, cache.path())
            },
            Vec::new(),
        )
    };
    let error = fetch_from(&offline(), FILE).unwrap_err();
    assert_eq!(
        error,
        "the model o/m at the revision main is not in the hub's cache, and offline nothing is \
         fetched; run once without --offline (and HF_HUB_OFFLINE)"
    );
    fetch(&server, cache.path(), FILE).unwrap();
    server.requests();
    assert_eq!(fetch_from(&offline(), FILE).unwrap(), content());
    assert!(
        fetch_from(&offline(), "config.json")
            .unwrap_err()
            .starts_with("config.json of the model o/m is not in the hub's cache")
    );
    let blob = cache
        .path()
        .join("models--o--m/blobs")
        .join(etag(FILE, &content()));
    for (broken, reason) in [
        (
            content()[1..].to_vec(),
            "it has 11999 bytes where 12000 are right",
        ),
        (
            [&content()[1..], &b"x"[..]].concat(),
            "does not have the hash",
        ),
    ] {
        std::fs::write(&blob, &broken).unwrap();
        let error = fetch_from(&offline(), FILE).unwrap_err();
        assert!(
            error.contains("is damaged") && error.contains(reason),
            "{error}"
        );
    }
    assert!(server.requests().is_empty());
    // With the hub it is fetched again.
    assert_eq!(fetch(&server, cache.path(), FILE).unwrap(), content());
    assert_eq!(fetch_from(&offline(), FILE).unwrap(), content());
    // A snapshot that another program made, without a list of what there is.
    std::fs::remove_dir_all(cache.path().join("models--o--m/trees")).unwrap();
    assert_eq!(fetch_from(&offline(), FILE).unwrap(), content());
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
