//! Tries the recipes: fenced blocks that are marked `recipe` are written or run, in the order of
//! their page, in a folder of the page's own.
//!
//! | a block marked | is |
//! | --- | --- |
//! | `toml,recipe,NAME` | written to the file NAME, and has to pass `check` |
//! | `sh,recipe` | run by `sh -eu`, with `kdpipe` on the path |
//! | `python,recipe` | run where `KDPIPE_TEST_PYTHON` names a Python that has what it imports |
//!
//! Other blocks are read by people alone. A comment `<!-- tried with NAME=VALUE … -->` sets
//! variables beside those of [`SMALL`], which keep the studies of a page small.

use std::path::Path;
use std::process::Output;
use std::sync::Mutex;
use std::time::Instant;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use super::{files_below, root, text_of};
use crate::builder::TestSite;

/// What makes any study small, by the layer above the spec: keys behind `KDPIPE_`.
const SMALL: [(&str, &str); 20] = [
    ("TRAIN__STEPS", "6"),
    ("TRAIN__BATCH", "2"),
    ("TRAIN__CONTEXT", "16"),
    ("TRAIN__EVALUATE_EVERY", "1000"),
    ("TEACHER__WIDTH", "16"),
    ("TEACHER__HEADS", "2"),
    ("TEACHER__TRAIN__STEPS", "6"),
    ("TEACHER__TRAIN__BATCH", "2"),
    ("TEACHER__TRAIN__CONTEXT", "16"),
    ("TEACHER__TRAIN__EVALUATE_EVERY", "1000"),
    ("STUDENT__WIDTH", "16"),
    ("STUDENT__HEADS", "2"),
    ("EVALUATE__CONTEXT", "16"),
    ("EVALUATE__STRIDE", "16"),
    ("EVALUATE__SAMPLES__PROMPTS", "1"),
    ("EVALUATE__SAMPLES__TOKENS", "2"),
    ("EVALUATE__PROBE_TOKENS", "16"),
    ("EVALUATE__EMBED_TOKENS", "0"),
    ("EVALUATE__TREATMENT_TOKENS", "8"),
    ("EVALUATE__DIRECTIONS", "2"),
];

/// A block that is tried.
struct RecipeBlock {
    kind: String,
    file: Option<String>,
    text: String,
}

fn blocks(page: &str) -> Vec<RecipeBlock> {
    let (mut found, mut open) = (Vec::new(), None);
    for event in Parser::new(page) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                let mut words = info.split(',');
                let kind = words.next().unwrap_or_default().to_owned();
                if words.next() == Some("recipe") {
                    let (file, text) = (words.next().map(str::to_owned), String::new());
                    open = Some(RecipeBlock { kind, file, text });
                }
            }
            Event::Text(text) => {
                if let Some(block) = &mut open {
                    block.text.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => found.extend(open.take()),
            _ => {}
        }
    }
    found
}

fn settings(page: &str) -> Vec<(String, String)> {
    let of_page = page
        .split_once("<!-- tried with ")
        .and_then(|(_, rest)| rest.split_once("-->"))
        .map_or("", |(words, _)| words);
    let of_page = of_page.split_whitespace().map(|word| {
        let (name, value) = word.split_once('=').expect("NAME=VALUE");
        (name.to_owned(), value.to_owned())
    });
    let small = SMALL.map(|(key, value)| (format!("KDPIPE_{key}"), value.to_owned()));
    small.into_iter().chain(of_page).collect()
}

/// Whether a Python that has what the block imports is there.
fn can_import(python: &str, block: &RecipeBlock) -> bool {
    let imports: Vec<&str> = block
        .text
        .lines()
        .filter(|line| line.starts_with("import ") || line.starts_with("from "))
        .collect();
    let tried = std::process::Command::new(python)
        .args(["-c", &imports.join("\n")])
        .output();
    tried.is_ok_and(|tried| tried.status.success())
}

/// What went wrong with a page.
fn try_page(name: &str, page: &str) -> Vec<String> {
    let site = TestSite::in_memory("");
    std::fs::remove_file(site.path("study.toml")).unwrap();
    let settings = settings(page);
    let blocks = blocks(page);
    if !blocks.iter().any(|block| block.kind == "sh") {
        return vec![format!("{name} has no commands that are tried")];
    }
    for block in &blocks {
        let mut command = match (block.kind.as_str(), &block.file) {
            ("toml", Some(file)) => {
                site.write(file, block.text.as_bytes());
                site.command(&format!("check {file}"))
            }
            ("sh", None) => site.shell(&block.text),
            ("python", None) => match std::env::var("KDPIPE_TEST_PYTHON") {
                Ok(python) if can_import(&python, block) => {
                    site.program(Path::new(&python), &["-c", &block.text])
                }
                _ => {
                    eprintln!(
                        "{name}: a block of Python is skipped: KDPIPE_TEST_PYTHON names none that \
                         has its packages"
                    );
                    continue;
                }
            },
            (kind, file) => return vec![format!("{name}: {kind} {file:?} cannot be tried")],
        };
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().unwrap();
        if !status.success() {
            let (out, error) = (
                String::from_utf8_lossy(&stdout),
                String::from_utf8_lossy(&stderr),
            );
            return vec![format!("{name}: {status}\n{}\n{out}\n{error}", block.text)];
        }
        if std::env::var_os("KDPIPE_TEST_SHOW").is_some() {
            eprintln!(
                "{name}:\n{}{}",
                block.text,
                String::from_utf8_lossy(&stdout)
            );
        }
    }
    Vec::new()
}

/// Tries the pages two at a time.
pub fn try_all() {
    let mut pages = files_below(".book/src/recipes", ".md");
    if let Ok(only) = std::env::var("KDPIPE_TEST_RECIPE") {
        pages.retain(|page| page.contains(&only));
    }
    assert!(!pages.is_empty(), "no recipes");
    let (open, faults) = (Mutex::new(pages), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let Some(page) = open.lock().unwrap().pop() else {
                return;
            };
            let started = Instant::now();
            let found = try_page(&page, &text_of(&root().join(&page)));
            println!("{page}: {:.1} s", started.elapsed().as_secs_f64());
            faults.lock().unwrap().extend(found);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
