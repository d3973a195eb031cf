//! Tests of `prepared.rs`.

use memmap2::MmapMut;

use super::*;

#[test]
fn a_stream_is_a_part_of_its_file_and_falls_into_documents() {
    let content: Vec<u8> = [9u32, 5, 6, 0, 7, 0, 8]
        .iter()
        .flat_map(|token| token.to_le_bytes())
        .collect();
    let mut map = MmapMut::map_anon(content.len()).unwrap();
    map.copy_from_slice(&content);
    let sizes = SplitSizes {
        tokens: 5,
        words: 2,
        bytes: 9,
    };
    let file = Arc::new(map.make_read_only().unwrap());
    let split = Split::mapped(&file, 4..24, vec![0, 3], sizes);
    assert_eq!(split.tokens(), [5, 6, 0, 7, 0]);
    assert_eq!(
        (split.document(0), split.document(1)),
        (&[5, 6, 0][..], &[7, 0][..])
    );
}
