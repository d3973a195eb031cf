//! Tests of `adamw.rs`.

use super::*;
use crate::ops::AdamW;

#[test]
fn steps_are_those_of_the_formula_in_f64() {
    let settings = AdamW {
        betas: [0.9, 0.999],
        eps: 1e-8,
    };
    let gradient = |step: u64, i: usize| ((step as f64 * 1.7 + i as f64) * 0.9).sin();
    let mut x: Vec<f32> = (0..40_000).map(|i| (i as f32 * 0.01).cos()).collect();
    let mut exact: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    let mut moments = Moments {
        first: vec![0.0; x.len()],
        second: vec![0.0; x.len()],
    };
    let (mut m, mut v) = (vec![0.0f64; x.len()], vec![0.0f64; x.len()]);
    for step in 1..=5u64 {
        let g: Vec<f32> = (0..x.len()).map(|i| gradient(step, i) as f32).collect();
        let numbers = settings.step(0.5, step, 1e-2, 0.1);
        adamw(&mut x, &mut moments, &g, &numbers);
        for i in 0..exact.len() {
            let g = 0.5 * f64::from(g[i]);
            m[i] = 0.9 * m[i] + 0.1 * g;
            v[i] = 0.999 * v[i] + 0.001 * g * g;
            let (m, v) = (
                m[i] / (1.0 - 0.9f64.powi(step as i32)),
                v[i] / (1.0 - 0.999f64.powi(step as i32)),
            );
            exact[i] = exact[i] * (1.0 - 1e-2 * 0.1) - 1e-2 * m / (v.sqrt() + 1e-8);
        }
    }
    for (found, exact) in x.iter().zip(&exact) {
        assert!(
            (f64::from(*found) - exact).abs() < 2e-6,
            "{found} against {exact}"
        );
    }
}

#[test]
fn any_number_of_threads_gives_the_same_sum() {
    let x: Vec<f32> = (0..100_001).map(|i| (i as f32 * 0.3).sin()).collect();
    let on = |threads: usize| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| sum_of_squares(&x))
    };
    assert!(on(1) == on(2) && on(1) == on(3));
    let exact: f64 = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    assert!((on(1) - exact).abs() < 1e-3 * exact);
}
