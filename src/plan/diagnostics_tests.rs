//! Tests of `diagnostics.rs`.

use super::*;

#[test]
fn a_diagnostic_shows_the_line_the_caret_and_the_help() {
    let text = "seed = 0\n[train]\nstepz = 5\n";
    let place = Place::new("sweep.toml", text, 17..22);
    let all = Diagnostics::one(
        Diagnostic::new("train.stepz is not a key")
            .at(place)
            .hint("write steps"),
    );
    assert_eq!(
        all.to_string(),
        "error: train.stepz is not a key\n --> sweep.toml:3:1\n  |\n3 | stepz = 5\n  | \
             ^^^^^\n  = help: write steps"
    );
}

#[test]
fn colour_only_adds_escapes() {
    let all = Diagnostics::one(
        Diagnostic::new("no")
            .at(Place::new("a", "b = 1", 0..1))
            .hint("yes"),
    );
    let coloured = all.render(true);
    assert!(coloured.contains("\x1b["));
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some(at) = rest.find('\x1b') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + rest[at..].find('m').unwrap() + 1..];
    }
    plain.push_str(rest);
    assert_eq!(plain, all.render(false));
}

#[test]
fn columns_count_characters_and_long_lines_are_cut_around_the_mark() {
    let text = format!("x = \"{}ü\" # é", "é".repeat(300));
    let start = text.find('ü').unwrap();
    let place = Place::new("a", &text, start..start + 2);
    assert_eq!((place.line, place.column, place.length), (1, 306, 1));
    let shown = Diagnostics::one(Diagnostic::new("no").at(place)).to_string();
    let lines: Vec<&str> = shown.lines().collect();
    let caret = lines[4].chars().position(|c| c == '^').unwrap();
    assert_eq!(lines[3].chars().nth(caret), Some('ü'));
    assert!(lines[3].chars().count() < 200);
}

#[test]
fn spans_outside_the_text_or_inside_a_character_do_not_panic() {
    assert_eq!(Place::new("a", "é", 1..9).column, 1);
    assert_eq!(Place::new("a", "", 5..9).line_text, "");
    assert_eq!(Place::new("a", "x\r\ny", 0..1).line_text, "x");
}

#[test]
fn control_characters_of_a_file_do_not_reach_the_terminal() {
    let shown =
        Diagnostics::one(Diagnostic::new("no").at(Place::new("a", "x = \"\x1b[2J\"", 0..1)))
            .to_string();
    assert!(!shown.contains('\x1b'));
}

#[test]
fn suggestions_are_close_words_only() {
    assert_eq!(similar("stepz", ["steps", "batch"]), Some("steps"));
    assert_eq!(similar("Steps", ["steps", "batch"]), Some("steps"));
    assert_eq!(similar("banana", ["steps", "batch"]), None);
    assert_eq!(similar("seed", ["keep", "batch"]), None);
    assert_eq!(
        similar("mse", ["lm", "hidden.mse", "hidden.cosine"]),
        Some("hidden.mse")
    );
    assert_eq!(
        similar("hidden", ["lm", "hidden.mse", "hidden.cosine"]),
        None
    );
    assert_eq!(similar("lin", ["linear", "step"]), Some("linear"));
    assert_eq!(similar(&"a".repeat(1_000_000), ["steps"]), None);
}
