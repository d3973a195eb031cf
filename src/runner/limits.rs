//! Whether what is left of a study fits this machine, asked before time is spent.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::files::{free_space, size_in_words as size};
use crate::plan::{Plan, PlannedRun};
use crate::record::layout::Layout;
use crate::record::{RunState, run_state};

/// The setting that lowers what a study may take of the memory.
pub const MEMORY_SETTING: &str = "KDPIPE_MEMORY";

/// What there is, in bytes; none where the system does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Machine {
    /// All of the memory, or what the setting or the process's own group of processes allows of it.
    memory: Option<u64>,
    free_disk: Option<u64>,
}

/// Refuses what cannot fit: a run that needs more memory than there is, runs that need more disk
/// than is free.
///
/// # Errors
/// What does not fit, with both figures and what to change; a setting that is no size.
pub fn check_limits(plan: &Plan, selected: &[usize], layout: &Layout) -> Result<()> {
    let open = |index: &&usize| {
        !matches!(
            run_state(layout, &plan.runs[**index].id),
            Ok(RunState::Published | RunState::Diverged(_))
        )
    };
    let open: Vec<&PlannedRun> = selected
        .iter()
        .filter(open)
        .map(|&index| &plan.runs[index])
        .collect();
    check(
        &open,
        Machine {
            memory: memory()?,
            free_disk: free_space(&layout.root),
        },
        &layout.root,
    )
}

fn check(open: &[&PlannedRun], machine: Machine, folder: &Path) -> Result<()> {
    let mut faults = Vec::new();
    if let Some((run, memory)) = open
        .iter()
        .max_by_key(|run| run.estimate.memory_bytes)
        .zip(machine.memory)
        && run.estimate.memory_bytes > memory
    {
        faults.push(format!(
            "the run {} needs about {} of memory, and there are {}; lower train.batch (and raise \
             train.accumulate by as much), train.context, student.layers or student.width",
            run.label,
            size(run.estimate.memory_bytes),
            size(memory)
        ));
    }
    let disk = needed_disk(open);
    if let Some(free) = machine.free_disk.filter(|&free| disk > free) {
        faults.push(format!(
            "the {} runs that are left need about {} of disk below {}, and {} are free; give \
             another folder with --results, or do a part at a time with --shard",
            open.len(),
            size(disk),
            folder.display(),
            size(free)
        ));
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("; "));
    }
    Ok(())
}

/// What finished runs keep, and the checkpoints of the largest group while it is trained.
fn needed_disk(open: &[&PlannedRun]) -> u64 {
    let kept: u64 = open.iter().map(|run| run.estimate.kept_bytes).sum();
    let mut groups: BTreeMap<&str, u64> = BTreeMap::new();
    for run in open {
        *groups.entry(&run.group_key).or_default() += run
            .estimate
            .disk_bytes
            .saturating_sub(run.estimate.kept_bytes);
    }
    kept + groups.into_values().max().unwrap_or(0)
}

/// Disk that the runs need at the most, while they are trained.
pub fn disk_of(plan: &Plan) -> u64 {
    needed_disk(&plan.runs.iter().collect::<Vec<_>>())
}

/// Memory that a study may take, where it is known: the setting's, else all of the machine's or of
/// the limit that the process runs under.
fn memory() -> Result<Option<u64>> {
    if let Some(setting) = setting()? {
        return Ok(Some(setting));
    }
    let machine = meminfo("MemTotal:");
    let limit = std::fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok());
    Ok(machine.into_iter().chain(limit).min())
}

/// Memory that is free for a group of runs, in bytes.
///
/// # Errors
/// A setting that is no size.
pub(super) fn available_memory() -> Option<u64> {
    let free = meminfo("MemAvailable:");
    free.into_iter().chain(setting().ok().flatten()).min()
}

fn meminfo(name: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<u64>()
        .ok()
        .map(|kilobytes| kilobytes * 1024)
}

fn setting() -> Result<Option<u64>> {
    let Some(text) = std::env::var_os(MEMORY_SETTING) else {
        return Ok(None);
    };
    let text = text.to_string_lossy().into_owned();
    parse_size(&text)
        .map(Some)
        .with_context(|| format!("{MEMORY_SETTING} = {text:?} is no size; write 8GB or 500MB"))
}

/// `8GB`, `1.5 GB`, `500 MB`, or bytes.
fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let unit = match text[end..].trim().to_ascii_uppercase().as_str() {
        "" | "B" => 1.0,
        "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        _ => return None,
    };
    text[..end]
        .parse::<f64>()
        .ok()
        .map(|number| (number * unit) as u64)
        .filter(|&bytes| bytes > 0)
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
