//! Tests of `job.rs`.

use std::collections::BTreeMap;

use super::*;

fn job(variables: &[(&str, &str)]) -> SlurmJob {
    let known: BTreeMap<&str, &str> = variables.iter().copied().collect();
    SlurmJob::read(&|name| known.get(name).map(|value| (*value).to_owned()))
}

#[test]
fn without_a_job_nothing_is_limited_whatever_else_is_set() {
    assert_eq!(job(&[]), SlurmJob::default());
    assert_eq!(job(&[("SLURM_CPUS_PER_TASK", "2")]), SlurmJob::default());
}

#[test]
fn memory_is_the_nodes_or_that_of_the_processors_on_it_whichever_is_less() {
    let memory = |more: &[(&str, &str)]| {
        let mut variables = vec![("SLURM_JOB_ID", "7")];
        variables.extend(more);
        job(&variables).memory
    };
    assert_eq!(memory(&[("SLURM_MEM_PER_NODE", "2000")]), Some(2000 << 20));
    let per_cpu = [("SLURM_MEM_PER_CPU", "500"), ("SLURM_CPUS_ON_NODE", "3")];
    assert_eq!(memory(&per_cpu), Some(1500 << 20));
    let both = [per_cpu[0], per_cpu[1], ("SLURM_MEM_PER_NODE", "1000")];
    assert_eq!(memory(&both), Some(1000 << 20));
    assert_eq!(memory(&[("SLURM_MEM_PER_NODE", "0")]), None, "all of it");
    assert_eq!(memory(&[("SLURM_MEM_PER_CPU", "500")]), None);
}

#[test]
fn threads_are_a_tasks_processors_and_a_single_task_has_all_of_its_nodes() {
    let threads = |more: &[(&str, &str)]| {
        let mut variables = vec![("SLURM_JOB_ID", "7"), ("SLURM_CPUS_ON_NODE", "8")];
        variables.extend(more);
        job(&variables).threads
    };
    assert_eq!(threads(&[("SLURM_CPUS_PER_TASK", "2")]), Some(2));
    assert_eq!(threads(&[]), Some(8));
    assert_eq!(threads(&[("SLURM_NTASKS", "1")]), Some(8));
    assert_eq!(threads(&[("SLURM_NTASKS", "4")]), None);
}

#[test]
fn the_last_task_of_an_array_is_named_as_a_task_and_not_by_its_number() {
    let array = [
        ("SLURM_JOB_ID", "40"),
        ("SLURM_ARRAY_JOB_ID", "40"),
        ("SLURM_ARRAY_TASK_ID", "3"),
    ];
    assert_eq!(job(&array).name.as_deref(), Some("40_3"));
    assert_eq!(job(&array[..1]).name.as_deref(), Some("40"));
}
