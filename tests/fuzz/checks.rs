//! What holds for bytes of any kind, one function for each reader of foreign bytes. Fuzzers call
//! them (`targets/`), and `cargo test` does with the cases that were kept (`kept/`).

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use kdpipe::data::Tokenizer;
use kdpipe::model::{Config, Gpt2, ModelFolder};
use kdpipe::ops::Cpu;
use kdpipe::plan::path::InputPath;
use kdpipe::plan::run::{DatasetSpec, TeacherSpec, TrainSpec};
use kdpipe::plan::{self, DatasetFact, Fact, Inputs, Overrides, TeacherFact, TokenizerFact};
use kdpipe::random::Seed;
use kdpipe::record::layout::Layout;
use kdpipe::record::{self, About, Attempt, Journal, RunClaim};
use kdpipe::report::Material;
use kdpipe::table::{self, Limits, Texts};
use kdpipe::train::{Job, TrainState};
use sha2::{Digest, Sha256};

/// A check of bytes.
pub type Check = fn(&[u8]);

/// All of them, by the names of their targets.
pub const CHECKS: [(&str, Check); 9] = [
    ("checkpoint", checkpoint),
    ("corpus", corpus),
    ("parquet", parquet),
    ("records", records),
    ("spec", spec),
    ("state", state),
    ("template", template),
    ("tokenizer", tokenizer),
    ("weights", weights),
];

/// A folder of this thread, in memory where the system has such a place.
fn folder() -> PathBuf {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static FOLDER: OnceCell<PathBuf> = const { OnceCell::new() };
    }
    let make = || {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        let folder = parent.join(format!(
            "kdpipe-fuzz-{}-{}",
            std::process::id(),
            THREADS.fetch_add(1, Ordering::Relaxed)
        ));
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    };
    FOLDER.with(|folder| folder.get_or_init(make).clone())
}

/// Removes this thread's folder, at the end of its checks.
pub fn clear() {
    let _ = std::fs::remove_dir_all(folder());
}

/// Writes a file of the folder.
fn put(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).expect("a folder");
    }
    std::fs::write(&path, bytes).expect("a file");
    path
}

/// Inputs that are all there.
struct There;

impl There {
    fn model() -> Fact<TeacherFact> {
        Fact::Unknown("a fuzzer has no models".to_owned())
    }
}

impl Inputs for There {
    fn dataset(&self, _: &DatasetSpec) -> Fact<DatasetFact> {
        Fact::Known(DatasetFact {
            fingerprint: "d".to_owned(),
            held_out_bytes: None,
        })
    }

    fn tokenizer(&self, _: &DatasetSpec, _: &plan::run::TokenizerSpec) -> Fact<TokenizerFact> {
        Fact::Known(TokenizerFact {
            fingerprint: "t".to_owned(),
            vocabulary: Some(300),
            own: Some(300),
        })
    }

    fn teacher(&self, _: &TeacherSpec) -> Fact<TeacherFact> {
        Self::model()
    }

    fn student(&self, _: &InputPath) -> Fact<TeacherFact> {
        Self::model()
    }
}

/// A spec is a plan or a list of mistakes: parsing, `extends`, checking, the grid, resolution. What
/// follows a line `----` is the file `base.toml` beside it.
pub fn spec(bytes: &[u8]) {
    const BREAK: &[u8] = b"\n----\n";
    let at = bytes
        .windows(BREAK.len())
        .position(|window| window == BREAK);
    let (own, base) = at.map_or((bytes, &b""[..]), |at| {
        (&bytes[..at], &bytes[at + BREAK.len()..])
    });
    put("base.toml", base);
    let path = put("study.toml", own);
    let options = Overrides {
        set: Vec::new(),
        environment: Vec::new(),
        working_folder: folder(),
    };
    match plan::load(&path, &options).and_then(|loaded| loaded.resolve(&There)) {
        Ok(plan) => assert!(plan.cells.iter().all(|cell| cell.run < plan.runs.len())),
        Err(diagnostics) => assert!(diagnostics.render(false).contains("error")),
    }
}

/// A token cache is streams of known tokens, or an error, or not there. Its hash is put right
/// first: without that nothing is read at all.
pub fn corpus(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    if bytes.len() >= 80 {
        let blocks: Vec<[u8; 32]> = bytes[80..]
            .chunks(1 << 20)
            .map(|block| Sha256::digest(block).into())
            .collect();
        let mut hash = Sha256::new_with_prefix(&bytes[..40]);
        blocks.iter().for_each(|block| hash.update(block));
        bytes[40..72].copy_from_slice(&hash.finalize());
    }
    let path = put("corpus", &bytes);
    if let Ok(Some(prepared)) = kdpipe::data::cache::open(&path, "00000000000000000000000000000000")
    {
        for split in [&prepared.train, &prepared.validation, &prepared.test] {
            assert!(
                split
                    .tokens()
                    .iter()
                    .all(|&token| (token as usize) < prepared.vocabulary)
            );
            let documents: usize = (0..split.documents.len())
                .map(|index| split.document(index).len())
                .sum();
            assert!(documents <= split.tokens().len());
        }
    }
}

/// A stored study is read or refused. The first byte picks the file that the others are.
pub fn records(bytes: &[u8]) {
    let Some((kind, content)) = bytes.split_first() else {
        return;
    };
    let layout = Layout::new(&folder(), "study");
    let (run, evaluation) = (layout.run("r"), layout.run("r").evaluation("e"));
    match kind % 8 {
        0 => {
            let seal = format!(
                "# sha256 of the lines above: {}\n",
                kdpipe::digest::sha256(content)
            );
            put("study/lock.toml", &[content, seal.as_bytes()].concat());
            let _ = record::read_study(&layout);
        }
        1 => {
            put("study/runs/r/failure.json", content);
            let _ = record::read_failure(&run);
        }
        2 => {
            put("study/runs/r/evals/e/eval.json", content);
            let _ = record::read_evaluation(&evaluation);
        }
        3 => {
            put("study/runs/r/evals/e/samples.json", content);
            let _ = record::read_samples(&evaluation);
        }
        4 => {
            put("study/runs/r/checksums.toml", content);
            let _ = kdpipe::files::verify_checksums(&run.root);
        }
        5 => {
            if let Ok(journal) = Journal::open(&put("journal", content)) {
                let _ = journal.read();
            }
        }
        6 => {
            let limits = Limits {
                file: 1 << 20,
                values: 1 << 16,
                bytes: 1 << 20,
            };
            let _ = table::from_parquet(content.to_vec(), &limits);
        }
        _ => {
            put("study/runs/r/metrics.parquet", content);
            let _ = record::read_metrics(&run.metrics());
        }
    }
}

/// A parquet file of a dataset has no more rows than it says, or is an error.
pub fn parquet(bytes: &[u8]) {
    let path = put("text.parquet", bytes);
    let Ok(Ok(mut texts)) = Texts::open(&path, "model") else {
        return;
    };
    let (claimed, mut rows) = (texts.rows(), 0);
    let mut receive = |_: Option<&str>| {
        rows += 1;
        Ok(ControlFlow::Continue(()))
    };
    while let Ok(ControlFlow::Continue(true)) = texts.next_rows(&mut receive) {}
    assert!(rows <= claimed);
}

/// An unfinished run is gone on with from a checkpoint that is whole, or from the beginning. Up to
/// the first zero byte it is the manifest, then the state.
pub fn checkpoint(bytes: &[u8]) {
    let end = bytes
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(bytes.len());
    // Study, its unfinished runs, run, attempt.
    let place = ["unfinished", "work", "r", "a", "checkpoints", "2"].join("/");
    let _ = std::fs::remove_dir_all(folder().join("unfinished"));
    put(&format!("{place}/manifest.toml"), &bytes[..end]);
    put(
        &format!("{place}/state"),
        bytes.get(end + 1..).unwrap_or_default(),
    );
    let about = About {
        spec: "r".to_owned(),
        numerics: 1,
        data: "d".to_owned(),
        teacher: None,
        instructions: "i".to_owned(),
        version: "v".to_owned(),
    };
    if let Ok(RunClaim::Ours(mut attempt)) =
        Attempt::open_or_new(&Layout::new(&folder(), "unfinished"), "r")
    {
        let _ = attempt.newest_valid_checkpoint(&about);
    }
}

/// The files of a checkpoint are a state of the run or an error. The first four bytes give the
/// length of state.json, the rest is state.safetensors.
pub fn state(bytes: &[u8]) {
    const TRAIN: &str = "steps = 4\nbatch = 1\ncontext = 4\naccumulate = 1\nshuffle = true\nlr = \
                         { peak = 1e-3, warmup = 0, decay = \"cosine\", floor = \"10%\" }\nbetas \
                         = [0.9, 0.99]\neps = 1e-8\nweight_decay = 0.0\nclip = 1.0\nkeep = \
                         \"best\"\ncheckpoint_every = 1\nevaluate_every = 1\n";
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return;
    };
    let (numbers, arrays) = rest.split_at((u32::from_le_bytes(*length) as usize).min(rest.len()));
    let train: TrainSpec = toml::from_str(TRAIN).expect("settings");
    let job = Job::language_model(Config::new(1, 2, 1, 3, 4), Seed::Teacher(0), &train);
    let files = BTreeMap::from([
        ("state.json".to_owned(), numbers.to_vec()),
        ("state.safetensors".to_owned(), arrays.to_vec()),
    ]);
    let _ = TrainState::from_files(&Cpu::default(), &job, None, &files);
}

/// A template is a page or an error with words. It is filled with the study that is kept in
/// `results/wikitext2`.
pub fn template(bytes: &[u8]) {
    thread_local! {
        static MATERIAL: OnceCell<Material> = const { OnceCell::new() };
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    MATERIAL.with(|material| {
        let results = concat!(env!("CARGO_MANIFEST_DIR"), "/results");
        let results = if Path::new(results).is_dir() {
            results
        } else {
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../results")
        };
        let material = material.get_or_init(|| {
            let layout = Layout::new(Path::new(results), "wikitext2");
            let study = record::read_study(&layout).expect("the study that is kept");
            Material::read(&layout, study).expect("its records")
        });
        if let Err(error) = material.page("template", text) {
            assert!(!format!("{error:#}").is_empty());
        }
    });
}

/// A tokenizer.json is refused, or gives back every text.
pub fn tokenizer(bytes: &[u8]) {
    let Ok(json) = String::from_utf8(bytes.to_vec()) else {
        return;
    };
    if let Ok(tokenizer) = Tokenizer::from_json(json) {
        let text = "It's 12 o'clock,\n  naïve — <|endoftext|> 日本\u{200d} ok";
        let tokens = tokenizer.encode(text).expect("a plain text");
        assert_eq!(tokenizer.decode(&tokens), text);
    }
}

/// A model folder is a model that can be run, or an error. The first four bytes give the length of
/// config.json, the rest is model.safetensors.
pub fn weights(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return;
    };
    let length = (u32::from_le_bytes(*length) as usize).min(rest.len());
    let config = put("model/config.json", &rest[..length]);
    put("model/model.safetensors", &rest[length..]);
    if let Ok(checkpoint) = ModelFolder::open(config.parent().expect("its folder")) {
        let _ = Gpt2::from_checkpoint(&Cpu::default(), &checkpoint);
    }
}
