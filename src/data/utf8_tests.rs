//! Tests of `utf8.rs`.

use super::*;

#[test]
fn any_cut_of_any_bytes_gives_the_text_of_the_whole() {
    let mut stream = crate::random::Stream::new(0, "test", 0);
    let parts: [&[u8]; 8] = [
        "ä".as_bytes(),
        "€".as_bytes(),
        "𝄞".as_bytes(),
        b"x",
        b"\xff",
        b"\xe2\x82",
        b"\xf0\x9d",
        b"\xc3",
    ];
    for _ in 0..2_000 {
        let bytes: Vec<u8> = (0..stream.below(12))
            .flat_map(|_| parts[stream.below(8) as usize])
            .copied()
            .collect();
        let (mut found, mut decoder, mut rest) = (String::new(), Utf8Stream::default(), &bytes[..]);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(1 + stream.below(rest.len() as u64) as usize);
            decoder.push(now, |text| found.push_str(text));
            rest = later;
        }
        decoder.finish(|text| found.push_str(text));
        assert_eq!(found, String::from_utf8_lossy(&bytes), "{bytes:?}");
    }
}

#[test]
fn a_character_waits_until_it_is_whole() {
    let (mut heard, mut decoder) = (Vec::new(), Utf8Stream::default());
    for bytes in [&b"a\xe2"[..], b"\x82", b"\xac!", b"\xc3"] {
        decoder.push(bytes, |text| heard.push(text.to_owned()));
    }
    decoder.finish(|text| heard.push(text.to_owned()));
    assert_eq!(heard, ["a", "€!", "\u{fffd}"]);
}
