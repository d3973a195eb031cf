//! Tests of `clouds.rs`.

use super::*;

fn cloud(rows: usize, width: usize, index: u64) -> Vec<f32> {
    let mut stream = Stream::new(3, "test", index);
    (0..rows * width).map(|_| stream.normal() as f32).collect()
}

#[test]
fn cka_is_one_for_a_rotated_scaled_and_shifted_cloud() {
    let a = cloud(50, 2, 0);
    let b: Vec<f32> = a
        .chunks_exact(2)
        .flat_map(|x| {
            [
                5.0 * (0.6 * x[0] - 0.8 * x[1]) + 7.0,
                5.0 * (0.8 * x[0] + 0.6 * x[1]) - 2.0,
            ]
        })
        .collect();
    assert!((linear_cka(&a, 2, &b, 2, 50) - 1.0).abs() < 1e-6);
}

#[test]
fn cka_equals_its_definition_by_centred_gram_matrices() {
    // tr(K·L) / √(tr(K·K)·tr(L·L)) with K and L the centred (rows, rows) Gram matrices: the
    // other side of the identity that the kernel uses.
    let (rows, p, q) = (9, 3, 5);
    let (a, b) = (cloud(rows, p, 0), cloud(rows, q, 1));
    let gram = |x: &[f32], width: usize| -> Vec<f64> {
        let mean =
            |c: usize| (0..rows).map(|r| f64::from(x[r * width + c])).sum::<f64>() / rows as f64;
        let means: Vec<f64> = (0..width).map(mean).collect();
        let at = |r: usize, c: usize| f64::from(x[r * width + c]) - means[c];
        (0..rows * rows)
            .map(|i| (0..width).map(|c| at(i / rows, c) * at(i % rows, c)).sum())
            .collect()
    };
    let (k, l) = (gram(&a, p), gram(&b, q));
    let inner = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let expected = inner(&k, &l) / (inner(&k, &k) * inner(&l, &l)).sqrt();
    assert!((linear_cka(&a, p, &b, q, rows) - expected).abs() < 1e-12);
}

#[test]
fn independent_clouds_have_a_small_cka() {
    assert!(linear_cka(&cloud(4000, 4, 0), 4, &cloud(4000, 3, 1), 3, 4000) < 0.01);
}

#[test]
fn sliced_w2_of_a_shift_in_one_dimension_is_the_shift() {
    let a = cloud(64, 1, 0);
    let b: Vec<f32> = a.iter().rev().map(|x| x + 3.0).collect();
    assert!((sliced_w2(&a, &b, 1, 64, 5, 0) - 3.0).abs() < 1e-6);
}

#[test]
fn sliced_w2_of_a_shift_is_the_shift_over_the_root_of_the_width() {
    // A projection moves by the shift's coordinate along it, and E⟨shift, direction⟩² =
    // ‖shift‖²/width.
    let a = cloud(16, 8, 0);
    let b: Vec<f32> = a
        .iter()
        .enumerate()
        .map(|(i, x)| if i % 8 == 2 { x + 4.0 } else { *x })
        .collect();
    let found = sliced_w2(&a, &b, 8, 16, 4000, 1);
    assert!((found / (4.0 / 8f64.sqrt()) - 1.0).abs() < 0.03, "{found}");
}

#[test]
fn sliced_w2_sees_clouds_not_pairs_and_repeats_itself() {
    let a = cloud(32, 5, 0);
    let b: Vec<f32> = a.chunks_exact(5).rev().flatten().copied().collect();
    assert_eq!(sliced_w2(&a, &b, 5, 32, 10, 7), 0.0);
    let c = cloud(32, 5, 1);
    assert_eq!(
        sliced_w2(&a, &c, 5, 32, 10, 7),
        sliced_w2(&a, &c, 5, 32, 10, 7)
    );
    assert_ne!(
        sliced_w2(&a, &c, 5, 32, 10, 7),
        sliced_w2(&a, &c, 5, 32, 10, 8)
    );
}
