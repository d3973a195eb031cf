//! What is not there, not open, does not fit or cannot be reached: each is told with its remedy.

use std::path::Path;

use kdpipe::hub::{Hub, Repo, Settings};

use super::answers::etag;
use super::faults::{ALWAYS, FILE, NAME, content, fetch, fetch_from, server, strays};
use super::server::{Server, ServerFault};
use super::shelf::settings;

/// What comes of asking for a file of a repo with a token.
fn ask(
    (server, cache): (&Server, &Path),
    name: &str,
    revision: &str,
    file: &str,
    token: Option<&str>,
) -> Result<(), String> {
    let settings = Settings {
        token: token.map(str::to_owned),
        ..settings(server, cache)
    };
    let hub = Hub::quiet(settings, Vec::new());
    let repo = Repo::model(name, revision);
    let got = hub
        .commit(&repo)
        .map_err(anyhow::Error::from)
        .and_then(|commit| hub.file(&repo, &commit, file));
    got.map(|_| ()).map_err(|error| format!("{error:#}"))
}

#[test]
fn what_is_not_there_is_named_with_the_remedy() {
    let (server, cache) = (server(), tempfile::tempdir().unwrap());
    let ask = |name: &str, revision: &str, file: &str| {
        ask((&server, cache.path()), name, revision, file, None)
    };
    assert_eq!(
        ask("o/none", "main", FILE).unwrap_err(),
        "the hub has no such repo: the model o/none; check the name at https://huggingface.co"
    );
    assert!(
        ask("o/m", "v2", FILE)
            .unwrap_err()
            .starts_with("the model o/m has no revision v2; write a branch, a tag or a commit")
    );
    assert_eq!(
        ask("o/m", "main", "no.txt").unwrap_err(),
        "the model o/m has no file no.txt at the revision main"
    );
    assert!(
        ask("../m", "main", FILE)
            .unwrap_err()
            .contains("is no repo of the hub; write OWNER/NAME")
    );
}

#[test]
fn what_is_not_open_is_named_with_the_remedy() {
    let (server, cache) = (server(), tempfile::tempdir().unwrap());
    let ask = |token: Option<&str>| ask((&server, cache.path()), "o/m", "main", FILE, token);
    server.change(NAME, |repo| repo.token = Some("hf_right".to_owned()));
    let error = ask(None).unwrap_err();
    assert!(
        error.contains("or it is private")
            && error.contains("set HF_TOKEN to a token that may read http://127.0.0.1:"),
        "{error}"
    );
    let error = ask(Some("hf_wrong")).unwrap_err();
    assert!(
        error.contains("the token does not open it") && !error.contains("hf_wrong"),
        "{error}"
    );
    server.change(NAME, |repo| repo.gated = true);
    let error = ask(None).unwrap_err();
    assert!(
        error.contains("accept them at") && error.contains("and set HF_TOKEN"),
        "{error}"
    );
    assert!(
        ask(Some("hf_wrong"))
            .unwrap_err()
            .contains("with the account of the token that is set")
    );
    server.requests();
    ask(Some("hf_right")).unwrap();
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
fn what_does_not_fit_the_disk_is_refused_before_a_byte_of_it_comes() {
    let (server, cache) = (server(), tempfile::tempdir().unwrap());
    let listed = format!(
        r#"[{{"type": "file", "path": "{FILE}", "size": 9000000000000000,
            "oid": "ce013625030ba8dba906f756967f9e9ca394464a"}}]"#
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
    let is_for_a_file = |path: &str| path.contains("/resolve/") || path.contains("/store/");
    let requests = server.requests();
    assert!(!requests.iter().any(|request| is_for_a_file(&request.path)));
    assert_eq!(strays(cache.path()), Vec::<String>::new());
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
            && error.ends_with("check the network and HF_ENDPOINT"),
        "{error}"
    );
    assert_eq!(fetch_from(&hub, "config.json").unwrap_err(), error);
}

#[test]
fn offline_nothing_is_asked_and_what_is_there_is_checked() {
    let (server, cache) = (server(), tempfile::tempdir().unwrap());
    let offline = || {
        Hub::quiet(
            Settings {
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
fn a_repo_with_another_kind_of_model_says_which() {
    let (server, cache) = (Server::start(), tempfile::tempdir().unwrap());
    let adapter: [(&str, Vec<u8>); 3] = [
        ("adapter_config.json", b"{}".to_vec()),
        ("adapter_model.safetensors", b"x".to_vec()),
        ("tokenizer.json", b"{}".to_vec()),
    ];
    server.commit("models/o/adapter", "main", &adapter);
    server.commit("models/o/gguf", "main", &[("model.Q4.gguf", b"x".to_vec())]);
    let hub = Hub::quiet(settings(&server, cache.path()), Vec::new());
    let error = hub.weights(&Repo::model("o/adapter", "main")).unwrap_err();
    assert!(error.to_string().contains("is an adapter (LoRA"), "{error}");
    let error = hub.tokenizer(&Repo::model("o/gguf", "main")).unwrap_err();
    assert!(
        error.to_string().contains("holds a model as GGUF"),
        "{error}"
    );
}
