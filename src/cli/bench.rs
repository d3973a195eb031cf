//! `kdpipe bench [SPEC]`: how fast this machine trains.

use std::path::Path;

use super::args::Common;
use super::{CommandResult, Exit, hub_to_plan, print, print_json, spec_options};
use crate::hub::{Hub, Settings};
use crate::plan::load;
use crate::plan::run::{RunSpec, TeacherSpec, TokenizerSpec};
use crate::runner::{self, Measured, Phase, StudyInputs};

pub fn bench(path: Option<&Path>, steps: u64, runs: usize, common: &Common) -> CommandResult {
    let (label, spec, hub) = match path {
        None => {
            let mut spec = runner::bench_run()?;
            spec.train.device = common.device.unwrap_or_default();
            let hub = Hub::quiet(Settings::from_environment(true), Vec::new());
            (shapes(&spec), spec, hub)
        }
        Some(path) => {
            let loaded = load(path, &spec_options(common)?)?;
            let hub = hub_to_plan(&loaded, common)?;
            let plan = loaded.resolve(&StudyInputs::to_time(&hub))?;
            let costliest = plan
                .runs
                .into_iter()
                .max_by(|a, b| a.estimate.flops.total_cmp(&b.estimate.flops));
            costliest
                .map(|run| (run.label, run.spec, hub))
                .ok_or_else(|| anyhow::anyhow!("the grid is empty"))?
        }
    };
    let measured = runner::bench(&spec, steps, runs, &hub)?;
    if common.json {
        print_json(&measured)?;
    } else {
        print(&text(&label, &measured));
    }
    Ok(Exit::Good)
}

/// The models of a run whose teacher and tokenizer are trained, as `6×256 → 3×128, vocabulary
/// 4096`.
fn shapes(spec: &RunSpec) -> String {
    let student = format!("{}×{}", spec.student.layers, spec.student.width);
    match (&spec.teacher, &spec.tokenizer) {
        (TeacherSpec::Train { layers, width, .. }, TokenizerSpec::Train { vocab_size }) => {
            format!("{layers}×{width} → {student}, vocabulary {vocab_size}")
        }
        _ => student,
    }
}

fn text(label: &str, measured: &Measured) -> String {
    let mut text = heading(label, measured);
    text += &step_speed(measured);
    text += "\nthe teacher in use\n";
    text += &teacher_speed(measured);
    if !measured.phases.is_empty() {
        text += "\nphase          ms   share  GFLOP/s\n";
        text += &phase_rows(&measured.phases);
    }
    text
}

/// What was measured.
fn heading(label: &str, measured: &Measured) -> String {
    let Measured {
        batch,
        accumulate,
        context,
        threads,
        steps,
        runs,
        ..
    } = measured;
    let mut text = format!("{label}: {batch}×{context} tokens");
    if *accumulate > 1 {
        text += &format!(", {accumulate} micro-batches");
    }
    if *runs > 1 {
        text += &format!(", {runs} runs together");
    }
    match &measured.hardware {
        None => text + &format!(", {threads} threads, {steps} steps\n\n"),
        Some(hardware) => text + &format!(", {steps} steps\non {hardware}\n\n"),
    }
}

fn step_speed(measured: &Measured) -> String {
    let mut text = format!(
        "step       {:.1} ms (median; {:.1} to {:.1})\ntokens/s   {:.0}\nGFLOP/s    {:.1}, {:.0} \
         % of a plain product's {:.1}\n",
        1e3 * measured.seconds_per_step,
        1e3 * measured.fastest_step,
        1e3 * measured.slowest_step,
        measured.tokens_per_second,
        measured.gflops,
        100.0 * measured.gflops / measured.matmul_peak_gflops,
        measured.matmul_peak_gflops
    );
    if let Some(bytes) = measured.peak_card_bytes {
        let megabytes = bytes as f64 / 1e6;
        text += &format!("card       {megabytes:.0} MB of its memory at the most\n");
    }
    if let Some(bytes) = measured.peak_rss_bytes {
        text += &format!("memory     {:.0} MB at the most\n", bytes as f64 / 1e6);
    }
    text
}

/// Scoring and decoding, against what limits each: products, or the memory.
fn teacher_speed(measured: &Measured) -> String {
    let used = &measured.of_use;
    let row = |name: &str, tokens: f64, rate: f64, unit: &str, whose: &str, limit: f64| {
        let share = 100.0 * rate / limit;
        format!(
            "{name:<9} {tokens:>8.0} tokens/s, {rate:.1} {unit}, {share:.0} % of {whose} \
             {limit:.1}\n"
        )
    };
    let scoring = row(
        "scoring",
        used.scored_tokens_per_second,
        used.scoring_gflops,
        "GFLOP/s",
        "a plain product's",
        used.matmul_peak_gflops,
    );
    let decoding = row(
        "decoding",
        used.decoded_tokens_per_second,
        used.decoding_bytes_per_second / 1e9,
        "GB/s",
        "the memory's",
        used.memory_bytes_per_second / 1e9,
    );
    scoring + &decoding
}

/// The parts of a step that take a thousandth of it or more.
fn phase_rows(phases: &[Phase]) -> String {
    let all: f64 = phases.iter().map(|phase| phase.seconds).sum();
    let mut text = String::new();
    for phase in phases.iter().filter(|phase| phase.seconds > 1e-3 * all) {
        let rate = if phase.gflops > 0.0 {
            format!("{:.1}", phase.gflops)
        } else {
            "–".to_owned()
        };
        text += &format!(
            "{:<9} {:>7.1} {:>5.0} % {rate:>8}\n",
            phase.name,
            1e3 * phase.seconds,
            100.0 * phase.seconds / all
        );
    }
    text
}

#[cfg(test)]
#[path = "bench_tests.rs"]
mod tests;
