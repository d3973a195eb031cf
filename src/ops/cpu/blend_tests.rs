//! Tests of `blend.rs`.

use super::*;
use crate::ops::tape::read;
use crate::ops::test_support::{assert_close, matrix, of, with_threads};

#[test]
fn a_mean_is_that_of_every_number() {
    let (a, b) = (
        of(2, 2, vec![1.0, 2.0, 3.0, 4.0]),
        of(2, 2, vec![3.0, 0.0, 5.0, -4.0]),
    );
    assert_eq!(read(&mean_of(&[&a, &b])), [2.0, 1.0, 4.0, 0.0]);
    assert_eq!(read(&mean_of(&[&a])), read(&a));
}

#[test]
fn weights_are_the_softmax_of_products_and_their_entropy_is_told() {
    let x = of(2, 2, vec![1.0, 0.0, 0.0, 0.0]);
    let a = of(2, 2, vec![2f32.ln(), 7.0, 1.0, 1.0]);
    let b = of(2, 2, vec![0.0, 1.0, 3.0, 5.0]);
    let (mixed, entropy) = attended(&x, &[&a, &b]);
    // Two thirds of the first; and equal shares where all products are 0.
    let expected = [2.0 / 3.0 * 2f32.ln(), 5.0, 2.0, 3.0];
    assert_close(&read(&mixed), &expected, 1e-6);
    let of_first = -(2.0 / 3.0 * (2.0f64 / 3.0).ln() + 1.0 / 3.0 * (1.0f64 / 3.0).ln());
    let expected = 0.5 * (of_first + std::f64::consts::LN_2);
    assert!((entropy - expected).abs() < 1e-7, "{entropy}");
}

#[test]
fn products_of_thousands_choose_one_layer_and_stay_finite() {
    let x = of(1, 1, vec![1e4]);
    let (a, b) = (of(1, 1, vec![1e3]), of(1, 1, vec![-1e3]));
    let (mixed, entropy) = attended(&x, &[&a, &b]);
    assert_eq!((read(&mixed), entropy), (vec![1e3], 0.0));
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let all = [0, 1, 2].map(|index| matrix(203, 7, 1.0, index));
    let [one, two, three] = with_threads(|| {
        let (mixed, entropy) = attended(&all[0], &[&all[1], &all[2]]);
        (read(&mixed), entropy)
    });
    assert!(one == two && one == three);
}
