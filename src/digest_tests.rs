use super::*;

#[test]
fn digits_are_two_a_byte_and_in_lower_case() {
    assert_eq!(hex(&[0x00, 0x0f, 0xa0, 0xff]), "000fa0ff");
}

#[test]
fn the_hash_is_that_of_sha256sum_in_one_piece_or_by_a_reader() {
    // `printf 'hello\n' | sha256sum`.
    let known = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    assert_eq!(sha256(b"hello\n"), known);
    let begun = Sha256::new_with_prefix(b"hel");
    let (digits, length) = of_reader(&b"lo\n"[..], begun).unwrap();
    assert_eq!((digits.as_str(), length), (known, 3));
}
