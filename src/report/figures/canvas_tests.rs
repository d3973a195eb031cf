//! Tests of `canvas.rs`.

use super::*;

#[test]
fn what_a_user_names_cannot_break_the_picture() {
    let svg = sheet(10.0, 10.0, "a < b", |canvas| {
        canvas.titled("<&>\u{1}\n\u{ffff}", |canvas| {
            canvas.text("]]>", (1.0, 2.0), 10.0, INK, Anchor::Left)
        });
    });
    assert!(svg.contains("<title>a &lt; b</title>"), "{svg}");
    assert!(svg.contains("<title>&lt;&amp;&gt; </title>"), "{svg}");
    assert!(svg.contains(">]]&gt;</text>"), "{svg}");
}

#[test]
fn numbers_are_short_and_zero_has_no_sign() {
    assert_eq!(number(1.0), "1");
    assert_eq!(number(-0.001), "0");
    assert_eq!(number(12.3456), "12.35");
}

#[test]
fn a_text_that_is_too_long_is_cut_in_its_middle() {
    let long = "a name that is far too long for its column";
    let cut = fitted(long, TEXT, 100.0);
    let (head, tail) = cut.split_once('…').unwrap();
    assert!(
        long.starts_with(head) && long.ends_with(tail) && text_width(&cut, TEXT) <= 100.0,
        "{cut}"
    );
    assert!(head.len() > 3 && tail.len() > 3, "{cut}");
    assert_eq!(fitted("short", TEXT, 100.0), "short");
    assert_eq!(fitted(long, TEXT, 1.0), "…");
    // What tells rows apart is left of them.
    let rows = ["uniform", "reverse"].map(|map| format!("a-long-name, init teacher, {map}"));
    let [one, other] = rows.map(|row| fitted(&row, TEXT, 120.0));
    assert!(one != other && one.ends_with("form"), "{one} {other}");
}
