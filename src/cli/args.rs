//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::values::{
    chance, device, number_of_runs, number_of_threads, number_of_workers, positive, probability,
    sbatch_option,
};
use crate::plan::run::DeviceSpec;

/// Knowledge-distillation studies on GPT-2: one TOML file in, a fair comparison and its report out.
#[derive(Debug, Parser)]
#[command(
    name = "kdpipe",
    version,
    propagate_version = true,
    max_term_width = 110
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub common: Common,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Set a key of the spec, as TOML: `--set train.steps=100`; may be given many times
    #[arg(long = "set", value_name = "KEY=VALUE", global = true)]
    pub set: Vec<String>,
    /// Folder that the study's results go to, as a folder of the study's name
    #[arg(long, value_name = "DIR", default_value = "results", global = true)]
    pub results: PathBuf,
    /// Fetch nothing: use what the hub's cache holds (also HF_HUB_OFFLINE=1)
    #[arg(long, global = true)]
    pub offline: bool,
    /// Threads to compute with [default: all cores, or the batch job's]; changes speed, never a
    /// result
    #[arg(long, value_name = "N", global = true, value_parser = number_of_threads)]
    pub threads: Option<usize>,
    /// Compute on the processor (`cpu`) or an NVIDIA GPU (`cuda:0`), whatever train.device says
    #[arg(long, value_name = "DEVICE", global = true, value_parser = device)]
    pub device: Option<DeviceSpec>,
    /// Print results and errors only
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print a line for every event
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Print JSON for programs to read
    #[arg(long, global = true)]
    pub json: bool,
    /// When to colour the output
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: ColorChoice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal that has not asked for none (NO_COLOR)
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Expand the spec into runs, train, evaluate, aggregate and report
    ///
    /// Finished runs are skipped, interrupted ones go on where they stopped, a failed one does not
    /// stop the others.
    Run(RunArguments),
    /// Submit the study to Slurm as jobs that share it, and return
    ///
    /// Three jobs: one makes text and teacher, an array of workers takes the runs, the last does
    /// what is left and writes the report. What Slurm is to know goes after `--`, as for `sbatch`:
    /// `kdpipe submit study.toml --workers 16 -- --time=4:00:00 -c8 --mem=16G`. The same command
    /// again submits only what is missing.
    Submit(SubmitArguments),
    /// Show how far a study is, whoever works on it: from its folder alone, and Slurm's queue
    ///
    /// With -v, every run; else those that somebody is at, and those that failed.
    Status(StatusArguments),
    /// Show the expanded grid without running anything; with --power, how many seeds it needs
    Plan(PlanArguments),
    /// Validate specs: every error at once, with its place and remedy
    Check {
        #[arg(value_name = "SPEC", required = true)]
        specs: Vec<PathBuf>,
    },
    /// Render the report again from stored results
    ///
    /// What [report] and [pipeline] say holds at once. A spec that is not the stored study's in
    /// anything else is refused, with what differs. With --json, all that the page says is printed
    /// as JSON. Forms that lie in the study's folder (report.html, report.tex, report.json) are
    /// written again by every later report, and `verify` checks them.
    Report(ReportArguments),
    /// Measure the perplexity of a GPT-2 on a text
    ///
    /// Windows of --context tokens begin every --stride tokens; every token is scored once, in the
    /// first window that holds it and a token before it. Special tokens that the text spells, such
    /// as <|endoftext|>, are tokens, as for transformers.
    Eval(EvalArguments),
    /// Let a GPT-2 go on from a prompt
    ///
    /// It writes until it ends the text or --max-new-tokens are there. Whenever the model's
    /// positions are full, it goes on from the last half of them alone, with a note on standard
    /// error. With -q nothing is printed but the new text.
    Generate(GenerateArguments),
    /// Time training steps on a spec's shapes, with random weights and tokens
    ///
    /// Of a grid, its costliest run. Without a spec, a student of 3 layers × 128 under a teacher of
    /// 6 × 256.
    Bench {
        spec: Option<PathBuf>,
        /// Steps to time
        #[arg(
            long,
            value_name = "N",
            default_value_t = 20,
            value_parser = clap::value_parser!(u64).range(1..)
        )]
        steps: u64,
        /// Equal runs that advance together, as the arms of a seed do
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = number_of_runs)]
        runs: usize,
    },
    /// Check every stored file against its checksum, and the report against what the stored results
    /// give
    ///
    /// Weights that are not there are counted, not faulted: a study can be kept without them.
    Verify(StoredArguments),
    /// Compare two studies, or two runs; exit code 1 if they differ
    ///
    /// Two studies (folders with lock.toml) are compared by what they mean: what their specs set,
    /// their runs, the verdicts, and the test loss of every cell at equal axes. Two runs, or two
    /// studies with --bytes, are compared file by file, measurements of time left out.
    Diff {
        a: PathBuf,
        b: PathBuf,
        /// Compare the files of two studies
        #[arg(long)]
        bytes: bool,
    },
    /// Write a finished run's student as a folder that is ready to upload to the Hugging Face hub
    Export(ExportArguments),
    /// Show what a study's folder holds beside the study: runs and teachers that the spec no longer
    /// names, unfinished work of these, evaluations by other settings, damaged files
    ///
    /// Nothing is removed without --remove.
    Clean(CleanArguments),
    /// Show what is kept between studies (tokenized corpora, trained teachers), with sizes and last
    /// use
    ///
    /// The folder is KDPIPE_CACHE, else kdpipe in XDG_CACHE_HOME or in ~/.cache (~/Library/Caches
    /// on macOS). What is removed is made again by the study that needs it.
    Cache(CacheArguments),
    /// Print the JSON Schema of a spec, for editors
    Schema,
    /// Write a commented starter spec
    Init {
        /// The file to write; an existing one is never overwritten
        #[arg(default_value = "study.toml")]
        path: PathBuf,
    },
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
    /// Write a page for `man` on every command, for packages
    #[command(hide = true)]
    Man {
        /// The folder that the pages go to; those that are there are written again
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

#[derive(Debug, Default, Args)]
pub struct RunArguments {
    pub spec: PathBuf,
    /// Only runs whose id, or an axis as `axis=value`, matches the glob; may be given many times
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,
    /// Only the i-th of n parts of the grid, from 1: `--shard 2/4`
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
    /// Look up on the hub again what branches and tags are, instead of the commits that this study
    /// was held to
    #[arg(long)]
    pub relock: bool,
    /// Also train finished runs again whose weights are gone: deleted, or not copied
    #[arg(long)]
    pub weights: bool,
    /// One of many: take groups of runs until none is free; what others hold is no failure, and
    /// nothing is reported
    #[arg(long, group = "role")]
    pub worker: bool,
    /// Wait for what others hold, take over what they leave, and report then
    #[arg(long, group = "role")]
    pub wait: bool,
    /// Only text, tokenizer and teacher; no run is trained, and nothing is reported
    #[arg(long, group = "role")]
    pub prepare: bool,
    /// Write event files for TensorBoard, a folder per run in a folder of the study's name,
    /// whatever train.tensorboard says; of runs that are finished, too
    #[arg(long, value_name = "DIR")]
    pub tensorboard: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct SubmitArguments {
    pub spec: PathBuf,
    /// Workers beside each other at most; there are never more than groups of runs
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = number_of_workers)]
    pub workers: usize,
    /// Show scripts and calls, and submit nothing
    #[arg(long)]
    pub print: bool,
    /// What the last job is: does what workers left, or submits them again, and reports
    #[arg(long, hide = true, conflicts_with = "print")]
    pub finish: bool,
    /// Options of `sbatch` for all of the jobs
    #[arg(
        last = true,
        value_name = "SBATCH OPTIONS",
        allow_hyphen_values = true,
        value_parser = sbatch_option
    )]
    pub sbatch: Vec<String>,
}

#[derive(Debug, Args)]
pub struct StatusArguments {
    pub spec: PathBuf,
}

/// A study that was run.
#[derive(Debug, Args)]
pub struct StoredArguments {
    pub spec: PathBuf,
    /// Take the study as it was run, whatever the spec says now
    #[arg(long)]
    pub as_stored: bool,
}

#[derive(Debug, Args)]
pub struct CleanArguments {
    pub spec: PathBuf,
    /// Remove what is shown
    #[arg(long)]
    pub remove: bool,
}

#[derive(Debug, Args)]
pub struct ExportArguments {
    /// The folder of a finished run: results/NAME/runs/ID
    pub run: PathBuf,
    /// The folder that is written, new or empty; its name is the model's
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Also as model-f32.gguf, which llama.cpp reads
    #[arg(long)]
    pub gguf: bool,
}

#[derive(Debug, Args)]
pub struct CacheArguments {
    /// Only what was not used for so many days
    #[arg(long, value_name = "DAYS")]
    pub unused_for: Option<u64>,
    /// Remove what is shown; `--unused-for 0` removes everything
    #[arg(long, requires = "unused_for")]
    pub remove: bool,
}

#[derive(Debug, Args)]
pub struct ReportArguments {
    #[command(flatten)]
    pub study: StoredArguments,
    /// A minijinja template instead of the spec's
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// Also as report.html: one page with figures inside, whose tables sort
    #[arg(long)]
    pub html: bool,
    /// Also as report.tex: the tables for a paper, with booktabs
    #[arg(long)]
    pub latex: bool,
    /// Write the page, or the one form asked for, there (`-`: print it), and leave the study's
    /// report and figures as they are
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct EvalArguments {
    /// A folder with config.json, weights and tokenizer, or a model of the hub as OWNER/NAME or
    /// OWNER/NAME@REVISION
    pub model: String,
    /// A text file, UTF-8, as it is or packed by gzip or zstandard
    #[arg(long, value_name = "FILE")]
    pub text: PathBuf,
    /// Tokens of a window [default: the model's positions]
    #[arg(long, value_name = "TOKENS")]
    pub context: Option<usize>,
    /// Tokens between the beginnings of two windows [default: the context]
    #[arg(long, value_name = "TOKENS")]
    pub stride: Option<usize>,
}

#[derive(Debug, Args)]
pub struct GenerateArguments {
    /// A folder with config.json, weights and tokenizer, or a model of the hub as OWNER/NAME or
    /// OWNER/NAME@REVISION
    pub model: String,
    /// The text to go on from; the beginning of a text where it is empty
    #[arg(long, value_name = "TEXT")]
    pub prompt: String,
    /// Tokens to write at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub max_new_tokens: usize,
    /// Always take the most probable token
    #[arg(long, conflicts_with_all = ["temperature", "top_k", "top_p", "seed"])]
    pub greedy: bool,
    /// Divide the logits by this before the draw
    #[arg(long, value_name = "T", default_value_t = 1.0, value_parser = positive)]
    pub temperature: f64,
    /// Then draw from the K most probable tokens alone (and those as probable as the last of them);
    /// 0 is all
    #[arg(long, value_name = "K")]
    pub top_k: Option<usize>,
    /// Then draw from the fewest tokens that hold this probability together; at least one
    #[arg(long, value_name = "P", value_parser = probability)]
    pub top_p: Option<f64>,
    /// Of the draws: the same seed gives the same text
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub seed: u64,
}

#[derive(Debug, Args)]
pub struct PlanArguments {
    pub spec: PathBuf,
    /// Say which layer a key's value comes from
    #[arg(long, value_name = "KEY")]
    pub explain: Option<String>,
    /// How many seeds find a difference with this probability [default: 0.8], and the hours of that
    ///
    /// For every comparison of the spec, by the paired t test at its part of report.alpha. How much
    /// differences vary is taken from the runs of the spec that are there (two seeds at least),
    /// from another study with --pilot, or from --sd. Also: how many seeds show that a difference
    /// of none lies within report.margin.
    #[arg(
        long,
        value_name = "SHARE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "0.8",
        value_parser = chance,
        conflicts_with = "explain"
    )]
    pub power: Option<f64>,
    /// With --power: the difference to find, in nats per token [default: report.margin]
    #[arg(long, value_name = "NATS", requires = "power", value_parser = positive)]
    pub effect: Option<f64>,
    /// With --power: the folder of a study, results/NAME, to take the spread and the times from
    #[arg(long, value_name = "DIR", requires = "power", conflicts_with = "sd")]
    pub pilot: Option<PathBuf>,
    /// With --power: the standard deviation of the differences of a seed, in nats per token
    #[arg(long, value_name = "NATS", requires = "power", value_parser = positive)]
    pub sd: Option<f64>,
}
