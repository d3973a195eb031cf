//! Tests of `format.rs`.

use super::*;

#[test]
fn numbers_have_four_significant_digits_and_no_negative_zero() {
    for (value, text) in [
        (3.14259, "3.143"),
        (29.4162, "29.42"),
        (0.0, "0"),
        (-0.012342, "−0.01234"),
        (0.00056789, "0.0005679"),
        (0.0000123456, "1.235·10⁻⁵"),
        (999.96, "1000"),
        (123456.0, "123456"),
        (1234567.0, "1.235·10⁶"),
        (f64::NAN, "–"),
        (f64::NEG_INFINITY, "−∞"),
    ] {
        assert_eq!(significant(value, 4), text);
    }
    assert_eq!(
        (
            plain(100.0 * (1.0 - 0.05)),
            plain(100.0 * (1.0 - 0.025)),
            plain(-0.5)
        ),
        ("95".into(), "97.5".into(), "−0.5".into())
    );
    assert_eq!(fixed(-0.00004, 4), "0.0000");
    assert_eq!(fixed(-0.00006, 4), "−0.0001");
    assert_eq!(
        (signed(0.012, 3), signed(-0.012, 3), signed(0.00001, 3)),
        ("+0.012".into(), "−0.012".into(), "0.000".into())
    );
}

#[test]
fn an_end_of_an_interval_shows_on_which_side_of_zero_it_lies() {
    for (value, text) in [
        (0.0102, "+0.0102"),
        (-0.00006, "−0.0001"),
        // These would read as 0, and are none.
        (-0.00003, "−0.00003"),
        (0.000004, "+0.000004"),
        (-1e-9, "−0.0000"),
        (1e-9, "+0.0000"),
        (0.0, "0.0000"),
        (f64::NEG_INFINITY, "−∞"),
        (f64::NAN, "–"),
    ] {
        assert_eq!(interval_end(value, 4), text);
    }
    assert_eq!(interval(-0.00003, 0.0102, 4), "−0.00003 to +0.0102");
}

#[test]
fn counts_powers_prefixes_and_durations_read_well() {
    assert_eq!(
        (count(82_112_256.0), count(999.0), count(-1000.0)),
        ("82,112,256".into(), "999".into(), "−1,000".into())
    );
    assert_eq!(power(1.234e15, 3), "1.23·10¹⁵");
    assert_eq!(
        (
            prefixed(82_112_256.0, 3),
            prefixed(999.99, 3),
            prefixed(0.0, 3)
        ),
        ("82.1 M".into(), "1.00 k".into(), "0".into())
    );
    assert_eq!(
        (
            duration(0.0125),
            duration(61.0),
            duration(600.0),
            duration(9000.0)
        ),
        (
            "12 ms".into(),
            "61.0 s".into(),
            "10.0 min".into(),
            "2.50 h".into()
        )
    );
}

#[test]
fn foreign_text_cannot_become_markup() {
    assert_eq!(
        inert("a|b <script>\n*x* [y](z)"),
        "a\\|b &lt;script&gt; ↵ \\*x\\* \\[y\\](z)"
    );
    assert_eq!(code("a`b|c"), "``a`b\\|c``");
}
