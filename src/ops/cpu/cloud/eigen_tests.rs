//! Tests of `eigen.rs`.

use super::*;
use crate::ops::test_support::normals;

fn symmetric(n: usize, rank: usize) -> Vec<f64> {
    let half: Vec<f64> = normals(rank * n, 1.0, 5)
        .iter()
        .map(|&x| f64::from(x))
        .collect();
    super::super::super::gemm::transposed_product_f64(&half, n, &half, n)
}

#[test]
fn the_parts_make_up_the_matrix_and_are_orthonormal() {
    for (n, rank) in [(1, 1), (2, 2), (3, 1), (7, 9), (40, 12), (65, 80)] {
        let matrix = symmetric(n, rank);
        let size = matrix.iter().fold(0.0f64, |size, x| size.max(x.abs()));
        let eigen = Eigen::of(matrix.clone(), n);
        for (a, b) in eigen.function(|value| value).iter().zip(&matrix) {
            assert!((a - b).abs() < 1e-12 * size, "{n}: {a} against {b}");
        }
        for (i, unit) in eigen.function(|_| 1.0).iter().enumerate() {
            let expected = if i % (n + 1) == 0 { 1.0 } else { 0.0 };
            assert!((unit - expected).abs() < 1e-12, "{n}: {unit}");
        }
    }
}

#[test]
fn known_matrices_have_their_known_eigenvalues() {
    // 2 on the diagonal and −1 beside it: 2 − 2·cos(kπ/(n + 1)).
    let n = 9;
    let mut matrix = vec![0.0; n * n];
    for i in 0..n {
        matrix[i * n + i] = 2.0;
        if i + 1 < n {
            (matrix[i * n + i + 1], matrix[(i + 1) * n + i]) = (-1.0, -1.0);
        }
    }
    let mut found = Eigen::of(matrix, n).values;
    found.sort_by(f64::total_cmp);
    for (k, value) in found.iter().enumerate() {
        let angle = (k + 1) as f64 * std::f64::consts::PI / (n + 1) as f64;
        assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-14);
    }
    let zero = Eigen::of(vec![0.0; 16], 4);
    assert_eq!(zero.values, [0.0; 4]);
}

#[test]
fn a_matrix_that_is_not_of_numbers_ends_in_numbers_that_are_none() {
    let eigen = Eigen::of(vec![f64::NAN; 9], 3);
    assert!(eigen.function(f64::sqrt).iter().any(|x| x.is_nan()));
}
