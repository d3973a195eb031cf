//! The scripts of a study's jobs.

use std::path::PathBuf;

use crate::shell;

/// The jobs of a study in their order: what all runs need, the runs, what is left and the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobStage {
    Prepare,
    Workers,
    Finish,
}

impl JobStage {
    pub const ALL: [Self; 3] = [Self::Prepare, Self::Workers, Self::Finish];

    /// Its name, as in `jobs.toml` and in the names of scripts and jobs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Workers => "workers",
            Self::Finish => "finish",
        }
    }
}

/// What the scripts of a study have in common. All paths are absolute.
#[derive(Debug, Clone)]
pub struct JobScripts {
    /// The program itself.
    pub program: PathBuf,
    /// The folder that `--results` names.
    pub results: PathBuf,
    /// Scripts, logs and the frozen spec.
    pub folder: PathBuf,
    pub frozen: PathBuf,
    pub cache: PathBuf,
    /// `kd-NAME-NONCE`: what the jobs' names begin with.
    pub name: String,
    /// Flags that every job gets.
    pub flags: Vec<String>,
}

impl JobScripts {
    pub fn job_name(&self, stage: JobStage) -> String {
        format!("{}-{}", self.name, stage.name())
    }

    pub fn path(&self, stage: JobStage) -> PathBuf {
        self.folder.join(format!("{}.sbatch", stage.name()))
    }

    /// The script of a stage, of which so many run beside each other.
    pub fn text(&self, stage: JobStage, tasks: usize) -> String {
        // In the order of Slurm's own names for logs of arrays and of single jobs.
        let (log, known) = match stage {
            JobStage::Workers => ("%A_%a", "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"),
            JobStage::Prepare | JobStage::Finish => ("%j", "${SLURM_JOB_ID}"),
        };
        let log_folder = self.folder.display().to_string().replace('%', "%%");
        let mut lines = vec![
            "#!/bin/sh".to_owned(),
            format!("#SBATCH --job-name={}", self.job_name(stage)),
        ];
        if stage == JobStage::Workers {
            lines.push(format!("#SBATCH --array=1-{tasks}"));
        }
        lines.extend([
            "#SBATCH --open-mode=append".to_owned(),
            format!("#SBATCH --output=\"{log_folder}/{log}.log\""),
            "#SBATCH --requeue".to_owned(),
            "#SBATCH --signal=B:USR1@120".to_owned(),
            format!("export KDPIPE_CACHE={}", shell::path(&self.cache)),
            format!(
                "export KDPIPE_LOG={}/{known}.log",
                shell::path(&self.folder)
            ),
            format!(
                "[ -e {} ] || {{ echo \"kdpipe: \"{}\" is not on node $(hostname); give --results \
                 a folder that all nodes share\" >&2; exit 2; }}",
                shell::path(&self.frozen),
                shell::path(&self.results)
            ),
            "# exec: Slurm signals and ends what the shell becomes; srun would send SIGTERM twice"
                .to_owned(),
            self.call(stage),
        ]);
        lines.join("\n") + "\n"
    }

    fn call(&self, stage: JobStage) -> String {
        let (verb, role) = match stage {
            JobStage::Prepare => ("run", "--prepare"),
            JobStage::Workers => ("run", "--worker"),
            JobStage::Finish => ("submit", "--finish"),
        };
        let mut call = format!(
            "exec {} {verb} {} --results {} {role}",
            shell::path(&self.program),
            shell::path(&self.frozen),
            shell::path(&self.results)
        );
        for flag in &self.flags {
            call.push(' ');
            call.push_str(&shell::word(flag));
        }
        call
    }
}

#[cfg(test)]
#[path = "scripts_tests.rs"]
mod tests;
