//! `kdpipe bench [SPEC]`: how fast this machine trains.

use std::path::Path;

use super::args::Common;
use super::{CommandResult, Exit, hub_to_plan, print, spec_options};
use crate::hub::{Hub, Settings};
use crate::plan::load;
use crate::runner::{self, Measured, StudyInputs};

pub fn bench(path: Option<&Path>, steps: u64, runs: usize, common: &Common) -> CommandResult {
    let (label, spec, hub) = match path {
        None => (
            "6×256 → 3×128, vocabulary 4096".to_owned(),
            runner::middling()?,
            Hub::quiet(Settings::from_environment(true), Vec::new()),
        ),
        Some(path) => {
            let loaded = load(path, &spec_options(common)?)?;
            let hub = hub_to_plan(&loaded, common)?;
            let plan = loaded.resolve(&StudyInputs::to_plan(&hub))?;
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
        print(&format!(
            "{}\n",
            serde_json::to_string_pretty(&measured).map_err(anyhow::Error::from)?
        ));
    } else {
        print(&text(&label, &measured));
    }
    Ok(Exit::Good)
}

fn text(label: &str, measured: &Measured) -> String {
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
    text += &format!(", {threads} threads, {steps} steps\n\n");
    text += &format!(
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
    if let Some(bytes) = measured.peak_rss_bytes {
        text += &format!("memory     {:.0} MB at the most\n", bytes as f64 / 1e6);
    }
    let used = &measured.of_use;
    let rows = [
        (
            "scoring",
            used.scored_tokens_per_second,
            used.scoring_gflops,
            used.matmul_peak_gflops,
            "GFLOP/s",
            "a plain product's",
        ),
        (
            "decoding",
            used.decoded_tokens_per_second,
            used.decoding_bytes_per_second / 1e9,
            used.memory_bytes_per_second / 1e9,
            "GB/s",
            "the memory's",
        ),
    ];
    text += "\nthe teacher in use\n";
    for (name, tokens, rate, limit, unit, whose) in rows {
        text += &format!(
            "{name:<9} {tokens:>8.0} tokens/s, {rate:.1} {unit}, {:.0} % of {whose} {limit:.1}\n",
            100.0 * rate / limit
        );
    }
    if measured.phases.is_empty() {
        return text;
    }
    let all: f64 = measured.phases.iter().map(|phase| phase.seconds).sum();
    text += "\nphase          ms   share  GFLOP/s\n";
    for phase in measured
        .phases
        .iter()
        .filter(|phase| phase.seconds > 1e-3 * all)
    {
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
