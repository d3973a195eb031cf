//! One builder for tests of the whole program: a folder with a spec, and the commands run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A tiny study: seconds in a debug build.
pub const TINY: &str = r#"
[pipeline]
name = "tiny"
[dataset]
source = "synthetic"
train_words = 4_000
validation_words = 300
test_words = 500
[tokenizer]
vocab_size = 300
[teacher]
source = "train"
layers = 3
width = 16
heads = 2
[teacher.train]
steps = 12
batch = 4
context = 16
evaluate_every = 6
checkpoint_every = 5
[student]
layers = 2
width = 12
heads = 2
[loss.lm]
kind = "lm"
weight = 0.5
[loss.kl]
kind = "logits.kl"
weight = 0.5
temperature = 2.0
[loss.hidden]
kind = "hidden.mse"
weight = 0.5
[balance]
mode = "gradient"
batches = 2
reference = "kl"
[train]
steps = 10
batch = 4
context = 16
evaluate_every = 5
checkpoint_every = 3
[arms.none.loss.hidden]
enabled = false
[arms.mse]
[arms.wasserstein.loss.hidden]
kind = "hidden.wasserstein"
critic = { width = 8, steps = 1, warmup = 3 }
[grid]
arm = ["none", "mse", "wasserstein"]
seed = [0]
[evaluate]
context = 16
stride = 16
samples = { prompts = 1, tokens = 4 }
probe_tokens = 32
directions = 4
embed_tokens = 12
[report]
baseline = { arm = "none" }
"#;

/// The tiny study under another name, with the tokenizer of a folder and the model in one as its
/// teacher.
pub fn taught_by(tokenizer: &str, model: &str, name: &str) -> String {
    let spec = TINY
        .replace("name = \"tiny\"", &format!("name = \"{name}\""))
        .replace(
            "[tokenizer]\nvocab_size = 300",
            &format!("[tokenizer]\nsource = \"dir\"\npath = \"{tokenizer}\""),
        )
        .replace(
            "source = \"train\"\nlayers = 3\nwidth = 16\nheads = 2\n",
            &format!("source = \"dir\"\npath = \"{model}\"\n"),
        );
    let start = spec.find("[teacher.train]").expect("a table");
    let end = spec.find("[student]").expect("a table");
    format!("{}{}", &spec[..start], &spec[end..])
}

/// A folder of its own with a spec in it.
pub struct TestSite {
    folder: tempfile::TempDir,
}

/// What a command did.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub error: String,
}

impl TestSite {
    pub fn new(spec: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("study.toml"), spec).expect("a spec");
        Self { folder }
    }

    /// The same in memory, where there is such a place: for studies by the hundred, whose flushes
    /// of a real disk would take most of the time and prove nothing.
    pub fn in_memory(spec: &str) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .expect("a temporary folder");
        std::fs::write(folder.path().join("study.toml"), spec).expect("a spec");
        Self { folder }
    }

    /// The tiny study with some text of it replaced.
    pub fn tiny(replaced: &[(&str, &str)]) -> Self {
        Self::new(&tiny(replaced))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("a file");
    }

    /// Runs `kdpipe` with arguments separated by spaces, in the folder.
    pub fn kdpipe(&self, arguments: &str) -> Done {
        self.kdpipe_with(arguments, &[])
    }

    /// The command, not yet started.
    pub fn command(&self, arguments: &str) -> Command {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        self.program(Path::new(env!("CARGO_BIN_EXE_kdpipe")), &arguments)
    }

    /// Lines of a shell that stops at the first one which fails, with `kdpipe` on the path.
    pub fn shell(&self, lines: &str) -> Command {
        let mut command = self.program(Path::new("sh"), &["-euc", lines]);
        let built = Path::new(env!("CARGO_BIN_EXE_kdpipe")).parent();
        let path = std::env::var("PATH").unwrap_or_default();
        command.env(
            "PATH",
            format!("{}:{path}", built.expect("a folder").display()),
        );
        command
    }

    /// Any program in the folder, in the surroundings that `kdpipe` has there.
    pub fn program(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path());
        command
            .env("KDPIPE_CACHE", self.path("cache"))
            .env_remove("KDPIPE_FAULT")
            .env_remove("NO_COLOR");
        // No test asks anything of the world: the hub is where nobody listens, unless a test starts
        // one.
        command
            .env("HF_HOME", self.path("hf"))
            .env("HF_ENDPOINT", "http://127.0.0.1:9");
        for name in [
            "HF_TOKEN",
            "HF_TOKEN_PATH",
            "HUGGING_FACE_HUB_TOKEN",
            "HF_HUB_CACHE",
            "HUGGINGFACE_HUB_CACHE",
            "HF_HUB_OFFLINE",
            "TRANSFORMERS_OFFLINE",
            "HF_DATASETS_OFFLINE",
        ] {
            command.env_remove(name);
        }
        command
    }

    pub fn kdpipe_with(&self, arguments: &str, settings: &[(&str, &str)]) -> Done {
        let mut command = self.command(arguments);
        command.envs(settings.iter().copied());
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().expect("the program starts");
        let text = |bytes: Vec<u8>| {
            String::from_utf8_lossy(&bytes).replace(&*self.folder.path().to_string_lossy(), "SITE")
        };
        Done {
            code: status.code(),
            out: text(stdout),
            error: text(stderr),
        }
    }

    /// Every file below `results` that holds no measurement of time, with its bytes; the report
    /// without the lines between its markers of times.
    pub fn results(&self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        list(&self.path("results"), "", &mut found);
        found.retain(|(name, _)| {
            !["timings.parquet", "speed.json", "events.jsonl"]
                .iter()
                .any(|timed| name.ends_with(timed))
        });
        for (name, bytes) in &mut found {
            if name.ends_with("report.md") {
                *bytes = without_times(&String::from_utf8_lossy(bytes)).into_bytes();
            }
        }
        found
    }
}

impl Done {
    /// Asserts the exit code.
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.error);
        self
    }
}

fn list(folder: &Path, prefix: &str, found: &mut Vec<(String, Vec<u8>)>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = format!(
            "{prefix}{}",
            path.file_name().unwrap_or_default().to_string_lossy()
        );
        if path.is_dir() {
            list(&path, &format!("{name}/"), found);
        } else {
            found.push((name, std::fs::read(&path).expect("a readable file")));
        }
    }
}

fn without_times(text: &str) -> String {
    let (mut inside, mut kept) = (false, String::new());
    for line in text.lines() {
        inside |= line.contains("<!-- times -->");
        if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
        inside &= !line.contains("<!-- /times -->");
    }
    kept
}

/// The tiny study with some text of it replaced.
pub fn tiny(replaced: &[(&str, &str)]) -> String {
    let mut spec = TINY.to_owned();
    for (from, to) in replaced {
        assert!(spec.contains(from), "{from} is not in the tiny study");
        spec = spec.replace(from, to);
    }
    spec
}

/// What differs between two sets of results, for messages that can be read.
pub fn differences(a: &[(String, Vec<u8>)], b: &[(String, Vec<u8>)]) -> Vec<String> {
    let names = |files: &[(String, Vec<u8>)]| {
        files
            .iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    if names(a) != names(b) {
        return vec![format!("{:?} against {:?}", names(a), names(b))];
    }
    a.iter()
        .zip(b)
        .filter(|(x, y)| x.1 != y.1)
        .map(|(x, _)| x.0.clone())
        .collect()
}
