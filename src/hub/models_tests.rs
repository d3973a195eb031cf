//! Tests of `models.rs`.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::hub::Settings;

#[test]
fn an_index_names_files_beside_it_and_nothing_else() {
    let index = br#"{"weight_map": {
        "a": "model-2.safetensors", "b": "model-1.safetensors", "c": "model-2.safetensors"}}"#;
    assert_eq!(
        parts(index).unwrap(),
        ["model-1.safetensors", "model-2.safetensors"]
    );
    for bad in [
        "",
        "[]",
        "{}",
        r#"{"weight_map": {}}"#,
        r#"{"weight_map": {"a": 1}}"#,
        r#"{"weight_map": {"a": "../x.safetensors"}}"#,
    ] {
        assert!(parts(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn all_that_says_what_a_token_is_goes_with_a_tokenizer() {
    let git = "ce013625030ba8dba906f756967f9e9ca394464a";
    let file =
        |path: &str| serde_json::json!({"type": "file", "path": path, "oid": git, "size": 3});
    let paths = [
        ".gitattributes",
        "added_tokens.json",
        "additional_chat_templates/deep/x.jinja",
        "additional_chat_templates/tools.jinja",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "merges.txt",
        "model.safetensors",
        "other/special_tokens_map.json",
        "special_tokens_map.json",
        "tokenizer_config.json",
        "vocab.json",
    ];
    let page = Value::Array(paths.map(file).to_vec());
    let listing = Listing::new(serde_json::from_value(page).unwrap()).unwrap();
    let repo = Repo::model("a/b", "main");
    assert_eq!(
        tokenizer_files(&repo, &listing).unwrap(),
        ["vocab.json", "merges.txt"]
    );
    assert_eq!(
        beside_tokenizer(&listing),
        [
            "added_tokens.json",
            "additional_chat_templates/tools.jinja",
            "chat_template.jinja",
            "config.json",
            "generation_config.json",
            "special_tokens_map.json",
            "tokenizer_config.json",
        ]
    );
    assert_eq!(
        config_files(&listing),
        ["config.json", "generation_config.json"]
    );
}

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A hub that is offline, with what another program left of a model in its cache: files, and the
/// markers of files that the commit does not have.
fn offline(cache: &Path, files: &[&str], absent: &[&str]) -> Hub<'static> {
    let repo = cache.join("models--o--m");
    let folders = [("snapshots", files), (".no_exist", absent)];
    for (folder, names) in folders {
        let folder = repo.join(folder).join(COMMIT);
        std::fs::create_dir_all(&folder).unwrap();
        names
            .iter()
            .for_each(|name| std::fs::write(folder.join(name), "{}").unwrap());
    }
    let settings = Settings {
        endpoint: "http://127.0.0.1:9".to_owned(),
        cache: cache.to_owned(),
        token: None,
        offline: true,
        offline_datasets: true,
        pause: Duration::ZERO,
        problem: None,
    };
    Hub::quiet(settings, Vec::new())
}

/// What is not known of a model in the cache: of its tokenizer, its settings and its weights.
fn unknown(files: &[&str], absent: &[&str]) -> [Option<String>; 3] {
    let cache = tempfile::tempdir().unwrap();
    let hub = offline(cache.path(), files, absent);
    let repo = Repo::model("o/m", COMMIT);
    let told = |found: Result<Snapshot>| {
        let error = found.err()?;
        let is_not_here = matches!(error.downcast_ref(), Some(HubError::NotHere { .. }));
        assert!(is_not_here, "{error:#}");
        let text = error.to_string();
        let (what, remedy) = text.split_once(" of the model o/m is not in the hub's cache")?;
        assert!(remedy.contains("run once without --offline"), "{remedy}");
        Some(what.to_owned())
    };
    [
        told(hub.tokenizer(&repo)),
        told(hub.config(&repo)),
        told(hub.weights(&repo)),
    ]
}

#[test]
fn a_part_of_a_model_in_the_cache_is_not_taken_for_the_whole() {
    let of = |name: &str| Some(name.to_owned());
    // As a program leaves it that fetches the files which it needs itself.
    let some = ["config.json", "model.safetensors", "tokenizer.json"];
    assert_eq!(
        unknown(&some, &[]),
        [
            of("tokenizer_config.json"),
            of("generation_config.json"),
            of("generation_config.json")
        ]
    );
    // Beside a tokenizer.json nobody would read these two.
    let older = ["config.json", "vocab.json", "merges.txt"];
    assert_eq!(unknown(&older, &[])[0], of("tokenizer.json"));
    // As AutoTokenizer and AutoModelForCausalLM leave it: what they asked for is there, or marked.
    let marked = ["special_tokens_map.json", "added_tokens.json"];
    let more = ["tokenizer_config.json", "generation_config.json"];
    let whole = [&some[..], &more[..]].concat();
    assert_eq!(unknown(&whole, &marked), [None, None, None]);
    let all = [&marked[..], &more[..]].concat();
    assert_eq!(unknown(&some, &all), [None, None, None]);
    // AutoTokenizer alone does not ask where generated text ends, which is the model's.
    assert_eq!(
        unknown(&some, &all[..3]),
        [
            None,
            of("generation_config.json"),
            of("generation_config.json")
        ]
    );
    for missing in marked {
        let mut others = all.clone();
        others.retain(|name| *name != missing);
        assert_eq!(unknown(&some, &others)[0], of(missing));
    }
}

#[test]
fn a_list_of_a_commit_s_files_says_which_of_them_there_are() {
    let cache = tempfile::tempdir().unwrap();
    let files = ["config.json", "model.safetensors", "tokenizer.json"];
    let hub = offline(cache.path(), &files, &[]);
    let git = "9e26dfeeb6e641a33dae4961196235bdb965b21b";
    let mut list = serde_json::json!({"format_version": 1, "files": {}});
    for name in files {
        list["files"][name] = serde_json::json!({"size": 2, "blob_id": git});
    }
    let trees = cache.path().join("models--o--m/trees");
    std::fs::create_dir_all(&trees).unwrap();
    std::fs::write(trees.join(format!("{COMMIT}.json")), list.to_string()).unwrap();
    let repo = Repo::model("o/m", COMMIT);
    for found in [hub.tokenizer(&repo), hub.weights(&repo)] {
        assert_eq!(found.unwrap().commit, COMMIT);
    }
}
