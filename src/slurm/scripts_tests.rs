//! Tests of `scripts.rs`.

use super::*;

fn scripts(results: &str) -> JobScripts {
    let results = PathBuf::from(results);
    JobScripts {
        program: "/opt/kdpipe".into(),
        folder: results.join("mine/slurm"),
        frozen: results.join("mine/slurm/frozen.toml"),
        cache: results.join("cache"),
        name: "kd-mine-ab12".to_owned(),
        flags: vec!["--offline".to_owned()],
        results,
    }
}

#[test]
fn workers_are_an_array_that_is_warned_requeued_and_told_where_its_log_is() {
    assert_eq!(
        scripts("/shared/results").text(JobStage::Workers, 4),
        "#!/bin/sh\n\
         #SBATCH --job-name=kd-mine-ab12-workers\n\
         #SBATCH --array=1-4\n\
         #SBATCH --open-mode=append\n\
         #SBATCH --output=\"/shared/results/mine/slurm/%A_%a.log\"\n\
         #SBATCH --requeue\n\
         #SBATCH --signal=B:USR1@120\n\
         export KDPIPE_CACHE=/shared/results/cache\n\
         export KDPIPE_LOG=/shared/results/mine/slurm/\
         ${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}.log\n\
         [ -e /shared/results/mine/slurm/frozen.toml ] || { echo \"kdpipe: \"/shared/results\" is \
         not on node $(hostname); give --results a folder that all nodes share\" >&2; exit 2; }\n\
         # exec: Slurm signals and ends what the shell becomes; srun would send SIGTERM twice\n\
         exec /opt/kdpipe run /shared/results/mine/slurm/frozen.toml --results /shared/results \
         --worker --offline\n"
    );
}

#[test]
fn words_with_spaces_and_quotes_stay_words_and_a_percent_sign_is_no_pattern() {
    let text = scripts("/a b/it's 5%").text(JobStage::Finish, 1);
    assert!(
        text.contains("--output=\"/a b/it's 5%%/mine/slurm/%j.log\""),
        "{text}"
    );
    assert!(
        text.contains(r"submit '/a b/it'\''s 5%/mine/slurm/frozen.toml' --results"),
        "{text}"
    );
    assert!(!text.contains("--array"));
}
