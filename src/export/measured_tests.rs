//! Tests of `measured.rs`.

use super::*;

#[test]
fn an_interval_is_students_t_over_documents() {
    // Means 1, 2 and 3 of documents of one weight: the error is 1/√3, t of two degrees 4.3027.
    let documents = [(1.0, 10), (2.0, 10), (3.0, 10), (0.0, 0)];
    let half = half_width(&documents).unwrap();
    assert!((half - 4.302_65 / 3f64.sqrt()).abs() < 1e-3, "{half}");
    assert_eq!(half_width(&documents[..1]), None);
}
