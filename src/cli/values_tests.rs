//! Tests of `values.rs`.

use super::*;

#[test]
fn what_jobs_have_of_their_own_is_no_option_for_all_of_them() {
    for (given, named) in [
        ("--array=0-3", "--array"),
        ("-a0-3", "--array"),
        ("--arr", "--array"),
        ("--output=/tmp/log", "--output"),
        ("--out", "--output"),
        ("-o", "--output"),
        ("--job-name", "--job-name"),
        ("-Jmine", "--job-name"),
    ] {
        let refused = sbatch_option(given).expect_err(given);
        assert!(refused.starts_with(named), "{refused}");
    }
    for given in [
        "--time=4:00:00",
        "-c8",
        "-A",
        "account",
        "--account=a",
        "--overcommit",
        "--open-mode=append",
        "--signal=B:USR1@300",
        "--wait",
        "-e",
        "--",
        "-",
    ] {
        assert_eq!(sbatch_option(given).as_deref(), Ok(given));
    }
}
