//! Tests of `card.rs`.

use super::*;

#[test]
fn the_block_between_the_lines_is_the_cards() {
    for (text, block) in [
        ("---\na: 1\n---\n# hi", Some("\na: 1\n")),
        ("\u{feff}\n---\r\na: 1\r\n---\r\n", Some("\r\na: 1\r\n")),
        ("---\na: '---'\n--- x\n---", Some("\na: '---'\n--- x\n")),
        ("# hi\n---\na: 1\n---\n", None),
        ("--- a: 1\n---\n", None),
        ("---\na: 1\n", None),
        ("", None),
        ("---", None),
    ] {
        assert_eq!(front_matter(text), block, "{text:?}");
    }
}

#[test]
fn the_file_beside_the_readme_overrides_it() {
    let readme = "---\nconfigs:\n- config_name: a\n  data_files: a.txt\n---\n";
    let alone = "configs:\n- config_name: b\n  data_files: b.txt\n";
    let card = Card::read(Some(readme), Some(alone)).unwrap();
    let names: Vec<&str> = card
        .configs
        .iter()
        .map(|config| config.name.as_str())
        .collect();
    assert_eq!(names, ["b"]);
    assert_eq!(Card::read(None, None).unwrap(), Card::default());
}

#[test]
fn settings_that_change_the_rows_are_noted() {
    let unread = |more: &str| {
        let alone = format!("configs:\n- config_name: a\n  data_files: a.txt\n  {more}\n");
        Card::read(None, Some(&alone)).unwrap().configs[0]
            .unread
            .clone()
    };
    assert_eq!(unread("field: data"), Some("field: data".to_owned()));
    assert_eq!(
        unread("sample_by: document"),
        Some("sample_by: document".to_owned())
    );
    assert_eq!(unread("sample_by: line"), None);
    assert_eq!(unread("version: 1.0.0"), None);
    assert_eq!(unread("filters: [[a, '>', 1]]"), Some("filters".to_owned()));
}

#[test]
fn a_card_that_is_none_says_what_is_wrong() {
    let refusal = |alone: &str| format!("{:#}", Card::read(None, Some(alone)).unwrap_err());
    assert_eq!(refusal("configs: a"), "its configs are no list");
    assert_eq!(
        refusal("configs:\n- data_files: a"),
        "one of its configs has no config_name"
    );
    assert_eq!(
        refusal("configs:\n- config_name: a\n  data_files:\n    train: a"),
        "in its configuration a: data_files is a path, a list of paths, or a list of `split` and \
         `path`"
    );
    assert!(refusal("a: [").starts_with("in .huggingface.yaml: it is not YAML"));
}

#[test]
fn a_card_that_is_cut_or_lacks_a_character_anywhere_is_read_or_refused() {
    let card = [
        "---\nx: &x [a, 'b']\ndataset_info:\n  config_name: a\nconfigs:\n- config_name: a\n",
        "  data_files:\n  - split: train\n    path: *x\n",
        "  - {split: test, path: \"t/*\"}\n  default: true\n---\n# hi\n",
    ]
    .concat();
    let card = card.as_str();
    assert_eq!(Card::read(Some(card), None).unwrap().configs.len(), 1);
    for at in 0..card.len() {
        let (before, after) = card.split_at(at);
        let lacking = format!("{before}{}", &after[1..]);
        for text in [before.to_owned(), format!("{before}\n---\n"), lacking] {
            if let Err(error) = Card::read(Some(&text), None) {
                let words = format!("{error:#}");
                assert!(!words.contains("panic"), "{words}: {text}");
            }
        }
    }
}
