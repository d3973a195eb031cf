//! Tests of `metrics.rs`.

use super::*;

fn values(pairs: &[(&str, f64)]) -> MetricValues {
    pairs
        .iter()
        .map(|&(name, value)| (name.to_owned(), value))
        .collect()
}

#[test]
fn rows_come_back_with_nan_kept_and_absence_kept_apart_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.parquet");
    let rows = vec![
        (0, values(&[("loss.kl", 0.1), ("lr", 1e-4)])),
        (1, values(&[("loss.kl", f64::NAN), ("lr", 2e-4)])),
        (1, values(&[("validation.nll", 3.5)])),
        (2, values(&[("loss.kl", f64::INFINITY), ("lr", -0.0)])),
    ];
    write_metrics(&path, &rows).unwrap();
    let read = read_metrics(&path).unwrap();
    assert_eq!(read.iter().map(|row| row.0).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(read[0].1, rows[0].1);
    assert!(read[1].1["loss.kl"].is_nan());
    assert_eq!(read[1].1["validation.nll"], 3.5);
    assert!(!read[2].1.contains_key("validation.nll"));
    assert_eq!(read[2].1["lr"].to_bits(), (-0.0f64).to_bits());
    assert_eq!(
        table::read(&path).unwrap().names().collect::<Vec<_>>(),
        ["step", "loss.kl", "lr", "validation.nll"]
    );
}

#[test]
fn the_order_in_which_values_came_does_not_change_the_bytes() {
    let one = vec![
        (0, values(&[("a", 1.0), ("b", 2.0)])),
        (1, values(&[("a", 3.0)])),
    ];
    let two = vec![
        (0, values(&[("b", 2.0)])),
        (0, values(&[("a", 1.0)])),
        (1, values(&[("a", 3.0)])),
    ];
    let bytes = |rows: &[MetricsRow]| table::to_parquet(&metrics_table(rows).unwrap()).unwrap();
    assert_eq!(bytes(&one), bytes(&two));
}

#[test]
fn no_rows_are_a_table_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.parquet");
    write_metrics(&path, &[]).unwrap();
    assert_eq!(read_metrics(&path).unwrap(), []);
    assert!(metrics_table(&[(0, values(&[("step", 1.0)]))]).is_err());
}
