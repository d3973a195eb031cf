//! Whether the tests of layers find faults of synchronisation, by faults that are planted.

use std::process::Command;

use super::cuda_tests::{EMULATOR, emulated};

/// Barriers that are left out, each of which a test of the layers has to find.
const PLANTED: [(&str, &str, &str); 5] = [
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
        "no barrier in the sums of those sums",
        concat!(
            "sums[part][lane] = sum;\n    __syncthreads();\n",
            "    if (part == 0 && column < columns) {\n        float all = 0.0f;\n",
            "        for (int i = 0; i < 8; i++) all += sums[i][lane];\n",
            "        out[column] += all;"
        ),
        concat!(
            "sums[part][lane] = sum;\n    if (part == 0 && column < columns) {\n",
            "        float all = 0.0f;\n",
            "        for (int i = 0; i < 8; i++) all += sums[i][lane];\n",
            "        out[column] += all;"
        ),
    ),
    (
        "no barrier in the sums of a layer norm's columns",
        "sums[1][part][lane] = bias;\n    __syncthreads();",
        "sums[1][part][lane] = bias;",
    ),
];

/// Faults of critics' kernels: barriers, and numbers.
const PLANTED_IN_CRITICS: [(&str, &str, &str); 5] = [
    (
        "no barrier in the sums of a critic's columns",
        concat!(
            "sums[part][lane] = sum;\n    __syncthreads();\n",
            "    if (part == 0 && column < columns) {\n        float all = 0.0f;\n",
            "        for (int i = 0; i < 8; i++) all += sums[i][lane];\n",
            "        partial[((size_t)critic"
        ),
        concat!(
            "sums[part][lane] = sum;\n    if (part == 0 && column < columns) {\n",
            "        float all = 0.0f;\n",
            "        for (int i = 0; i < 8; i++) all += sums[i][lane];\n",
            "        partial[((size_t)critic"
        ),
    ),
    (
        "no barrier in the product with a singular vector",
        concat!(
            "sums[part][lane] = sum;\n    __syncthreads();\n",
            "    if (part == 0 && column < columns) {\n        double all"
        ),
        concat!(
            "sums[part][lane] = sum;\n",
            "    if (part == 0 && column < columns) {\n        double all"
        ),
    ),
    (
        "the teacher's rows counted as the student's",
        "(row < split ? scale : -scale)",
        "scale",
    ),
    (
        "the penalty's slope without its norm",
        "(norm - 1.0) / norm)",
        "(norm - 1.0))",
    ),
    (
        "all critics take the step of the first",
        "numbers[blockIdx.y * 2]",
        "numbers[0]",
    ),
];

#[test]
fn planted_faults_of_synchronisation_are_found() {
    assert_found(&PLANTED, "ops::cuda::cuda_tests::l");
}

#[test]
fn planted_faults_of_critics_are_found() {
    assert_found(&PLANTED_IN_CRITICS, "ops::cuda::critic_tests::critics");
}

/// Every fault fails one of those tests, in some order of threads.
fn assert_found(planted: &[(&str, &str, &str)], tests: &str) {
    if emulated::emulator().is_none() {
        return;
    }
    for (fault, whole, broken) in planted {
        let library = emulated::emulator_of(|text| {
            assert!(text.contains(whole), "{fault}: the text has changed");
            text.replacen(whole, broken, 1)
        });
        let library = library.expect("g++ was there");
        let passes = |order: &str| {
            let exe = std::env::current_exe().expect("this test's own path");
            let test = Command::new(exe)
                .args([tests, "--test-threads=1"])
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
