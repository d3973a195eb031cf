//! Tests of `segments.rs`.

use super::*;

fn pieces(texts: &[&str], detokenize: Detokenize) -> Vec<String> {
    let mut found = Vec::new();
    let mut visitor = |piece: Piece| {
        if let Piece::Text { text, .. } = piece {
            found.push(text.to_string());
        }
        Ok(ControlFlow::Continue(()))
    };
    let mut segments = Segments::new(detokenize);
    for text in texts {
        assert!(segments.push(text, &mut visitor).unwrap().is_continue());
    }
    assert!(segments.end(&mut visitor).unwrap().is_continue());
    found
}

#[test]
fn segments_join_to_the_text_and_begin_with_whitespace() {
    let text: String = (0..60_000)
        .map(|i| format!("wörd{i}{}", [" ", "\n", "  \n\n ", "\u{a0} "][i % 4]))
        .collect();
    let found = pieces(&[&text], Detokenize::None);
    assert!(found.len() > 5, "{}", found.len());
    assert_eq!(found.concat(), text);
    for pair in found.windows(2) {
        assert!(!pair[0].ends_with(char::is_whitespace));
        assert!(pair[1].starts_with(|c: char| c.is_ascii_whitespace()));
        assert!(pair[0].len() <= 2 * SEGMENT);
    }
    let halves = text.split_at(text.floor_char_boundary(100_001));
    assert_eq!(
        pieces(&[halves.0, halves.1], Detokenize::None).concat(),
        text
    );
}

#[test]
fn a_stretch_without_a_place_to_cut_stays_whole() {
    let text = "x".repeat(5 * SEGMENT) + " y";
    assert_eq!(
        pieces(&[&text], Detokenize::None),
        ["x".repeat(5 * SEGMENT), " y".to_string()]
    );
}

#[test]
fn a_stretch_without_whitespace_is_cut_between_kinds_and_its_words_count_once() {
    let text: String = (0..40_000u64)
        .map(|i| {
            format!(
                "it's{{\"k{i}\":'tis,{}}}'ll{}",
                i * i,
                if i == 20_000 { " x " } else { "" }
            )
        })
        .collect();
    let mut words = 0;
    let mut found = Vec::new();
    let mut visitor = |piece: Piece| {
        if let Piece::Text { text, words: own } = piece {
            found.push(text.to_string());
            words += own;
        }
        Ok(ControlFlow::Continue(()))
    };
    let mut segments = Segments::new(Detokenize::None);
    assert!(
        segments.push(&text, &mut visitor).unwrap().is_continue()
            && segments.end(&mut visitor).unwrap().is_continue()
    );
    assert!(found.len() > 10, "{}", found.len());
    assert_eq!(found.concat(), text);
    assert!(found.windows(2).all(|pair| !pair[0].ends_with('\'')));
    assert_eq!(words, 3);
}

#[test]
fn what_has_no_place_to_cut_at_all_is_refused_before_it_fills_the_memory() {
    let mut segments = Segments::new(Detokenize::None);
    let mut visitor = |_: Piece| Ok(ControlFlow::Continue(()));
    let block = "a".repeat(1 << 20);
    let error = (0..17)
        .find_map(|_| segments.push(&block, &mut visitor).err())
        .unwrap()
        .to_string();
    assert_eq!(
        error,
        "16 MiB of a document hold no white space or another place where tokens must end; is \
             it text? break it into lines"
    );
}

#[test]
fn detokenized_segments_are_cut_at_ends_of_lines() {
    let text: String = (0..20_000)
        .map(|i| format!(" He had {i} @,@ 000 of \" them \" . \n"))
        .collect();
    let found = pieces(&[&text], Detokenize::Wikitext);
    assert!(found.len() > 5);
    assert_eq!(found.concat(), detokenize::wikitext(&text));
}
