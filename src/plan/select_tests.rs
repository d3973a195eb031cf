//! Tests of `select.rs`.

use super::*;

#[test]
fn shards_are_parts_counted_from_one() {
    assert_eq!(parse_shard("2/4").unwrap(), (2, 4));
    for wrong in ["0/4", "5/4", "2", "a/b", "1/0"] {
        let error = parse_shard(wrong).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "--shard {wrong} is not a part of the grid; write --shard 2/4 for the second \
                     of four"
            )
        );
    }
}

#[test]
fn a_glob_that_is_none_is_an_error() {
    assert!(
        RunSelection::new(&["[".to_owned()], None)
            .unwrap_err()
            .to_string()
            .starts_with("--only [ is not a glob")
    );
}

#[test]
fn a_glob_may_match_an_id_that_nobody_knows_yet_where_it_has_its_digits_alone() {
    for may in ["3f2a*", "*", "????00000000", "[0-9]*", "{3f,arm=}*"] {
        assert!(may_be_an_id(may), "{may}");
    }
    for never in ["arm=mes", "seed=0", "nothing*", "3F2A*", "3f2a-*"] {
        assert!(!may_be_an_id(never), "{never}");
    }
}
