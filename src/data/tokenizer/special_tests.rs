//! Tests of `special.rs` and of everything that reads a folder, against AutoTokenizer of
//! transformers 5.24: `tests/reference/folders.json`, which `folders.py` beside it writes.

use std::path::Path;

use super::super::codec::Tokenizer;
use super::super::files::READING;
use super::*;

/// A folder, and what transformers makes of it. A config.json of null is none at all.
#[derive(serde::Deserialize)]
struct FolderCase {
    name: String,
    files: Map<String, Value>,
    /// vocab.json is there.
    #[serde(default)]
    older: bool,
    ids: Option<Vec<u32>>,
    #[serde(default)]
    length: usize,
    #[serde(default)]
    eos_token_id: Option<u32>,
    error: Option<String>,
}

#[derive(serde::Deserialize)]
struct FolderCases {
    text: String,
    model: Value,
    cases: Vec<FolderCase>,
}

fn cases() -> FolderCases {
    let text = include_str!("../../../tests/reference/folders.json");
    serde_json::from_str(text).unwrap()
}

fn write(case: &FolderCase, model: &Value, folder: &Path) {
    std::fs::write(folder.join("config.json"), r#"{"model_type": "gpt2"}"#).unwrap();
    for (name, content) in &case.files {
        if content.is_null() {
            std::fs::remove_file(folder.join(name)).unwrap();
            continue;
        }
        let mut content = content.clone();
        if content["model"] == "BASE" {
            content["model"] = model.clone();
        }
        let text = content
            .as_str()
            .map_or_else(|| content.to_string(), str::to_owned);
        std::fs::write(folder.join(name), text).unwrap();
    }
    if case.older {
        std::fs::write(folder.join("vocab.json"), model["vocab"].to_string()).unwrap();
    }
}

/// What is refused here and read there; what is read here and refused there.
const REFUSED: [(&str, &str); 4] = [
    (
        "a class that there is not",
        "its tokenizer_class is \"MyOwnTokenizer\"",
    ),
    (
        "Roberta's class",
        "its tokenizer_class is \"RobertaTokenizer\"",
    ),
    (
        "a config.json of RoBERTa and no class",
        "config.json is of a model \"roberta\", whose tokenizers have rules of their own",
    ),
    (
        "pre-tokenizer white space, of PreTrainedTokenizerFast",
        "its pre_tokenizer has no ByteLevel",
    ),
];
const READ: [&str; 1] = ["older files of PreTrainedTokenizerFast"];

#[test]
fn folders_have_the_tokens_that_transformers_gives_them() {
    let FolderCases { text, model, cases } = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let folder = tempfile::tempdir().unwrap();
        write(case, &model, folder.path());
        let read = Tokenizer::open(folder.path());
        let refused = REFUSED.iter().find(|(name, _)| *name == case.name);
        let said = match (&read, refused, &case.error) {
            (Err(error), Some((_, why)), _) if format!("{error:#}").contains(why) => continue,
            (Err(_), None, Some(_)) => continue,
            (Ok(_), None, Some(_)) if READ.contains(&case.name.as_str()) => continue,
            (Ok(read), None, None) => {
                let ids = read
                    .encode_with_specials(&text)
                    .map(|ids| read.frame().around(ids));
                match ids {
                    Ok(ids) if Some(&ids) != case.ids.as_ref() => {
                        format!("{ids:?} for {:?}", case.ids)
                    }
                    Ok(_) if read.vocabulary() != case.length => {
                        format!("{} tokens for {}", read.vocabulary(), case.length)
                    }
                    Ok(_)
                        if case.eos_token_id.is_some() && read.text_end() != case.eos_token_id =>
                    {
                        format!("eos {:?} for {:?}", read.text_end(), case.eos_token_id)
                    }
                    Ok(_) => continue,
                    Err(error) => format!("{error:#}"),
                }
            }
            (Err(error), ..) => format!("{error:#}"),
            (Ok(_), ..) => format!("read; expected {refused:?} {:?}", case.error),
        };
        wrong.push(format!("{}: {said}", case.name));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() > 100);
}

#[test]
fn what_is_read_of_a_folder_is_one_text_that_reads_the_same() {
    let FolderCases { text, model, cases } = cases();
    for case in &cases {
        let folder = tempfile::tempdir().unwrap();
        write(case, &model, folder.path());
        let Ok(read) = Tokenizer::open(folder.path()) else {
            continue;
        };
        let again = Tokenizer::from_json(read.json().to_owned()).unwrap();
        assert_eq!(again.sha256(), read.sha256());
        assert_eq!(
            (again.text_end(), again.frame(), again.vocabulary()),
            (read.text_end(), read.frame(), read.vocabulary())
        );
        assert_eq!(
            again.encode_with_specials(&text).unwrap(),
            read.encode_with_specials(&text).unwrap(),
            "{}",
            case.name
        );
        // A text in pieces has the tokens of the whole.
        let places = text.char_indices().map(|(at, _)| at);
        let proposed = |&at: &usize| {
            at > 0
                && !text[..at].ends_with(char::is_whitespace)
                && text[at..].starts_with(|c: char| c.is_ascii_whitespace())
        };
        for at in places.filter(proposed) {
            let (left, right) = text.split_at(at);
            if read.may_cut(left, right) {
                let both = [left, right].map(|part| read.encode_with_specials(part).unwrap());
                assert_eq!(
                    both.concat(),
                    read.encode_with_specials(&text).unwrap(),
                    "{}: {right:?}",
                    case.name
                );
            }
        }
    }
}

#[test]
fn documents_have_the_tokens_that_transformers_gives_them_but_for_a_spelled_end() {
    let FolderCases { text, model, cases } = cases();
    let (mut set_apart, mut undivided) = (0, 0);
    for case in &cases {
        let folder = tempfile::tempdir().unwrap();
        write(case, &model, folder.path());
        let Ok(read) = Tokenizer::open(folder.path()) else {
            continue;
        };
        let content: Value = serde_json::from_str(read.json()).unwrap();
        if content[READING]["split_special_tokens"] == true {
            // Special tokens are text for everyone.
            continue;
        }
        let end = read.separator();
        let parts: Vec<&str> = match end.as_str() {
            "" => vec![text.as_str()],
            end => text.split(end).collect(),
        };
        for part in &parts {
            assert_eq!(
                read.encode(part).unwrap(),
                read.encode_with_specials(part).unwrap(),
                "{}: {part:?}",
                case.name
            );
        }
        if parts.len() == 1 {
            undivided += 1;
            continue;
        }
        set_apart += 1;
        let spelled = read.encode(&text).unwrap();
        let id = read.text_end().unwrap();
        assert!(!spelled.contains(&id), "{}: {spelled:?}", case.name);
    }
    assert!(set_apart > 80 && undivided > 1, "{set_apart} {undivided}");
}

#[test]
fn a_tokenizer_json_that_nothing_changes_keeps_its_bytes() {
    let FolderCases { model, cases, .. } = cases();
    let unchanged = [
        "plain, of PreTrainedTokenizerFast",
        "plain, of GPT2Tokenizer",
        "no names",
        "switches of the model, of GPT2Tokenizer",
        "pre-tokenizer Split and ByteLevel, of GPT2Tokenizer",
        "add_bos_token beside tokenizer.json",
        "tokenizer.json alone",
        "GPT-2's tokenizer.json alone",
    ];
    let read = |name: &str| {
        let case = cases.iter().find(|case| case.name == name).unwrap();
        let folder = tempfile::tempdir().unwrap();
        write(case, &model, folder.path());
        let written = std::fs::read_to_string(folder.path().join("tokenizer.json")).unwrap();
        (Tokenizer::open(folder.path()).unwrap(), written)
    };
    for name in unchanged {
        let (read, written) = read(name);
        assert!(read.json() == written, "{name}");
        assert_eq!(read.plain_json(), written);
    }
    // Documents have special tokens that earlier versions took for text: another hash, one file.
    let (marked, written) = read("template <s> $A, of GPT2Tokenizer");
    assert!(marked.json() != written);
    assert_eq!(marked.plain_json(), written);
}

#[test]
fn the_end_of_a_text_is_what_the_folder_names() {
    let FolderCases { model, .. } = cases();
    let end = |files: &[(&str, &str)]| {
        let folder = tempfile::tempdir().unwrap();
        let case = FolderCase {
            name: String::new(),
            files: Map::new(),
            older: false,
            ids: None,
            length: 0,
            eos_token_id: None,
            error: None,
        };
        write(&case, &model, folder.path());
        let mut own = model.clone();
        own["vocab"]
            .as_object_mut()
            .unwrap()
            .shift_remove(END_OF_TEXT);
        let whole = json!({
            "version": "1.0",
            "added_tokens": [
                AddedToken::new("<s>", true, &Value::Null, false).to_json(283),
                AddedToken::new("</s>", true, &Value::Null, false).to_json(284),
            ],
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
            "model": own,
        });
        std::fs::write(folder.path().join("tokenizer.json"), whole.to_string()).unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        Tokenizer::open(folder.path()).unwrap().text_end()
    };
    let fast = r#"{"tokenizer_class": "PreTrainedTokenizerFast"}"#;
    assert_eq!(end(&[("tokenizer_config.json", fast)]), None);
    for (config, expected) in [
        (r#"{"eos_token_id": 284}"#, Some(284)),
        (r#"{"eos_token_id": [284, 0]}"#, Some(284)),
        (r#"{"eos_token_id": 50256}"#, None),
    ] {
        let files = [("tokenizer_config.json", fast), ("config.json", config)];
        assert_eq!(end(&files), expected, "{config}");
    }
    // A name counts more than an id; what the class names alone is added, and counts less.
    let named = r#"{"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<s>"}"#;
    let config = r#"{"model_type": "gpt2", "eos_token_id": 284}"#;
    assert_eq!(
        end(&[("tokenizer_config.json", named), ("config.json", config)]),
        Some(283)
    );
    assert_eq!(end(&[("config.json", config)]), Some(284));
    let gpt2 = r#"{"model_type": "gpt2"}"#;
    assert_eq!(end(&[("config.json", gpt2)]), Some(285));
    assert_eq!(end(&[("config.json", "{}")]), None, "no class names one");
}
