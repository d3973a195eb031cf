//! Tables to bytes and back, and bytes that are no table.

use super::*;

fn example() -> Table {
    Table::new()
        .with("step", Column::U64((0..300).collect()))
        .with(
            "loss",
            Column::F64(
                (0..300)
                    .map(|i| {
                        if i == 7 {
                            f64::NAN
                        } else {
                            f64::from(i).sqrt()
                        }
                    })
                    .collect(),
            ),
        )
        .with(
            "validation",
            Column::Sparse(
                (0..300)
                    .map(|i| (i % 100 == 99).then(|| f64::from(i) / 3.0))
                    .collect(),
            ),
        )
        .with("layer", Column::U32((0..300).map(|i| i % 3).collect()))
        .with("change", Column::I64((0..300).map(|i| 5 - i).collect()))
        .with(
            "model",
            Column::Text((0..300).map(|i| format!("student {i} ä")).collect()),
        )
}

#[test]
fn a_table_comes_back_bit_by_bit() {
    let table = example();
    let back = from_parquet(to_parquet(&table).unwrap(), &Limits::default()).unwrap();
    assert_eq!(back.to_csv().unwrap(), table.to_csv().unwrap());
    assert_eq!(
        back.names().collect::<Vec<_>>(),
        table.names().collect::<Vec<_>>()
    );
    let bits = |table: &Table| {
        table
            .f64("loss")
            .unwrap()
            .iter()
            .map(|value| value.to_bits())
            .collect::<Vec<_>>()
    };
    assert_eq!(bits(&back), bits(&table));
    assert_eq!(
        back.column("validation").unwrap(),
        table.column("validation").unwrap()
    );
}

#[test]
fn equal_tables_have_equal_bytes_from_any_thread() {
    let bytes = to_parquet(&example()).unwrap();
    let others: Vec<Vec<u8>> = std::thread::scope(|scope| {
        (0..4)
            .map(|_| scope.spawn(|| to_parquet(&example()).unwrap()))
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(others.iter().all(|other| *other == bytes));
}

#[test]
fn a_table_without_rows_keeps_its_columns() {
    let table = Table::new()
        .with("step", Column::U64(Vec::new()))
        .with("x", Column::F64(Vec::new()));
    assert_eq!(
        from_parquet(to_parquet(&table).unwrap(), &Limits::default()).unwrap(),
        table
    );
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let bytes = to_parquet(&example()).unwrap();
    for cut in (0..bytes.len())
        .step_by(37)
        .chain(bytes.len() - 20..bytes.len())
    {
        assert!(
            from_parquet(bytes[..cut].to_vec(), &Limits::default()).is_err(),
            "cut at {cut}"
        );
    }
}

#[test]
fn a_flipped_byte_is_an_error_or_another_table_but_never_an_end() {
    let table = Table::new()
        .with("step", Column::U64((0..40).collect()))
        .with(
            "name",
            Column::Text((0..40).map(|i| format!("n{i}")).collect()),
        );
    let bytes = to_parquet(&table).unwrap();
    let mut refused = 0;
    for at in 0..bytes.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut broken = bytes.clone();
            broken[at] ^= mask;
            refused += usize::from(from_parquet(broken, &Limits::default()).is_err());
        }
    }
    assert!(refused > bytes.len(), "{refused} of {}", 3 * bytes.len());
}

#[test]
fn what_a_file_claims_is_held_against_the_limits() {
    let message = |limits: Limits| {
        format!(
            "{:#}",
            from_parquet(to_parquet(&example()).unwrap(), &limits).unwrap_err()
        )
    };
    let limits = Limits::default();
    assert_eq!(
        message(Limits {
            values: 1799,
            ..limits
        }),
        "it claims 300 rows of 6 columns, more than the 1799 values that are read"
    );
    assert!(
        message(Limits {
            bytes: 2000,
            ..limits
        })
        .starts_with("it would take more than the 2000 bytes")
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    std::fs::write(&path, to_parquet(&example()).unwrap()).unwrap();
    assert!(
        read_with(
            &path,
            &Limits {
                file: 100,
                ..limits
            }
        )
        .unwrap_err()
        .to_string()
        .ends_with("more than the 100 that such a file may have")
    );
    assert_eq!(read(&path).unwrap().rows(), 300);
}

#[test]
fn a_few_bytes_that_unfold_to_millions_of_values_are_refused() {
    let rows = 3_000_000;
    let table = Table::new().with("x", Column::Sparse(vec![None; rows]));
    let bytes = to_parquet(&table).unwrap();
    assert!(bytes.len() < 2000, "{}", bytes.len());
    let error = from_parquet(bytes, &Limits::default())
        .map(drop)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("it claims 3000000 rows of 1 columns in "),
        "{error}"
    );
}

#[test]
fn files_of_another_kind_are_named_as_that() {
    let message = |bytes: &[u8]| {
        from_parquet(bytes.to_vec(), &Limits::default())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        message(b""),
        "it is not a parquet file: it does not begin with `PAR1`"
    );
    assert_eq!(
        message(b"step,loss\n0,1.5\n"),
        "it is not a parquet file: it does not begin with `PAR1`"
    );
    assert_eq!(
        message(b"PAR1 and then something else"),
        "it is cut short: it does not end with `PAR1`"
    );
    assert_eq!(
        message(b"PAR1\xff\xff\xff\x7fPAR1"),
        "it is damaged: its footer claims 2147483647 bytes of 12"
    );
}

#[test]
fn notes_of_a_writer_are_not_read_and_a_footer_that_claims_too_much_is_an_error() {
    // Arrow's schema says what the columns say; without it the table is the same.
    let bytes = to_parquet(&example()).unwrap();
    let place = bytes
        .windows(12)
        .position(|window| window == b"ARROW:schema")
        .unwrap();
    let mut other = bytes.clone();
    // No base64, behind the length of the text.
    other[place + 20..place + 30].fill(b'!');
    assert_eq!(
        from_parquet(other, &Limits::default())
            .unwrap()
            .to_csv()
            .unwrap(),
        example().to_csv().unwrap()
    );
    let claims = [
        b"PAR1".as_slice(),
        &[0x49, 0xfc, 0xa0, 0x1f, 0x00],
        &5u32.to_le_bytes(),
        b"PAR1",
    ]
    .concat();
    let error = format!(
        "{:#}",
        from_parquet(claims, &Limits::default()).unwrap_err()
    );
    assert_eq!(
        error,
        "it is damaged: its footer claims 4000 parts in 1 bytes"
    );
}
