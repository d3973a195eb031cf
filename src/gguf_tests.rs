//! Tests of `gguf.rs`.

use super::*;

#[test]
fn a_file_has_the_bytes_of_the_form() {
    let keys = [
        ("a".to_owned(), KeyValue::U32(7)),
        (
            "b".to_owned(),
            KeyValue::Texts(vec!["x".to_owned(), "yz".to_owned()]),
        ),
        ("c".to_owned(), KeyValue::Bool(true)),
    ];
    let tensors = [
        TensorInfo {
            name: "t".to_owned(),
            shape: vec![2, 3],
        },
        TensorInfo {
            name: "u".to_owned(),
            shape: vec![1],
        },
    ];
    let mut file = Vec::new();
    let mut values = |index: usize| match index {
        0 => vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        _ => vec![7.0],
    };
    write(&mut file, &keys, &tensors, &mut values).unwrap();
    let mut expected = b"GGUF\x03\0\0\0\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0".to_vec();
    expected.extend(b"\x01\0\0\0\0\0\0\0a\x04\0\0\0\x07\0\0\0");
    expected.extend(b"\x01\0\0\0\0\0\0\0b\x09\0\0\0\x08\0\0\0\x02\0\0\0\0\0\0\0");
    expected.extend(b"\x01\0\0\0\0\0\0\0x\x02\0\0\0\0\0\0\0yz");
    expected.extend(b"\x01\0\0\0\0\0\0\0c\x07\0\0\0\x01");
    // The fastest dimension comes first.
    expected.extend(b"\x01\0\0\0\0\0\0\0t\x02\0\0\0\x03\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0");
    expected.extend(b"\0\0\0\0\0\0\0\0\0\0\0\0");
    expected.extend(b"\x01\0\0\0\0\0\0\0u\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x20\0\0\0\0\0\0\0");
    expected.resize(expected.len().next_multiple_of(32), 0);
    expected.extend(
        [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]
            .iter()
            .flat_map(|x| x.to_le_bytes()),
    );
    expected.resize(expected.len().next_multiple_of(32), 0);
    expected.extend(7.0f32.to_le_bytes());
    expected.resize(expected.len().next_multiple_of(32), 0);
    assert_eq!(file, expected);
}
