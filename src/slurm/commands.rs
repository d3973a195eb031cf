//! Slurm's commands. They get an environment without the variables of a job that may be around this
//! process: `sbatch` hands its own on, and a new job would take those of an old one for its own.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, anyhow, bail};

/// Variables of Slurm that say where its controller is, and not which job this is.
const KEPT: [&str; 2] = ["SLURM_CONF", "SLURM_CLUSTERS"];

/// A job, or a task of an array, that Slurm knows and that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedTask {
    /// `17`, or `17_3`.
    pub name: String,
    /// `RUNNING`, `PENDING`, …
    pub state: String,
    /// Where it runs; empty while it waits.
    pub node: String,
    /// Why it waits.
    pub reason: String,
}

impl QueuedTask {
    /// The number of its job or array.
    pub fn job(&self) -> &str {
        self.name.split('_').next().unwrap_or_default()
    }
}

/// Why `sbatch` has submitted nothing, as far as it says.
#[derive(Debug)]
pub enum SubmitError {
    /// There is no such program here.
    NoSlurm,
    /// In Slurm's own words.
    Refused(String),
}

/// Submits a script and gives the number of its job.
///
/// # Errors
/// [`SubmitError`]. A refusal is no proof: `sbatch` can give up waiting for an answer, and yet have
/// submitted.
pub fn sbatch(arguments: &[String]) -> Result<String, SubmitError> {
    let output = match command("sbatch").args(arguments).output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(SubmitError::NoSlurm),
        Err(error) => return Err(SubmitError::Refused(error.to_string())),
    };
    // `--parsable` prints the number, and `;CLUSTER` after it where there are several.
    let said = text(&output.stdout);
    let number = said.split(';').next().unwrap_or_default().to_owned();
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    // A number was given, whatever the end: with `--wait` that is the job's own.
    if is_number {
        Ok(number)
    } else {
        Err(SubmitError::Refused(words(&output)))
    }
}

/// The jobs and tasks of these numbers that are not over; none where Slurm knows none of them.
///
/// # Errors
/// No Slurm here, or a controller that does not answer.
pub fn queued(jobs: &[&str]) -> Result<Vec<QueuedTask>> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    look(&["-r", "-j", &jobs.join(",")])
}

/// The number of the job of a name that is not over, where there is one.
///
/// # Errors
/// As [`queued`].
pub fn queued_as(name: &str) -> Result<Option<String>> {
    let found = look(&["-n", name])?;
    Ok(found.first().map(|task| task.job().to_owned()))
}

fn look(what: &[&str]) -> Result<Vec<QueuedTask>> {
    let output = command("squeue")
        .args(["-h", "-o", "%i|%T|%N|%r"])
        .args(what)
        .output()
        .context("squeue cannot be started")?;
    if !output.status.success() {
        let said = words(&output);
        // A job that is over is forgotten after a while.
        if said.contains("Invalid job id") {
            return Ok(Vec::new());
        }
        bail!("squeue: {said}");
    }
    Ok(text(&output.stdout).lines().filter_map(task).collect())
}

fn task(line: &str) -> Option<QueuedTask> {
    let mut fields = line.split('|').map(str::trim).map(str::to_owned);
    Some(QueuedTask {
        name: fields.next()?,
        state: fields.next()?,
        node: fields.next()?,
        reason: fields.next()?,
    })
}

/// Ends jobs.
///
/// # Errors
/// Slurm's own words.
pub fn cancel(jobs: &[&str]) -> Result<()> {
    let output = command("scancel").args(jobs).output();
    let output = output.context("scancel cannot be started")?;
    if output.status.success() {
        Ok(())
    } else {
        Err(anyhow!("scancel: {}", words(&output)))
    }
}

fn command(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null());
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        let is_of_a_job = name.starts_with("SLURM_") && !KEPT.contains(&&*name);
        // What the user has `squeue` leave out, or add, is not to decide which jobs are over.
        if is_of_a_job || name.starts_with("SQUEUE_") {
            command.env_remove(&variable);
        }
    }
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// What a command complained of, on one line, without its name before every part.
fn words(output: &Output) -> String {
    let said = text(&output.stderr);
    let lines = said.lines().map(|line| {
        let line = line.trim();
        let rest = line
            .split_once(": ")
            .filter(|(name, _)| ["sbatch", "squeue", "scancel"].contains(name));
        let line = rest.map_or(line, |(_, rest)| rest);
        line.strip_prefix("error: ").unwrap_or(line)
    });
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        format!("it ended with {}", output.status)
    } else {
        lines.join("; ")
    }
}

#[cfg(test)]
#[path = "commands_tests.rs"]
mod tests;
