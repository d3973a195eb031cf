//! A stored study of any bytes is read or refused. The first byte picks the file that the others are.
#![no_main]

mod folder;

use kdpipe::record::layout::Layout;
use kdpipe::record::{Journal, read_evaluation, read_failure, read_metrics, read_samples, read_study, verify_run};
use kdpipe::table::{self, Limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, content)) = bytes.split_first() else { return };
    let layout = Layout::new(&folder::FOLDER, "study");
    let (run, evaluation) = (layout.run("r"), layout.run("r").evaluation("e"));
    match kind % 8 {
        0 => {
            folder::put("study/lock.toml", content);
            let _ = read_study(&layout);
        }
        1 => {
            folder::put("study/runs/r/failure.json", content);
            let _ = read_failure(&run);
        }
        2 => {
            folder::put("study/runs/r/evals/e/eval.json", content);
            let _ = read_evaluation(&evaluation);
        }
        3 => {
            folder::put("study/runs/r/evals/e/samples.json", content);
            let _ = read_samples(&evaluation);
        }
        4 => {
            folder::put("study/runs/r/checksums.toml", content);
            let _ = verify_run(&run);
        }
        5 => {
            let path = folder::put("journal", content);
            if let Ok(journal) = Journal::open(&path) {
                let _ = journal.read();
            }
        }
        6 => {
            let limits = Limits { file: 1 << 20, values: 1 << 16, bytes: 1 << 20 };
            let _ = table::from_parquet(content.to_vec(), &limits);
        }
        _ => {
            folder::put("study/runs/r/metrics.parquet", content);
            let _ = read_metrics(&run.metrics());
        }
    }
});
