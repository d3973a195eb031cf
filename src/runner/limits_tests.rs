//! Tests of `limits.rs`.

use super::*;

#[test]
fn sizes_are_read_as_people_write_them() {
    assert_eq!(parse_size("8GB"), Some(8_000_000_000));
    assert_eq!(parse_size(" 1.5 gb "), Some(1_500_000_000));
    assert_eq!(parse_size("500 MB"), Some(500_000_000));
    assert_eq!(parse_size("123"), Some(123));
    for text in ["", "GB", "0", "-1GB", "8 G B", "8 parsecs", "1.2.3GB"] {
        assert_eq!(parse_size(text), None, "{text}");
    }
}

#[test]
fn groups_fit_the_memory_and_keep_their_order() {
    let need = |index: usize| GroupMemory {
        own: [4.0, 4.0, 3.0, 20.0, 1.0][index],
        shared: 0.0,
    };
    assert_eq!(
        split(&[0, 1, 2, 3, 4], 10.0, need),
        [vec![0, 1], vec![2], vec![3], vec![4]]
    );
    assert_eq!(split(&[0, 1, 2], f64::INFINITY, need), [vec![0, 1, 2]]);
    assert_eq!(split(&[], 1.0, need), Vec::<Vec<usize>>::new());
}

#[test]
fn a_group_takes_its_teacher_once() {
    let need = |index: usize| GroupMemory {
        own: 1.0,
        // A run that needs no teacher may stand beside those that do.
        shared: [0.0, 6.0, 6.0, 6.0, 6.0, 0.0][index],
    };
    assert_eq!(
        split(&[0, 1, 2, 3, 4, 5], 10.0, need),
        [vec![0, 1, 2, 3], vec![4, 5]]
    );
}
