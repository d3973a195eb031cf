//! Tests of `thrift.rs`.

use super::*;

#[test]
fn a_data_page_header_is_read_and_every_cut_refused() {
    // type = 0 (data), uncompressed 300, compressed 20, then DataPageHeader { num_values 5,
    // encoding 0, definition 3, repetition 3 } with empty statistics.
    let bytes = [
        0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0x28, 0x2c, 0x15, 0x0a, 0x15, 0x00, 0x15, 0x06, 0x15,
        0x06, 0x1c, 0x00, 0x00, 0x00,
    ];
    let (page, length) = page(&bytes).unwrap();
    assert_eq!(
        (page, length),
        (
            PageHeader {
                uncompressed: 300,
                compressed: 20,
                values: 5,
                is_data: true
            },
            bytes.len()
        )
    );
    for cut in 0..bytes.len() {
        assert!(super::page(&bytes[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn negative_sizes_and_deep_nesting_are_refused() {
    assert!(
        page(&[0x25, 0x01, 0x00])
            .unwrap_err()
            .to_string()
            .contains("negative")
    );
    let mut deep = vec![0x9c];
    deep.extend([0x1c; 40]);
    assert!(page(&deep).unwrap_err().to_string().contains("too deeply"));
    assert!(page(&[0x15]).is_err());
    assert!(
        page(&[
            0x98, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01
        ])
        .is_err()
    );
}
