//! Tests of `prepared.rs`.

use super::*;

#[test]
fn a_stream_in_memory_reads_like_a_mapped_one() {
    let split = Split::owned(vec![5, 6, 0, 7, 0], vec![0, 3], 2, 9);
    assert_eq!(split.tokens(), [5, 6, 0, 7, 0]);
    assert_eq!(
        (split.document(0), split.document(1)),
        (&[5, 6, 0][..], &[7, 0][..])
    );
}
