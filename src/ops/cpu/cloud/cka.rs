//! Linear CKA.

use super::super::gemm::transposed_product_f64;
use super::super::matmul::product;
use super::super::product::Product;
use super::{Clouds, ValueAndGradient, means, moved, narrowed};

/// See [`crate::ops::CloudDistance::Cka`]. A cloud that is one point is like nothing: 1, without a
/// gradient.
pub(super) fn distance(clouds: Clouds<'_>) -> ValueAndGradient {
    let [own, other] = clouds.widths;
    let x = moved(clouds.x, &means(clouds.x, own));
    let y = moved(clouds.y, &means(clouds.y, other));
    let between = transposed_product_f64(&y, other, &x, own);
    let within = transposed_product_f64(&x, own, &x, own);
    let of_other = transposed_product_f64(&y, other, &y, other);
    let square = |matrix: &[f64]| matrix.iter().map(|x| x * x).sum::<f64>();
    let (shared, a, b) = (
        square(&between),
        square(&within).sqrt(),
        square(&of_other).sqrt(),
    );
    let mut gradient = vec![0.0; if clouds.gradient { clouds.x.len() } else { 0 }];
    if a * b <= f64::MIN_POSITIVE {
        return (1.0, gradient);
    }
    let value = 1.0 - shared / (a * b);
    if clouds.gradient {
        // ∂‖yᵀx‖²/∂x = 2·y·yᵀx and ∂‖xᵀx‖/∂x = 2·x·xᵀx/‖xᵀx‖.
        let scaled = |matrix: &[f64], by: f64| -> Vec<f32> {
            matrix.iter().map(|x| (x * by) as f32).collect()
        };
        let towards = scaled(&between, -2.0 / (a * b));
        let away = scaled(&within, 2.0 * shared / (a * a * a * b));
        let (x, y) = (narrowed(&x), narrowed(&y));
        product(
            Product::new(clouds.rows, other, own),
            &y,
            &towards,
            &mut gradient,
        );
        let second = Product::new(clouds.rows, own, own).accumulate();
        product(second, &x, &away, &mut gradient);
    }
    (value, gradient)
}
