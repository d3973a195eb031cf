//! Tests of `curves.rs`.

use super::*;

#[test]
fn long_curves_are_means_over_stretches_and_short_ones_stay() {
    let line = |count: u64| (0..count).map(|step| (step, step as f64));
    assert_eq!(thin(line(3), 1), [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]);
    assert_eq!(thin(line(7), 3), [(1.0, 1.0), (4.0, 4.0), (7.0, 6.0)]);
    // A gap of a whole stretch is a gap.
    assert_eq!(
        thin([(0, 1.0), (9, 5.0)].into_iter(), 3),
        [(1.0, 1.0), (10.0, 5.0)]
    );
    assert!(thin(std::iter::empty(), 3).is_empty());
}

#[test]
fn the_name_of_a_critics_value_is_taken_apart_from_its_end_for_a_term_may_hold_points() {
    let curve = CriticCurve::of("critic.hidden.deep.12.gradient_norm").unwrap();
    assert_eq!(
        (curve.term, curve.state, curve.value),
        ("hidden.deep", "12", "gradient_norm")
    );
    assert_eq!(curve.name(), "critic.hidden.deep.12.gradient_norm");
    assert_eq!(CriticCurve::of("term.hidden"), None);
}

#[test]
fn pulls_and_their_directions_are_read_where_they_were_measured() {
    let curves: Curves = [
        ("gradient.kl", vec![(0.0, 3.0), (50.0, 1.0)]),
        ("gradient.hidden", vec![(0.0, 1.0), (50.0, 3.0)]),
        // Its weight was 0 at first.
        ("gradient.late", vec![(50.0, 4.0)]),
        ("gradient_cosine.hidden", vec![(0.0, 0.5), (50.0, -0.25)]),
        ("gradient_norm", vec![(0.0, 9.0), (50.0, 9.0)]),
    ]
    .map(|(name, values)| (name.to_owned(), values))
    .into();
    assert_eq!(
        gradient_share(&curves, "hidden"),
        [(0.0, 0.25), (50.0, 0.375)]
    );
    assert_eq!(cosine(&curves, "hidden"), [(0.0, 0.5), (50.0, -0.25)]);
    assert_eq!(gradient_share(&curves, "late"), [(50.0, 0.5)]);
    assert!(cosine(&curves, "kl").is_empty() && gradient_share(&curves, "lm").is_empty());
}
