//! Tests of `flow.rs`.

use super::*;
use crate::random::Stream;

/// Whether nothing can be sent in a circle at a gain, which is what cheapest means: after Floyd and
/// Warshall no node of the residual network comes back to itself below 0.
fn is_cheapest(flow: &[f64], costs: &[f64], m: usize, n: usize) -> bool {
    let nodes = m + n;
    let mut far = vec![f64::INFINITY; nodes * nodes];
    for source in 0..m {
        for sink in 0..n {
            let way = source * n + sink;
            far[source * nodes + m + sink] = costs[way];
            if flow[way] > 1e-9 {
                far[(m + sink) * nodes + source] = -costs[way];
            }
        }
    }
    for between in 0..nodes {
        for from in 0..nodes {
            for to in 0..nodes {
                let there = far[from * nodes + between] + far[between * nodes + to];
                // What rounding makes of a circle that costs nothing must not grow.
                if there < far[from * nodes + to] - 1e-12 {
                    far[from * nodes + to] = there;
                }
            }
        }
    }
    (0..nodes).all(|node| far[node * nodes + node] > -1e-9)
}

fn assert_cheapest(costs: &[f64], supplies: &[f64], demands: &[f64]) -> f64 {
    let (m, n) = (supplies.len(), demands.len());
    let flow = cheapest_flow(costs, supplies, demands);
    assert!(flow.iter().all(|&amount| amount >= 0.0));
    for (source, supply) in supplies.iter().enumerate() {
        let sum: f64 = flow[source * n..(source + 1) * n].iter().sum();
        assert!((sum - supply).abs() < 1e-9, "{source}: {sum} of {supply}");
    }
    for (sink, demand) in demands.iter().enumerate() {
        let sum: f64 = (0..m).map(|source| flow[source * n + sink]).sum();
        assert!((sum - demand).abs() < 1e-9, "{sink}: {sum} of {demand}");
    }
    assert!(is_cheapest(&flow, costs, m, n), "{costs:?}\n{flow:?}");
    let ways = flow.iter().filter(|&&amount| amount > 0.0).count();
    assert!(ways < m + n, "{ways} ways of {m} and {n}");
    flow.iter().zip(costs).map(|(flow, cost)| flow * cost).sum()
}

fn equal(count: usize) -> Vec<f64> {
    vec![1.0 / count as f64; count]
}

#[test]
fn flows_of_every_shape_and_sign_of_costs_cannot_be_made_cheaper() {
    for (index, (m, n)) in [
        (1, 1),
        (1, 5),
        (4, 1),
        (2, 3),
        (3, 6),
        (6, 12),
        (5, 5),
        (12, 48),
    ]
    .into_iter()
    .enumerate()
    {
        let mut stream = Stream::new(3, "flow", index as u64);
        let costs: Vec<f64> = (0..m * n).map(|_| stream.normal()).collect();
        assert_cheapest(&costs, &equal(m), &equal(n));
        let mut weights = |count: usize| {
            let all: Vec<f64> = (0..count).map(|_| stream.uniform().powi(4)).collect();
            let sum: f64 = all.iter().sum();
            all.into_iter()
                .map(|weight| weight / sum)
                .collect::<Vec<f64>>()
        };
        let (supplies, demands) = (weights(m), weights(n));
        assert_cheapest(&costs, &supplies, &demands);
    }
}

#[test]
fn costs_that_are_all_the_same_are_a_flow_too_and_always_the_same_one() {
    for cost in [0.0, 2.5] {
        let costs = vec![cost; 18];
        assert!((assert_cheapest(&costs, &equal(3), &equal(6)) - cost).abs() < 1e-12);
        let again = || cheapest_flow(&costs, &equal(3), &equal(6));
        assert_eq!(again(), again());
    }
}

#[test]
fn the_cost_is_that_of_pot() {
    // ot.emd2 of POT 0.9.7 with these weights and costs.
    let costs = [
        0.9, 0.4, 0.7, 0.2, 0.3, 0.8, 0.5, 0.6, 0.1, 0.35, 0.45, 0.55,
    ];
    let supplies = [0.5, 0.2, 0.3];
    let demands = [0.1, 0.4, 0.3, 0.2];
    let cost = assert_cheapest(&costs, &supplies, &demands);
    assert!((cost - POT).abs() < 1e-12, "{cost}");
}

const POT: f64 = 0.35;
