//! Values of arguments: what is one, and what to write instead.

use crate::plan::run::DeviceSpec;

/// More than most machines have cores: a typing error would start threads without end.
const MOST_THREADS: usize = 1024;

pub(super) fn number_of_threads(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|threads| (1..=MOST_THREADS).contains(threads))
        .ok_or_else(|| format!("a number of threads, 1 to {MOST_THREADS}"))
}

pub(super) fn number_of_workers(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|workers| (1..=10_000).contains(workers))
        .ok_or_else(|| "a number of workers, 1 to 10000".to_owned())
}

pub(super) fn device(text: &str) -> Result<DeviceSpec, String> {
    DeviceSpec::parse(text).ok_or_else(|| "`cpu`, or `cuda:0` for the first NVIDIA GPU".to_owned())
}

pub(super) fn number_of_runs(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&runs| runs > 0)
        .ok_or_else(|| "a number of runs, 1 or more".to_owned())
}

pub(super) fn positive(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|value: &f64| value.is_finite() && *value > 0.0)
        .ok_or_else(|| "a number above 0 is needed".to_owned())
}

pub(super) fn probability(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|value| (0.0..=1.0).contains(value))
        .ok_or_else(|| "a number from 0 to 1 is needed".to_owned())
}

pub(super) fn chance(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|value: &f64| (0.5..1.0).contains(value))
        .ok_or_else(|| "a probability from 0.5 to below 1 is needed, 0.8 for example".to_owned())
}

/// Options of `sbatch` that the jobs of a study have of their own, by their long and short names,
/// and what is for it instead.
const OWN_OPTIONS: [(&str, &str, &str); 3] = [
    (
        "--array",
        "-a",
        "the workers are an array already, of as many as --workers says",
    ),
    (
        "--output",
        "-o",
        "each has its own log in results/NAME/slurm",
    ),
    (
        "--job-name",
        "-J",
        "each has its own name, by which it is found again",
    ),
];

/// The fewest letters of a long option that `sbatch` takes for one of these, with its dashes.
const SHORTEST: usize = 4;

/// An option of `sbatch` that can hold for all jobs of a study.
pub(super) fn sbatch_option(text: &str) -> Result<String, String> {
    let name = text.split('=').next().unwrap_or(text);
    let is_own = |(long, short, _): &&(&str, &str, &str)| {
        let is_long = name.len() >= SHORTEST && long.starts_with(name);
        is_long || text.starts_with(*short)
    };
    match OWN_OPTIONS.iter().find(is_own) {
        Some((long, _, instead)) => Err(format!(
            "{long} cannot be the same for all jobs of a study; {instead}"
        )),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
#[path = "values_tests.rs"]
mod tests;
