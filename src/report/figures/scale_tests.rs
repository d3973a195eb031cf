//! Tests of `scale.rs`.

use super::*;

fn labels(scale: &Scale) -> Vec<&str> {
    scale.ticks.iter().map(|tick| tick.1.as_str()).collect()
}

#[test]
fn linear_ticks_are_round_numbers_inside_the_range() {
    assert_eq!(
        labels(&Scale::exactly(0.0, 1.0, 4)),
        ["0.00", "0.25", "0.50", "0.75", "1.00"]
    );
    assert_eq!(
        labels(&Scale::exactly(-0.021, 0.012, 4)),
        ["−0.02", "−0.01", "0.00", "0.01"]
    );
    assert_eq!(
        labels(&Scale::exactly(0.0, 50_000.0, 5)),
        ["0", "10.0k", "20.0k", "30.0k", "40.0k", "50.0k"]
    );
    let one = Scale::linear([3.5], 4);
    assert!(
        one.low < 3.5 && one.high > 3.5 && one.ticks.len() >= 2,
        "{one:?}"
    );
    assert!(!Scale::linear([f64::NAN], 4).ticks.is_empty());
}

#[test]
fn logarithmic_ticks_suit_the_span() {
    let label = |value: f64| format::prefixed(value, 3);
    assert_eq!(
        labels(&Scale::logarithmic([1e3, 1e6], label)),
        ["1.00 k", "10.0 k", "100 k", "1.00 M"]
    );
    for (low, high) in [(43e6, 82e6), (1e6, 1.02e6), (5.0, 5.0), (1e-9, 1e9)] {
        let scale = Scale::logarithmic([low, high], label);
        assert!((2..=9).contains(&scale.ticks.len()), "{scale:?}");
    }
    let scale = Scale::logarithmic([1.0, 100.0], label);
    assert!((scale.share(10.0) - 0.5).abs() < 1e-12);
}
