//! Tests of `separated.rs`.

use super::*;

fn parts(separator: &str, text: &str, step: usize) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut receive = |part: TextPart| {
        match part {
            TextPart::Text(text) => found.last_mut().unwrap().push_str(text),
            TextPart::Separator => found.push(String::new()),
        }
        Ok(ControlFlow::Continue(()))
    };
    let mut separated = Separated::new(separator);
    let characters: Vec<char> = text.chars().collect();
    for piece in characters.chunks(step) {
        let piece: String = piece.iter().collect();
        let _ = separated.push(&piece, &mut receive).unwrap();
    }
    let _ = separated.finish(&mut receive).unwrap();
    found
}

#[test]
fn separators_are_found_whatever_the_pieces_cut() {
    let text = "one<|e|>two<|<|e|><|e|>three<|e<|e|";
    for step in 1..text.len() {
        assert_eq!(
            parts("<|e|>", text, step),
            ["one", "two<|", "", "three<|e<|e|"],
            "{step}"
        );
        assert_eq!(parts("", text, step), [text]);
    }
    assert_eq!(parts("é€", "aé€é€éb", 1), ["a", "", "éb"]);
    assert_eq!(parts("</s>", "</s>", 2), ["", ""]);
}
