//! The documents as a site (`.book/`): pages that are made are those that would be made now, every
//! page is in the table of contents, every link leads somewhere, and recipes do what they say. None
//! of it needs mdBook. `UPDATE=1` writes the pages that are made; look at them before they are
//! committed.

mod gallery;
mod key_reference;
mod key_schema;
mod key_values;
mod links;
mod recipes;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use links::SitePage;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the site's pages are.
fn pages_folder() -> PathBuf {
    root().join(".book/src")
}

fn text_of(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// Holds a page that is made to what would be made now.
fn hold(name: &str, made: &str) {
    let path = pages_folder().join(name);
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(&path, made).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = stored.lines().zip(made.lines()).find(|(a, b)| a != b);
    assert!(
        stored == made,
        "{name} is another now (`UPDATE=1 cargo test --test it site` writes it): {differs:?}"
    );
}

/// Whether a file is one of the project's: somebody's own that lies beside them is nobody's fault.
/// Without git, all are.
fn is_of_the_project(path: &str) -> bool {
    static TRACKED: std::sync::OnceLock<Option<BTreeSet<String>>> = std::sync::OnceLock::new();
    let tracked = TRACKED.get_or_init(|| {
        let mut git = std::process::Command::new("git");
        let listed = git.arg("-C").arg(root()).arg("ls-files").output().ok()?;
        let lines = String::from_utf8(listed.stdout).ok()?;
        (listed.status.success()).then(|| lines.lines().map(str::to_owned).collect())
    });
    tracked
        .as_ref()
        .is_none_or(|tracked| tracked.contains(path))
}

/// Paths in the repository of all files of the project below a folder whose names end so, sorted.
fn files_below(folder: &str, end: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            found.extend(files_below(&name, end));
        } else if name.ends_with(end) && is_of_the_project(&name) {
            found.push(name);
        }
    }
    found.sort();
    found
}

#[test]
fn the_page_of_keys_is_what_the_schema_says() {
    hold("keys.md", &key_reference::page());
}

/// Names of a schema that the page has by another rule than a row for each.
fn keys_of(schema: &serde_json::Value, found: &mut BTreeSet<String>) {
    for list in ["oneOf", "anyOf"] {
        for branch in schema[list].as_array().into_iter().flatten() {
            keys_of(branch, found);
        }
    }
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        found.insert(key.clone());
        keys_of(inner, found);
    }
    if schema["additionalProperties"].is_object() {
        keys_of(&schema["additionalProperties"], found);
    }
}

#[test]
fn every_key_of_the_schema_has_a_row_that_can_be_linked_to() {
    let mut keys = BTreeSet::new();
    keys_of(kdpipe::plan::schema::run(), &mut keys);
    keys_of(kdpipe::plan::schema::study(), &mut keys);
    let page = key_reference::page();
    let has_row = |key: &String| {
        page.contains(&format!(".{key}\" href="))
            || page.contains(&format!("<a id=\"{key}\" href="))
    };
    // Tables have headings instead.
    let has_section = |key: &String| {
        page.contains(&format!("[{key}]`")) || page.contains(&format!("[{key}.NAME]`"))
    };
    let lacking: Vec<&String> = keys
        .iter()
        .filter(|key| !has_row(key) && !has_section(key))
        .collect();
    assert!(keys.len() > 80 && lacking.is_empty(), "{lacking:?}");
}

#[test]
fn the_gallery_shows_every_stored_study_and_every_claim() {
    hold("gallery.md", &gallery::page());
}

#[test]
fn every_spec_and_the_licence_have_a_page_beside_the_file() {
    let specs = files_below("pipelines", ".toml");
    for file in specs.iter().map(String::as_str).chain(["LICENSE"]) {
        let name = file.strip_prefix("pipelines/").unwrap_or(file);
        let last = file.rsplit('/').next().unwrap_or(file);
        let kind = if file.ends_with(".toml") {
            "toml"
        } else {
            "text"
        };
        let page = format!("# {name}\n\n```{kind}\n{{{{#include {last}}}}}\n```\n");
        hold(&format!("{file}.md"), &page);
        assert_eq!(
            text_of(&pages_folder().join(file)),
            text_of(&root().join(file)),
            "{file} in .book/src is no link to it"
        );
    }
}

#[test]
fn documents_of_the_repository_are_pages_and_have_no_second_copy() {
    let mut faults = Vec::new();
    let mut documents: Vec<String> = ["templates", "pipelines"]
        .iter()
        .flat_map(|folder| files_below(folder, ".md"))
        .collect();
    for entry in std::fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") && is_of_the_project(&name) {
            documents.push(name);
        }
    }
    let pages: BTreeSet<String> = links::pages().into_iter().map(|page| page.name).collect();
    for document in &documents {
        let link = pages_folder().join(document);
        if !link.is_symlink()
            || link.canonicalize().ok() != root().join(document).canonicalize().ok()
        {
            faults.push(format!(
                ".book/src/{document} is to be a link to {document}"
            ));
        }
        if !pages.contains(document) {
            faults.push(format!("{document} is not in .book/src/SUMMARY.md"));
        }
    }
    assert!(
        documents.len() >= 9 && faults.is_empty(),
        "\n{}",
        faults.join("\n")
    );
}

#[test]
fn every_page_is_in_the_table_of_contents_and_every_link_leads_somewhere() {
    let pages = links::pages();
    let mut faults: Vec<String> = pages.iter().flat_map(|page| page.faults(&pages)).collect();
    let listed: BTreeSet<&str> = pages.iter().map(|page| page.name.as_str()).collect();
    for file in files_below(".book/src", ".md") {
        let name = file.trim_start_matches(".book/src/");
        if name != "SUMMARY.md" && !listed.contains(name) {
            faults.push(format!("{name} is not in SUMMARY.md"));
        }
    }
    assert!(
        pages.len() > 30 && faults.is_empty(),
        "\n{}",
        faults.join("\n")
    );
}

#[test]
fn a_broken_link_is_found() {
    let page = |name: &str, text: &str| SitePage::of(name, text.to_owned());
    let pages = [
        page(
            "README.md",
            "# A\n[b](recipes/b.md#two-words) [c](recipes/b.md#three) ![d](none.svg)",
        ),
        page(
            "recipes/b.md",
            "# Two words\n[a](../README.md), `[no](l.md)`, [f](/etc), [x](https://example.org)",
        ),
    ];
    let faults: Vec<String> = pages.iter().flat_map(|page| page.faults(&pages)).collect();
    assert_eq!(
        faults,
        [
            "README.md: recipes/b.md has no heading #three",
            "README.md: there is no none.svg",
            "recipes/b.md: /etc is no relative path",
        ]
    );
}

#[test]
fn recipes_do_what_they_say() {
    recipes::try_all();
}
