//! Mirrors that have a part of the hub's interface, and a hub that is down: what is known all the
//! same.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use kdpipe::hub::{Hub, News, Repo, Settings};

use super::answers::etag;
use super::faults::{ALWAYS, FILE, content, fetch, server};
use super::server::{Server, ServerFault};
use super::shelf::{filled, settings};
use super::studies::{run, spec};
use crate::builder::TestSite;

const GONE: ServerFault = ServerFault::Status(404, "x", "y");

/// Its description without lengths and hashes, as mirrors have it that do not know `blobs=true`,
/// and the server has it as they do.
#[test]
fn a_mirror_without_a_list_of_files_is_used_by_its_description() {
    for status in [400, 404, 405, 501] {
        let (server, cache) = (server(), tempfile::tempdir().unwrap());
        server.fail("/tree/", ServerFault::Status(status, "x", "y"), ALWAYS);
        assert_eq!(
            fetch(&server, cache.path(), FILE),
            Ok(content()),
            "{status}"
        );
        assert_eq!(
            fetch(&server, cache.path(), "a/b c.txt"),
            Ok(b"text".to_vec())
        );
        let error = fetch(&server, cache.path(), "none").unwrap_err();
        assert_eq!(error, "the model o/m has no file none at the revision main");
        // What was told of single files is no list to be kept.
        let trees = cache.path().join("models--o--m/trees");
        assert!(!trees.exists());
        let blob = cache
            .path()
            .join("models--o--m/blobs")
            .join(etag(FILE, &content()));
        assert!(blob.is_file());
    }
}

#[test]
fn a_description_with_lengths_and_hashes_is_a_list() {
    let (server, cache) = (server(), tempfile::tempdir().unwrap());
    fetch(&server, cache.path(), "config.json").unwrap();
    let commit = cache.path().join("models--o--m/refs/main");
    let commit = std::fs::read_to_string(commit).unwrap();
    let hash = etag("config.json", b"{}");
    let about = format!(
        r#"{{"sha": "{commit}", "siblings": [
            {{"rfilename": "config.json", "size": 2, "blobId": "{hash}"}}]}}"#
    );
    let other = tempfile::tempdir().unwrap();
    server.fail("/tree/", GONE, ALWAYS);
    server.fail("/revision/", ServerFault::Json(about.leak()), ALWAYS);
    server.requests();
    assert_eq!(
        fetch(&server, other.path(), "config.json"),
        Ok(b"{}".to_vec())
    );
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.method == "GET")
    );
    assert!(other.path().join("models--o--m/trees").exists());
}

#[test]
fn a_mirror_of_files_alone_gives_a_model_file_by_file_and_no_dataset() {
    let server = filled();
    server.fail("/api/", GONE, ALWAYS);
    let cache = tempfile::tempdir().unwrap();
    let hub = Hub::quiet(settings(&server, cache.path()), Vec::new());
    let model = Repo::model("o/tiny-gpt2", "main");
    let snapshot = hub.weights(&model).unwrap();
    hub.tokenizer(&model).unwrap();
    for file in [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ] {
        assert!(snapshot.folder.join(file).is_file(), "{file}");
    }
    let stories = Repo::dataset("o/stories", "main");
    let commit = hub.commit(&stories).unwrap();
    let error = hub.listing(&stories, &commit).unwrap_err().to_string();
    assert!(
        error.contains("does not say which files the dataset o/stories has"),
        "{error}"
    );
    // What it does not have is known later, too, though it gave no list.
    let offline = Settings {
        offline: true,
        ..settings(&server, cache.path())
    };
    let later = Hub::quiet(offline, Vec::new());
    assert_eq!(later.tokenizer(&model).unwrap(), snapshot);
    assert_eq!(later.weights(&model).unwrap(), snapshot);
    // Of what is not there, the first answer counts.
    let none = Repo::model("o/none", "main");
    let error = hub.commit(&none).unwrap_err().to_string();
    assert!(
        error.starts_with("the hub has no such repo: the model o/none"),
        "{error}"
    );
}

#[test]
fn a_file_that_a_mirror_tells_no_hash_of_is_refused() {
    let (server, cache) = (server(), tempfile::tempdir().unwrap());
    server.fail("/tree/", GONE, ALWAYS);
    server.fail("/resolve/", ServerFault::NoEtag, ALWAYS);
    server.fail("/small/", ServerFault::NoEtag, ALWAYS);
    let error = fetch(&server, cache.path(), "config.json").unwrap_err();
    assert!(error.contains("no hash in its ETag"), "{error}");
}

/// What is told while a file is asked for of a server.
fn told(server: &Server, cache: &Path, file: &str) -> (Result<Vec<u8>, String>, Vec<String>) {
    let heard = Mutex::new(Vec::new());
    let listener = |news: &News| {
        if let News::FromCache { reason } = news {
            heard.lock().unwrap().push((*reason).to_owned());
        }
    };
    let stop = AtomicBool::new(false);
    let hub = Hub::new(settings(server, cache), Vec::new(), &listener, &stop);
    let found = super::faults::fetch_from(&hub, file);
    drop(hub);
    (found, heard.into_inner().unwrap())
}

#[test]
fn a_hub_that_is_down_is_replaced_by_the_cache_and_said_once() {
    let (server, cache) = (server(), tempfile::tempdir().unwrap());
    fetch(&server, cache.path(), FILE).unwrap();
    server.fail("", ServerFault::Status(503, "x", "y"), ALWAYS);
    let (found, heard) = told(&server, cache.path(), FILE);
    assert_eq!(found, Ok(content()));
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(
        heard[0].ends_with(
            "is in trouble (status 503); the model o/m at the revision main is used as the cache \
             has it"
        ),
        "{heard:?}"
    );
    let (found, _) = told(&server, cache.path(), "config.json");
    assert!(found.unwrap_err().contains("is in trouble (status 503)"));
    // A refusal is none that passes.
    server.heal();
    server.fail("", ServerFault::Status(403, "x", "y"), ALWAYS);
    assert!(told(&server, cache.path(), FILE).0.is_err());
}

#[test]
fn a_study_goes_on_without_the_hub_where_the_cache_has_all() {
    let server = filled();
    let site = TestSite::new(&spec(""));
    run(&site, &server, "run study.toml --only arm=none").code(0);
    let other = TestSite::new(&spec(""));
    std::fs::rename(site.path("hf"), other.path("hf")).unwrap();
    server.fail("", ServerFault::Status(502, "x", "y"), ALWAYS);
    let again = run(&other, &server, "run study.toml --only arm=none").code(0);
    for repo in ["model o/tiny-gpt2", "dataset o/stories"] {
        let words = format!("the {repo} at the revision main is used as the cache has it");
        assert_eq!(again.error.matches(&words).count(), 1, "{}", again.error);
    }
}
