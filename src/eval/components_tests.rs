//! Tests of `components.rs`.

use super::*;

#[test]
fn a_rotated_cloud_is_rotated_back() {
    let mut stream = Stream::new(1, "test", 0);
    let narrow: Vec<f32> = (0..50)
        .flat_map(|_| {
            let row: Vec<f32> = (0..4)
                .map(|j| (stream.normal() * f64::from(1 + j)) as f32)
                .collect();
            row
        })
        .collect();
    // A rotation by 0.3 in the plane of the first two axes, a swap of the others, one more
    // coordinate, and another centre.
    let (sine, cosine) = 0.3f32.sin_cos();
    let wide: Vec<f32> = narrow
        .chunks_exact(4)
        .flat_map(|p| {
            [
                cosine * p[0] - sine * p[1] + 5.0,
                sine * p[0] + cosine * p[1],
                -p[3],
                p[2] - 1.0,
                0.5,
            ]
        })
        .collect();
    let (a, b, k) = to_common_space((&wide, 5), (&narrow, 4));
    assert_eq!((k, a.len(), b.len()), (4, 200, 200));
    for (x, y) in a.iter().zip(&b) {
        assert!((x - y).abs() < 1e-4, "{x} {y}");
    }
}

#[test]
fn components_keep_the_variance_that_they_can() {
    let mut stream = Stream::new(2, "test", 0);
    let states: Vec<f32> = (0..200)
        .flat_map(|_| [10.0, 3.0, 0.1].map(|s| (s * stream.normal()) as f32))
        .collect();
    let coordinates = principal_coordinates(&states, 3, 2);
    let variance = |j: usize| {
        coordinates
            .chunks_exact(2)
            .map(|c| c[j] * c[j])
            .sum::<f64>()
            / 200.0
    };
    assert!(
        (variance(0) / 100.0 - 1.0).abs() < 0.3 && (variance(1) / 9.0 - 1.0).abs() < 0.3,
        "{} {}",
        variance(0),
        variance(1)
    );
}

#[test]
fn clouds_without_extent_are_no_trouble() {
    let (a, b, k) = to_common_space((&[1.0; 30], 3), (&[2.0; 20], 2));
    assert_eq!(k, 2);
    assert!(a.iter().chain(&b).all(|x| x.abs() < 1e-6));
}
