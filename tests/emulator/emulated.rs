//! Builds the emulator of a GPU: `emulator.h`, the project's kernels and `driver.cpp` as one shared
//! library, which stands for CUDA's driver, cuBLAS and NVRTC.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The project's kernels, in the order in which they are one text.
const KERNELS: [&str; 5] = [
    "common.cu",
    "layers.cu",
    "losses.cu",
    "critic.cu",
    "decoding.cu",
];

/// Tests of one process build one after the other: the second finds what the first has built.
static BUILDING: Mutex<()> = Mutex::new(());

/// The library, built once for each text of it; none where there is no g++, which is said.
pub fn emulator() -> Option<PathBuf> {
    emulator_of(|text| text)
}

/// The same with kernels that are changed: a fault that tests are to find.
pub fn emulator_of(change: impl FnOnce(String) -> String) -> Option<PathBuf> {
    let _one = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = root.join("tests/emulator");
    let read = |path: PathBuf| std::fs::read_to_string(path).expect("a file of the project");
    let kernels: String = KERNELS
        .map(|name| read(root.join("src/ops/cuda/kernels").join(name)))
        .concat();
    let kernels = change(kernels);
    let names: Vec<String> = kernels
        .split("extern \"C\" __global__ void ")
        .skip(1)
        .filter_map(|rest| rest.split_once('('))
        .map(|(name, _)| format!("KERNEL({name})"))
        .collect();
    let text = format!(
        "{}\n{kernels}\n#define KERNELS {}\n{}",
        read(own.join("emulator.h")).replace("#pragma once", ""),
        names.join(", "),
        read(own.join("driver.cpp"))
    );
    let exe = std::env::current_exe().expect("this test's own path");
    let folder = exe.parent().expect("a file lies in a folder");
    let stem = format!("emulated-{:016x}", hash(&text));
    let library = folder.join(format!("{stem}.so"));
    if library.exists() {
        return Some(library);
    }
    let here = folder.join(format!("{stem}-{}", std::process::id()));
    let (source, built) = (here.with_extension("cpp"), here.with_extension("part"));
    std::fs::write(&source, text).expect("room for a file");
    let compiled = Command::new("g++")
        .args([
            "-std=c++17",
            "-O2",
            "-ffp-contract=off",
            "-w",
            "-shared",
            "-fPIC",
        ])
        .args(["-fvisibility=hidden", "-pthread", "-o"])
        .args([&built, &source])
        .output();
    let _ = std::fs::remove_file(&source);
    match compiled {
        Err(error) => {
            eprintln!("not tested on the emulated GPU: g++ cannot be started ({error})");
            return None;
        }
        Ok(output) => assert!(
            output.status.success(),
            "the emulator: {}",
            String::from_utf8_lossy(&output.stderr)
        ),
    }
    std::fs::rename(&built, &library).expect("one folder");
    Some(library)
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
