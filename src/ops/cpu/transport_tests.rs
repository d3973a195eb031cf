//! Tests of `transport.rs`: against all permutations, against prices that prove the optimum, and
//! against closed forms.

use super::*;
use crate::random::Stream;

fn cloud(rows: usize, width: usize, index: u64) -> Vec<f32> {
    let mut stream = Stream::new(3, "test", index);
    (0..rows * width).map(|_| stream.normal() as f32).collect()
}

/// The least total over all assignments of the rows from `row` on to columns that are not taken.
fn least(costs: &[f64], n: usize, row: usize, taken: &mut Vec<bool>) -> f64 {
    if row == n {
        return 0.0;
    }
    let mut best = f64::INFINITY;
    for column in 0..n {
        if !taken[column] {
            taken[column] = true;
            best = best.min(costs[row * n + column] + least(costs, n, row + 1, taken));
            taken[column] = false;
        }
    }
    best
}

fn wasserstein_1(a: &[f32], b: &[f32], width: usize) -> f64 {
    between_clouds(a, b, width).wasserstein_1
}

#[test]
fn no_assignment_of_a_few_vectors_is_cheaper() {
    for n in 1..=7 {
        for index in 0..20 {
            let (a, b) = (cloud(n, 3, index), cloud(n, 3, index + 100));
            let costs = distances(&a, &b, 3);
            let expected = least(&costs, n, 0, &mut vec![false; n]) / n as f64;
            let found = wasserstein_1(&a, &b, 3);
            assert!(
                (found - expected).abs() < 1e-12,
                "{n} {index}: {found} {expected}"
            );
        }
    }
}

#[test]
fn ties_are_no_trouble() {
    // A grid with itself, each point twice: many assignments are the cheapest.
    let points: Vec<f32> = (0..50)
        .flat_map(|i| [(i % 5) as f32, (i / 10) as f32])
        .collect();
    assert_eq!(wasserstein_1(&points, &points, 2), 0.0);
    let equal = vec![1.0_f32; 40];
    assert_eq!(wasserstein_1(&equal, &equal, 4), 0.0);
}

#[test]
fn prices_prove_that_no_assignment_of_many_vectors_is_cheaper() {
    let n = 300;
    let costs = distances(&cloud(n, 16, 0), &cloud(n, 16, 1), 16);
    let found = Assignment::of(&costs, n);
    let mut seen = vec![false; n];
    for row in 0..n {
        let own = found.column_of_row[row];
        assert!(!std::mem::replace(&mut seen[own], true));
        // No other column is cheaper for the row at these prices.
        let reduced = costs[row * n + own] - found.prices[own];
        for column in 0..n {
            let other = costs[row * n + column] - found.prices[column];
            assert!(reduced <= other + 1e-9, "{row} {column}: {reduced} {other}");
        }
    }
}

#[test]
fn clouds_that_differ_by_a_shift_are_its_length_apart() {
    let a = cloud(200, 8, 0);
    let b: Vec<f32> = a.iter().map(|x| x + 0.5).collect();
    let length = 0.5 * f64::sqrt(8.0);
    assert!((wasserstein_1(&a, &b, 8) - length).abs() < 1e-6);
    // On a line the pairs are those of the sorted order.
    let (x, y) = (cloud(101, 1, 4), cloud(101, 1, 5));
    let sorted = |cloud: &[f32]| {
        let mut sorted = cloud.to_vec();
        sorted.sort_by(f32::total_cmp);
        sorted
    };
    let expected = sorted(&x)
        .iter()
        .zip(sorted(&y))
        .map(|(x, y)| f64::from((x - y).abs()))
        .sum::<f64>()
        / 101.0;
    assert!((wasserstein_1(&x, &y, 1) - expected).abs() < 1e-6);
}

#[test]
fn energy_distance_is_its_double_sum_without_the_diagonal() {
    let (m, n, width) = (9, 9, 3);
    let (a, b) = (cloud(m, width, 0), cloud(n, width, 1));
    let distance = |x: &[f32], i: usize, y: &[f32], j: usize| {
        let at = |c: usize| f64::from(x[i * width + c]) - f64::from(y[j * width + c]);
        (0..width).map(|c| at(c) * at(c)).sum::<f64>().sqrt()
    };
    let mean = |x: &[f32], m: usize, y: &[f32], n: usize, leaves_out: bool| {
        let mut values = Vec::new();
        for i in 0..m {
            for j in (0..n).filter(|&j| !(leaves_out && i == j)) {
                values.push(distance(x, i, y, j));
            }
        }
        values.iter().sum::<f64>() / values.len() as f64
    };
    let expected =
        2.0 * mean(&a, m, &b, n, false) - mean(&a, m, &a, m, true) - mean(&b, n, &b, n, true);
    let energy =
        between_clouds(&a, &b, width).energy([mean_within(&a, width), mean_within(&b, width)]);
    assert!((energy - expected).abs() < 1e-12);
}
