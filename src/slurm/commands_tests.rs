//! Tests of `commands.rs`.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::*;

fn failed(said: &str) -> Output {
    Output {
        status: ExitStatus::from_raw(1 << 8),
        stdout: Vec::new(),
        stderr: said.as_bytes().to_vec(),
    }
}

#[test]
fn complaints_are_told_on_one_line_in_slurms_own_words() {
    let said = "sbatch: error: invalid partition specified: nowhere\n\
                sbatch: error: Batch job submission failed: Invalid partition name specified\n";
    assert_eq!(
        words(&failed(said)),
        "invalid partition specified: nowhere; Batch job submission failed: Invalid partition name \
         specified"
    );
    assert_eq!(words(&failed("")), "it ended with exit status: 1");
}

#[test]
fn a_line_of_squeue_is_a_task_with_the_number_of_its_array() {
    let found = task("17_3|RUNNING|n2|None").unwrap();
    assert_eq!((found.job(), found.node.as_str()), ("17", "n2"));
    let waiting = task("18|PENDING||Dependency").unwrap();
    assert_eq!(
        (waiting.job(), waiting.reason.as_str()),
        ("18", "Dependency")
    );
    assert_eq!(task("slurm_load_jobs error"), None);
}

#[test]
fn commands_hear_nothing_of_the_job_around_them() {
    let hidden = |name: &str| name.starts_with("SLURM_") && !KEPT.contains(&name);
    assert!(hidden("SLURM_ARRAY_TASK_ID") && hidden("SLURM_MEM_PER_CPU"));
    assert!(!hidden("SLURM_CONF") && !hidden("SBATCH_PARTITION"));
}
