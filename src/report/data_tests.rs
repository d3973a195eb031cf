//! Tests of `data.rs`.

use super::*;

#[test]
fn long_curves_are_means_over_stretches_and_short_ones_stay() {
    let line = |count: u64| (0..count).map(|step| (step, step as f64));
    assert_eq!(thin(line(3), 1), [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]);
    assert_eq!(thin(line(7), 3), [(1.0, 1.0), (4.0, 4.0), (7.0, 6.0)]);
    // A gap of a whole stretch is a gap.
    assert_eq!(
        thin([(0, 1.0), (9, 5.0)].into_iter(), 3),
        [(1.0, 1.0), (10.0, 5.0)]
    );
    assert!(thin(std::iter::empty(), 3).is_empty());
}
