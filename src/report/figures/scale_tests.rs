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
        ["0", "10k", "20k", "30k", "40k", "50k"]
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
    let label = |value: f64, digits| format::prefixed(value, digits);
    assert_eq!(
        labels(&Scale::logarithmic([1e3, 1e6], label)),
        ["1 k", "10 k", "100 k", "1 M"]
    );
    for (low, high) in [(43e6, 82e6), (1e6, 1.02e6), (5.0, 5.0), (1e-9, 1e9)] {
        let scale = Scale::logarithmic([low, high], label);
        assert!((2..=9).contains(&scale.ticks.len()), "{scale:?}");
    }
    let scale = Scale::logarithmic([1.0, 100.0], label);
    assert!((scale.share(10.0) - 0.5).abs() < 1e-12);
}

#[test]
fn ticks_of_a_logarithmic_axis_are_round_and_no_two_read_the_same() {
    let powers = |value: f64, digits| format::power(value, digits);
    assert_eq!(
        labels(&Scale::logarithmic([3.9e11, 1.1e12], powers)),
        ["4·10¹¹", "6·10¹¹", "8·10¹¹", "1·10¹²"]
    );
    for factor in [1.0001, 1.003, 1.01, 1.07, 1.3, 2.0, 4.9, 5.1, 30.0, 1e5] {
        for low in [6.13e11, 9.99e3, 1.0, 0.37] {
            let scale = Scale::logarithmic([low, low * factor], powers);
            let mut read: Vec<&str> = labels(&scale);
            let all = read.len();
            read.dedup();
            assert!(read.len() == all && all >= 2, "{low} {factor}: {scale:?}");
        }
    }
    let perplexity = |value: f64, digits| format::significant(value, digits);
    assert_eq!(
        labels(&Scale::logarithmic([5.4, 7.4], perplexity)),
        ["5.5", "6.0", "6.5", "7.0", "7.5"]
    );
}

#[test]
fn steps_are_whole_and_the_last_has_its_tick() {
    let of_steps = |last: f64, ticks| {
        let scale = Scale::of_steps([(last, 0.0)].iter(), ticks);
        labels(&scale).join(" ")
    };
    assert_eq!(of_steps(299.0, 3), "0 100 200 300");
    assert_eq!(of_steps(2.0, 6), "0 1 2");
    assert_eq!(of_steps(0.0, 4), "0 1");
}

fn far(values: &[f64]) -> Vec<usize> {
    let values = values.iter().copied().map(Some);
    far_off(values).into_iter().collect()
}

#[test]
fn a_value_is_far_off_where_the_others_have_less_than_a_third_of_the_range() {
    assert_eq!(far(&[1.0, 1.02, 1.43, 1.05, 1.1]), [2]);
    assert_eq!(far(&[1.0, 0.2, 1.02, 1.05, 1.1]), [1]);
    assert!(far(&[1.0, 1.02, 1.2, 1.05, 1.1]).is_empty());
}

#[test]
fn few_values_and_most_values_are_never_far_off() {
    assert!(far(&[1.0, 1.0, 1.0, 9.0]).is_empty());
    assert!(far(&[1.0; 5]).is_empty());
    // Two of five would be too many.
    assert_eq!(far(&[1.0, 1.1, 1.2, 9.0, 90.0]), [4]);
    assert_eq!(far_off([None, Some(1.0)].into_iter()), BTreeSet::new());
}
