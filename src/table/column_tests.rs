//! Tests of `column.rs`.

use super::*;

#[test]
fn columns_are_found_by_name_and_kind() {
    let table = Table::new()
        .with("step", Column::U64(vec![0, 1]))
        .with("loss", Column::F64(vec![2.5, f64::NAN]))
        .with("validation", Column::Sparse(vec![None, Some(1.0)]));
    assert_eq!(table.rows(), 2);
    assert_eq!(table.u64("step").unwrap(), [0, 1]);
    assert_eq!(
        table.sparse("validation").unwrap().as_ref(),
        [None, Some(1.0)]
    );
    assert_eq!(table.sparse("loss").unwrap()[0], Some(2.5));
    assert_eq!(
        table.f64("los").unwrap_err().to_string(),
        "there is no column `los`; the columns are step, loss, validation"
    );
    assert_eq!(
        table.f64("validation").unwrap_err().to_string(),
        "the column `validation` holds numbers, some absent, not numbers"
    );
    assert_eq!(
        table.text("step").unwrap_err().to_string(),
        "the column `step` holds whole numbers, not text"
    );
}

#[test]
#[should_panic(expected = "`b` has 1 rows where 2 are")]
fn columns_of_another_length_are_refused() {
    let _ = Table::new()
        .with("a", Column::F64(vec![1.0, 2.0]))
        .with("b", Column::F64(vec![1.0]));
}
