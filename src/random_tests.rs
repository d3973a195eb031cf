//! Tests of `random.rs`.

use super::*;

#[test]
fn streams_differ_by_seed_purpose_and_index_and_repeat_themselves() {
    let first = |seed, purpose, index| Stream::new(seed, purpose, index).bits();
    assert_eq!(first(1, "init", 0), first(1, "init", 0));
    let all = [
        first(1, "init", 0),
        first(2, "init", 0),
        first(1, "order", 0),
        first(1, "init", 1),
    ];
    for (i, a) in all.iter().enumerate() {
        assert!(all[i + 1..].iter().all(|b| a != b));
    }
}

#[test]
fn normal_numbers_have_mean_zero_and_variance_one() {
    let mut stream = Stream::new(0, "test", 0);
    let draws: Vec<f64> = (0..100_000).map(|_| stream.normal()).collect();
    let mean = draws.iter().sum::<f64>() / draws.len() as f64;
    let variance = draws.iter().map(|x| x * x).sum::<f64>() / draws.len() as f64;
    assert!(mean.abs() < 0.02, "{mean}");
    assert!((variance - 1.0).abs() < 0.02, "{variance}");
}

#[test]
fn a_permutation_holds_every_number_once() {
    let mut order = Stream::new(3, "test", 0).permutation(1000);
    order.sort_unstable();
    assert!(order.iter().enumerate().all(|(i, &x)| i == x));
}

#[test]
fn integers_below_a_bound_are_uniform() {
    let mut stream = Stream::new(5, "test", 0);
    let mut counts = [0u32; 7];
    (0..70_000).for_each(|_| counts[stream.below(7) as usize] += 1);
    assert!(
        counts.iter().all(|&count| (9_500..10_500).contains(&count)),
        "{counts:?}"
    );
}
