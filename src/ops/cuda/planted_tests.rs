//! Whether the tests of layers find faults of synchronisation, by faults that are planted.

use std::process::Command;

use super::cuda_tests::{EMULATOR, emulated};

/// Barriers that are left out, each of which a test of the layers has to find.
const PLANTED: [(&str, &str, &str); 4] = [
    (
        "no barrier behind the sums of a block",
        "if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = x;\n    __syncthreads();",
        "if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = x;",
    ),
    (
        "no barrier before the sums of a block",
        "    __syncthreads();  // of an earlier call nobody reads any more\n    \
         if (threadIdx.x % 32 == 0) sums",
        "    if (threadIdx.x % 32 == 0) sums",
    ),
    (
        "no barrier in the sums of columns",
        "sums[part][lane] = sum;\n    __syncthreads();",
        "sums[part][lane] = sum;",
    ),
    (
        "no barrier in the sums of a layer norm's columns",
        "sums[1][part][lane] = bias;\n    __syncthreads();",
        "sums[1][part][lane] = bias;",
    ),
];

#[test]
fn planted_faults_of_synchronisation_are_found() {
    if emulated::emulator().is_none() {
        return;
    }
    for (fault, whole, broken) in PLANTED {
        let library = emulated::emulator_of(|text| {
            assert!(text.contains(whole), "{fault}: the text has changed");
            text.replacen(whole, broken, 1)
        });
        let library = library.expect("g++ was there");
        let passes = |order: &str| {
            let exe = std::env::current_exe().expect("this test's own path");
            let test = Command::new(exe)
                .args(["ops::cuda::cuda_tests::l", "--test-threads=1"])
                .env(EMULATOR, &library)
                .env("KDPIPE_TEST_EMULATED_ORDER", order)
                .output();
            test.expect("a test that starts").status.success()
        };
        assert!(
            !["0", "1", "2"].iter().all(|order| passes(order)),
            "{fault} goes unseen"
        );
    }
}
