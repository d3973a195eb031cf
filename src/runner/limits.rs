//! Whether what is left of a study fits this machine, asked before time is spent, and how many runs
//! fit it at once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::machine;
use super::standing::Standings;
use crate::files::{free_space, size_in_words as size};
use crate::plan::{Plan, PlannedRun};
use crate::record::layout::Layout;
use crate::slurm::SlurmJob;

/// The setting that lowers what a study may take of the memory.
const MEMORY_SETTING: &str = "KDPIPE_MEMORY";

/// The share of free memory that a group may take by its estimate.
const MEMORY_SHARE: f64 = 0.7;

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
    let mut standings = Standings::new(layout);
    let mut open = Vec::new();
    for &index in selected {
        let run = &plan.runs[index];
        let standing = standings.of(run);
        if standing.map_or(true, |standing| standing.is_to_train()) {
            open.push(run);
        }
    }
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
    let devices: BTreeSet<String> = open
        .iter()
        .map(|run| run.spec.train.device.to_string())
        .collect();
    if devices.len() > 1 {
        faults.push(format!(
            "the runs ask for {}; one process computes on one device, so take train.device out of \
             arms and grid, or do a part at a time with --only",
            devices.into_iter().collect::<Vec<_>>().join(" and ")
        ));
    }
    // What runs on a card take of its memory is held against that when it is opened.
    let here = open.iter().filter(|run| run.spec.train.device.is_cpu());
    if let Some((run, memory)) = here
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
    let evaluated = open
        .iter()
        .max_by_key(|run| run.estimate.evaluation_memory_bytes);
    if let Some((run, memory)) = evaluated.zip(machine.memory)
        && run.estimate.evaluation_memory_bytes > memory
    {
        faults.push(format!(
            "to evaluate the run {} takes about {} of memory, and there are {}; lower \
             evaluate.treatment_tokens",
            run.label,
            size(run.estimate.evaluation_memory_bytes),
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

/// Refuses runs that need more memory than a card has free.
///
/// # Errors
/// The one that needs the most, with both figures and what to change.
pub(super) fn check_card(plan: &Plan, open: &[usize], free: Option<u64>) -> Result<()> {
    let runs = open.iter().map(|&index| &plan.runs[index]);
    let largest = runs.max_by_key(|run| run.estimate.memory_bytes);
    if let Some((run, free)) = largest.zip(free)
        && run.estimate.memory_bytes > free
    {
        bail!(
            "the run {} needs about {} of the memory of {}, and {} are free there; lower \
             train.batch (and raise train.accumulate by as much), train.context, student.layers \
             or student.width, or take a larger card",
            run.label,
            size(run.estimate.memory_bytes),
            run.spec.train.device,
            size(free)
        );
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

/// Memory that a study may take, where it is known: all that the system, the batch job and the
/// setting grant the process.
fn memory() -> Result<Option<u64>> {
    let total = machine::total_memory(Path::new("/"));
    Ok(least([
        total,
        SlurmJob::of_environment().memory,
        memory_setting()?,
    ]))
}

fn least(granted: [Option<u64>; 3]) -> Option<u64> {
    granted.into_iter().flatten().min()
}

/// Splits runs that may share a teacher's pass into groups that fit the memory which is free, in
/// order: the machine's, or the card's where `of_card` says what that has.
pub(super) fn groups_that_fit(
    plan: &Plan,
    members: &[usize],
    of_card: Option<u64>,
) -> Vec<Vec<usize>> {
    // A setting that is no size was refused before anything began.
    let of_host = [
        machine::available_memory(Path::new("/")),
        SlurmJob::of_environment().memory,
        memory_setting().ok().flatten(),
    ];
    let most = most_of(of_card, of_host);
    split(members, most, |index| {
        let estimate = &plan.runs[index].estimate;
        let shared = estimate.shared_memory_bytes;
        GroupMemory {
            own: estimate.memory_bytes.saturating_sub(shared) as f64,
            shared: shared as f64,
        }
    })
}

/// Bytes that a group may take: of a card by what that has free, as what a job or the setting
/// grants is the machine's own memory.
fn most_of(of_card: Option<u64>, of_host: [Option<u64>; 3]) -> f64 {
    let free = of_card.or_else(|| least(of_host));
    free.map_or(f64::INFINITY, |bytes| bytes as f64 * MEMORY_SHARE)
}

/// Bytes that a run takes beside others.
#[derive(Debug, Clone, Copy)]
struct GroupMemory {
    own: f64,
    /// Of its group's teacher: taken once, however many runs there are.
    shared: f64,
}

fn split(members: &[usize], most: f64, need: impl Fn(usize) -> GroupMemory) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut taken = GroupMemory {
        own: 0.0,
        shared: 0.0,
    };
    for &index in members {
        let alone = need(index);
        let together = GroupMemory {
            own: taken.own + alone.own,
            shared: taken.shared.max(alone.shared),
        };
        match groups.last_mut() {
            Some(group) if together.own + together.shared <= most => {
                group.push(index);
                taken = together;
            }
            _ => {
                groups.push(vec![index]);
                taken = alone;
            }
        }
    }
    groups
}

/// What the setting says.
///
/// # Errors
/// One that is no size.
pub fn memory_setting() -> Result<Option<u64>> {
    let Some(text) = std::env::var_os(MEMORY_SETTING) else {
        return Ok(None);
    };
    let text = text.to_string_lossy().into_owned();
    parse_size(&text)
        .map(Some)
        .with_context(|| format!("{MEMORY_SETTING} = {text:?} is no size; write 8GB, 8G or 500MB"))
}

/// `8GB`, `1.5 GB`, `500 MB`, or bytes; `8G` and `8GiB` are of 1024s, as Slurm takes the former.
fn parse_size(text: &str) -> Option<u64> {
    const KIB: f64 = 1024.0;
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
        "K" | "KIB" => KIB,
        "M" | "MIB" => KIB * KIB,
        "G" | "GIB" => KIB * KIB * KIB,
        "T" | "TIB" => KIB * KIB * KIB * KIB,
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
