//! Tests of `limits.rs`.

use super::*;

#[test]
fn sizes_are_read_as_people_write_them() {
    assert_eq!(parse_size("8GB"), Some(8_000_000_000));
    assert_eq!(parse_size(" 1.5 gb "), Some(1_500_000_000));
    assert_eq!(parse_size("500 MB"), Some(500_000_000));
    assert_eq!(parse_size("123"), Some(123));
    for (text, bytes) in [
        ("16K", 16 << 10),
        ("500m", 500 << 20),
        ("8G", 8 << 30),
        ("8 GiB", 8 << 30),
        ("1.5T", 3 << 39),
        ("2 TiB", 2 << 40),
    ] {
        assert_eq!(parse_size(text), Some(bytes), "{text}");
    }
    for text in ["", "GB", "G", "0", "-1GB", "8 G B", "8 parsecs", "1.2.3GB"] {
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
fn a_group_on_a_card_goes_by_the_card_and_one_on_the_host_by_the_least_that_is_granted() {
    let granted = [Some(64_000), Some(16_000), None];
    assert_eq!(most_of(None, granted), MEMORY_SHARE * 16_000.0);
    assert_eq!(most_of(Some(139_000), granted), MEMORY_SHARE * 139_000.0);
    assert_eq!(most_of(None, [None; 3]), f64::INFINITY);
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
