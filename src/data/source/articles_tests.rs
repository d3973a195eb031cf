//! Tests of `articles.rs`.

use std::ops::ControlFlow;

use super::*;

/// The articles of a text that comes in pieces of `step` bytes.
fn articles_by(text: &str, step: usize) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut receive = |part: ArticlePart| {
        match part {
            ArticlePart::Begins => found.push(String::new()),
            ArticlePart::Text(text) => found.last_mut().unwrap().push_str(text),
        }
        Ok(ControlFlow::Continue(()))
    };
    let mut lines = ArticleLines::default();
    let mut rest = text;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.floor_char_boundary(step.min(rest.len())));
        assert!(lines.push(now, &mut receive).unwrap().is_continue());
        rest = later;
    }
    assert!(lines.end(&mut receive).unwrap().is_continue());
    found
}

#[test]
fn an_article_begins_at_a_title_between_blank_lines_and_nothing_is_lost() {
    let text = " \n = Filter = \n \n A filter with a half \n = 1 / s and a nominal k = \n 1 . \
                \n \n = = Life = = \n \n Text . \n \n = Du Fu = \n \n A poet — of Tang . \n \
                \n = = = Style = = = \n \n Much . \n \n = \n \n = = \n";
    // No fewer bytes than a character has.
    for step in [3, 5, 7, 4096] {
        let articles = articles_by(text, step);
        assert_eq!(articles.concat(), text, "{step}");
        assert_eq!(articles.len(), 2, "{step}: {articles:?}");
        assert!(articles[0].starts_with(" \n = Filter = "), "{step}");
        assert!(articles[1].starts_with(" = Du Fu = \n"), "{step}");
    }
}

#[test]
fn a_title_at_the_very_end_or_in_an_endless_line_is_text() {
    assert_eq!(articles_by("A .\n\n = End = \n", 4).len(), 1);
    let long = format!("A .\n\n = {} = \n\nB .\n", "word ".repeat(2000));
    let articles = articles_by(&long, 64);
    assert_eq!((articles.len(), articles.concat() == long), (1, true));
}

#[test]
fn rows_without_text_are_the_blank_lines_of_a_table() {
    let mut begun = 0;
    let mut receive = |part: ArticlePart| {
        begun += usize::from(part == ArticlePart::Begins);
        Ok(ControlFlow::Continue(()))
    };
    let mut lines = ArticleLines::default();
    for row in [
        "",
        " = A = \n",
        "",
        " One .\n",
        " = not a title = \n",
        "",
        " = B = \n",
        "",
        " Two .\n",
    ] {
        let _: Flow = match row {
            "" => lines.blank_line(&mut receive).unwrap(),
            row => lines.push(row, &mut receive).unwrap(),
        };
    }
    let _: Flow = lines.end(&mut receive).unwrap();
    assert_eq!(begun, 1);
}
