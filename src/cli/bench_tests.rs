//! Tests of `bench.rs`.

use super::*;

#[test]
fn the_built_in_run_is_told_by_its_models_and_its_vocabulary() {
    let spec = runner::bench_run().unwrap();
    assert_eq!(shapes(&spec), "6×256 → 3×128, vocabulary 4096");
}
