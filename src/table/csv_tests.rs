//! Tests of `csv.rs`.

use super::*;

#[test]
fn values_are_exact_and_text_is_quoted_where_it_must_be() {
    let table = Table::new()
        .with(
            "name",
            Column::Text(vec!["plain".into(), "a, \"b\"".into()]),
        )
        .with("x", Column::F64(vec![0.1, f64::NAN]))
        .with("y", Column::Sparse(vec![None, Some(-2.0)]))
        .with("n", Column::U32(vec![7, 0]))
        .with("m", Column::Counts(vec![None, Some(3)]))
        .with("flag", Column::Flags(vec![true, false]));
    assert_eq!(
        String::from_utf8(table.to_csv().unwrap()).unwrap(),
        "name,x,y,n,m,flag\nplain,0.1,,7,,true\n\"a, \"\"b\"\"\",NaN,-2,0,3,false\n"
    );
}
