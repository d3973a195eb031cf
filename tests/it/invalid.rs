//! What `kdpipe check` says about bad specs, word for word: each `tests/invalid/NAME.toml` beside
//! its `NAME.txt`. `UPDATE=1` writes the texts again; read them before they are committed.
//!
//! A spec may begin with lines `#! --set key=value` and `#! KDPIPE_NAME=value`, which the command
//! is given.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::plan::{Draws, Folder};

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid")
}

/// What the command prints for a spec, with its exit code.
fn said(name: &str) -> (Option<i32>, String) {
    said_in(&folder(), name)
}

/// The same of a spec in another folder.
pub fn said_in(folder: &Path, name: &str) -> (Option<i32>, String) {
    let text = std::fs::read(folder.join(name)).expect("a readable spec");
    let mut command = Command::new(env!("CARGO_BIN_EXE_kdpipe"));
    command.args(["check", name]).current_dir(folder);
    for (variable, _) in std::env::vars().filter(|(variable, _)| variable.starts_with("KDPIPE_")) {
        command.env_remove(variable);
    }
    for line in String::from_utf8_lossy(&text)
        .lines()
        .map_while(|line| line.strip_prefix("#! "))
    {
        match line.strip_prefix("--set ") {
            Some(argument) => command.args(["--set", &argument.replace("\\e", "\x1b")]),
            None => {
                let (variable, value) = line.split_once('=').expect("NAME=value");
                command.env(variable, value)
            }
        };
    }
    let output = command.output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program prints UTF-8");
    (
        output.status.code(),
        text(output.stdout) + &text(output.stderr),
    )
}

fn specs() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("the folder of bad specs");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.retain(|name| name.ends_with(".toml"));
    names.sort();
    names
}

#[test]
fn every_bad_spec_is_refused_in_the_words_beside_it() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let mut differing = Vec::new();
    for name in specs() {
        let (code, text) = said(&name);
        if code != Some(2) {
            differing.push(format!("{name} ends with {code:?}, not 2:\n{text}"));
        }
        let beside = folder().join(&name).with_extension("txt");
        if update {
            std::fs::write(&beside, &text).expect("a text");
        } else if std::fs::read_to_string(&beside).unwrap_or_default() != text {
            differing.push(format!("{name} is now told (UPDATE=1 accepts it):\n{text}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn no_text_is_left_without_its_spec() {
    for entry in std::fs::read_dir(folder()).expect("the folder of bad specs") {
        let path = entry.expect("an entry").path();
        assert!(
            path.extension().is_none_or(|kind| kind != "txt")
                || path.with_extension("toml").exists(),
            "{}",
            path.display()
        );
    }
}

#[test]
fn every_complaint_has_a_place_and_a_remedy_and_obeys_nothing_that_a_spec_holds() {
    for name in specs() {
        let text = said(&name).1;
        let obeyed = |c: char| {
            c.is_control()
                || ('\u{200b}'..='\u{200f}').contains(&c)
                || ('\u{2028}'..='\u{202e}').contains(&c)
                || ('\u{2060}'..='\u{206f}').contains(&c)
        };
        assert!(
            !text.chars().any(|c| c != '\n' && obeyed(c)),
            "{name}: {text:?}"
        );
        assert!(
            text.lines().all(|line| line.chars().count() < 400),
            "{name}:\n{text}"
        );
        for complaint in text.split("\n\n") {
            let inputs = [
                "does not exist",
                "cannot read",
                "matches no file",
                "has no tokenizer; put",
            ];
            let has_remedy = complaint.contains(" = help: ")
                || inputs.iter().any(|input| complaint.contains(input));
            let has_place =
                complaint.contains("-->") || complaint.contains("the study has no name");
            assert!(
                complaint.starts_with("error: ") && has_place && has_remedy,
                "{name}:\n{complaint}"
            );
        }
    }
}

#[test]
fn a_mutilated_spec_is_read_or_refused_and_never_ends_the_program() {
    let good =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/smoke.toml"))
            .expect("a shipped spec");
    let words = [
        "[",
        "]",
        "\"",
        "=",
        "{",
        "}",
        "-1",
        "0",
        "1e400",
        "\u{0}",
        "\n",
        "é",
        "loss.",
        "arms",
        "[[grid.exclude]]\n",
        "extends = \".\"\n",
    ];
    let mut draws = Draws(5);
    let folder = Folder::new("");
    let mut read = 0;
    for _ in 0..600 {
        let mut bytes = good.clone().into_bytes();
        for _ in 0..1 + draws.below(3) {
            let (at, count) = (
                draws.below(bytes.len() as u64) as usize,
                draws.below(12) as usize,
            );
            let end = (at + count).min(bytes.len());
            match draws.below(3) {
                0 => drop(bytes.drain(at..end)),
                1 => drop(bytes.splice(
                    at..end,
                    words[draws.below(words.len() as u64) as usize].bytes(),
                )),
                _ => {
                    let copied = bytes[at..end].to_vec();
                    let to = draws.below(bytes.len() as u64) as usize;
                    bytes.splice(to..to, copied);
                }
            }
        }
        folder.write("study.toml", &String::from_utf8_lossy(&bytes));
        match folder.try_plan("study.toml", &[], &[]) {
            Ok(_) => read += 1,
            Err(wrong) => assert!(!wrong.0.is_empty() && !wrong.render(true).is_empty()),
        }
    }
    // Numbers and comments may be others and a spec still be good.
    assert!((20..580).contains(&read), "{read} of 600 were read");
}
