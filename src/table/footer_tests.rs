//! Tests of `footer.rs`.

use super::*;
use crate::table::{Column, Table, to_parquet};

/// The footer of a file.
fn footer(file: &[u8]) -> &[u8] {
    let end = file.len() - 8;
    let length = u32::from_le_bytes(file[end..end + 4].try_into().unwrap()) as usize;
    &file[end - length..end]
}

fn refusal(bytes: &[u8]) -> String {
    check(bytes).unwrap_err().to_string()
}

#[test]
fn footers_of_this_program_pass_and_every_cut_is_refused() {
    let table = Table::new()
        .with("step", Column::U64((0..9).collect()))
        .with(
            "loss",
            Column::Sparse((0..9).map(|i| (i > 3).then_some(0.5)).collect()),
        )
        .with(
            "name",
            Column::Text((0..9).map(|i| format!("n{i}")).collect()),
        );
    let file = to_parquet(&table).unwrap();
    let footer = footer(&file);
    check(footer).unwrap();
    for cut in 0..footer.len() {
        assert!(check(&footer[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_list_longer_than_its_footer_is_refused() {
    // Groups: 4,000 of them.
    assert_eq!(
        refusal(&[0x49, 0xfc, 0xa0, 0x1f, 0x00]),
        "its footer claims 4000 parts in 1 bytes"
    );
    // As many as there are bytes, but each takes more than one.
    let mut empty = vec![0x49, 0xfc, 0x64];
    empty.extend([0; 101]);
    assert_eq!(refusal(&empty), "its footer claims 100 parts in 101 bytes");
}

#[test]
fn a_field_that_the_decoder_would_read_otherwise_is_refused() {
    // The list of groups as a text, the number of rows as a list, a list of truths in a field
    // that is skipped, a negative number of a field.
    assert_eq!(
        refusal(&[0x48, 0x00, 0x00]),
        "its footer has a field 4 of another type than the format says"
    );
    assert_eq!(
        refusal(&[0x39, 0x05, 0x00]),
        "its footer has a field 3 of another type than the format says"
    );
    assert_eq!(
        refusal(&[0x49, 0x15, 0x00]),
        "its footer has a list of another type than the format says"
    );
    assert_eq!(
        refusal(&[0xa9, 0x21, 0x01, 0x01, 0x00]),
        "its footer has a list of a type that there is not"
    );
    assert_eq!(
        refusal(&[0x09, 0x01, 0x00]),
        "its footer has a field with a number that there is not"
    );
    assert_eq!(
        refusal(&[0x09, 0x80, 0x80, 0x04, 0x00]),
        "its footer has a field with a number that there is not"
    );
}

#[test]
fn a_schema_may_be_as_deep_as_people_write_them() {
    let schema = |depth: usize| {
        let mut bytes = vec![0x29, 0xfc, u8::try_from(depth).unwrap()];
        // Required, without a name, one child.
        (1..depth).for_each(|_| bytes.extend([0x35, 0x00, 0x18, 0x00, 0x15, 0x02, 0x00]));
        // A number of its own.
        bytes.extend([0x15, 0x04, 0x25, 0x00, 0x18, 0x00, 0x00, 0x00]);
        bytes
    };
    check(&schema(60)).unwrap();
    assert_eq!(refusal(&schema(90)), "its schema is nested too deeply");
    // Branches do not add up.
    assert!(
        check_depth(
            &[200]
                .into_iter()
                .chain((0..200).flat_map(|_| [1, 0]))
                .collect::<Vec<i32>>()
        )
        .is_ok()
    );
}

/// A footer whose schema is a root with one column of a logical type, given as the header of its
/// field and the field's bytes.
fn footer_with_type(header: &[u8], logical_type: &[u8]) -> Vec<u8> {
    let root = [0x48, 1, b'r', 0x15, 2, 0];
    let column = [
        &[0x15, 12, 0x25, 2, 0x18, 1, b'v'][..],
        header,
        logical_type,
        &[0],
    ]
    .concat();
    [
        &[0x15, 2, 0x19, 0x2c][..],
        &root,
        &column,
        &[0x16, 0, 0x19, 0x0c, 0],
    ]
    .concat()
}

#[test]
fn a_logical_type_that_came_later_is_found_and_left_out() {
    // VARIANT is field 16, a struct with a byte; 9 was never given.
    for logical_type in [&[0x0c, 32, 0x13, 1, 0, 0][..], &[0x9c, 0, 0]] {
        for (header, skipped) in [
            (&[0x6c][..], &[0x7c][..]),
            (&[0x0c, 20], &[0x0c, 22]),
            (&[0x0c, 0x94, 0x00], &[0x0c, 0x96, 0x00]),
        ] {
            let mut bytes = footer_with_type(header, logical_type);
            let places = check(&bytes).unwrap();
            assert_eq!(places.len(), 1);
            leave_out(&mut bytes, &places);
            assert_eq!(bytes, footer_with_type(skipped, logical_type));
            assert!(check(&bytes).unwrap().is_empty());
        }
    }
    assert!(
        check(&footer_with_type(&[0x6c], &[0x1c, 0, 0]))
            .unwrap()
            .is_empty()
    );
}
