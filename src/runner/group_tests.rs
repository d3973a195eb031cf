//! Tests of `group.rs`.

use super::*;

#[test]
fn parts_fit_the_memory_and_keep_their_order() {
    let cost = |index: usize| [4.0, 4.0, 3.0, 20.0, 1.0][index];
    assert_eq!(
        split(&[0, 1, 2, 3, 4], 10.0, cost),
        [vec![0, 1], vec![2], vec![3], vec![4]]
    );
    assert_eq!(split(&[0, 1, 2], f64::INFINITY, cost), [vec![0, 1, 2]]);
    assert_eq!(split(&[], 1.0, cost), Vec::<Vec<usize>>::new());
}
