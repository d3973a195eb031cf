//! Tests of `encodings.rs`.

use super::*;

fn utf16(text: &str, big: bool) -> Vec<u8> {
    text.encode_utf16()
        .flat_map(|unit| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        })
        .collect()
}

fn utf32(text: &str, big: bool) -> Vec<u8> {
    text.chars()
        .flat_map(|c| {
            let unit = c as u32;
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        })
        .collect()
}

const TEXTS: [&str; 5] = [
    "To be, or not to be, that is the question:\nWhether 'tis nobler",
    "Быть или не быть, вот в чем вопрос.\nДостойно ль",
    "Να ζει κανείς ή να μη ζει; ιδού η απορία",
    "होना या न होना, यही सवाल है\nक्या यह बेहतर है",
    "hi",
];

#[test]
fn alphabets_in_utf16_and_utf32_are_known_without_a_mark() {
    for text in TEXTS {
        let little = utf16(text, false);
        assert!(
            is_utf16(&little, LITTLE) && !is_utf16(&little, BIG),
            "{text}"
        );
        let big = utf16(text, true);
        assert!(is_utf16(&big, BIG) && !is_utf16(&big, LITTLE), "{text}");
        let little = utf32(text, false);
        assert!(
            is_utf32(&little, LITTLE) && !is_utf32(&little, BIG),
            "{text}"
        );
        let big = utf32(text, true);
        assert!(is_utf32(&big, BIG) && !is_utf32(&big, LITTLE), "{text}");
        assert!(!is_utf32(&utf16(text, false), LITTLE) && !is_utf32(&utf16(text, true), BIG));
    }
}

#[test]
fn text_in_utf8_is_never_taken_for_another_encoding() {
    let odd = [
        "a\nb\nc\nd\ne\nf\n".to_owned(),
        "1\t0\t1\t1\t".repeat(50),
        "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}".to_owned(),
        "x\u{0}yz\u{0}\u{1}w".repeat(40),
        "a\u{1}b\u{1}c\u{1}".repeat(40),
        "abc \u{0} def ghi\r\n".repeat(20),
        String::new(),
        "\u{0}".to_owned(),
    ];
    for text in odd.iter().map(String::as_str).chain(TEXTS) {
        for order in [LITTLE, BIG] {
            assert!(!is_utf16(text.as_bytes(), order), "{text:?}");
            assert!(!is_utf32(text.as_bytes(), order), "{text:?}");
        }
    }
}
