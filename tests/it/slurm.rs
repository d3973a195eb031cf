//! Studies on real Slurm clusters of this machine: `tests/slurm/cases.sh`, which says what befalls
//! them. It needs root and the programs of Slurm and munge, and says so where it has not got them.

use std::path::Path;
use std::process::Command;

use crate::builder::TestSite;

/// What a cluster of this machine needs.
const PROGRAMS: [&str; 6] = [
    "munged",
    "slurmctld",
    "slurmd",
    "sbatch",
    "unshare",
    "setsid",
];

fn is_there(program: &str) -> bool {
    let found = Command::new("sh")
        .args([
            "-c",
            &format!("PATH=$PATH:/usr/sbin:/sbin command -v {program}"),
        ])
        .output();
    found.is_ok_and(|found| found.status.success())
}

/// Why there can be no cluster here.
fn obstacle() -> Option<String> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|about| {
        use std::os::unix::fs::MetadataExt;
        about.uid() == 0
    });
    if !is_root {
        return Some("a cluster of this machine is started by root".to_owned());
    }
    let missing: Vec<&str> = PROGRAMS
        .into_iter()
        .filter(|name| !is_there(name))
        .collect();
    (!missing.is_empty()).then(|| format!("not installed: {}", missing.join(", ")))
}

/// The cases that `KDPIPE_TEST_SLURM` names, as arguments of the script: no argument for `all`,
/// no list for `none`; without the variable those that depend on no moment, which a machine that
/// is busy with other tests may miss.
fn cases() -> Option<Vec<String>> {
    let named = std::env::var("KDPIPE_TEST_SLURM");
    let named = named
        .as_deref()
        .unwrap_or("together frozen inside refusals one_cpu lost_answer");
    match named {
        "none" => None,
        "all" => Some(Vec::new()),
        named => Some(named.split_whitespace().map(str::to_owned).collect()),
    }
}

#[test]
fn studies_on_a_real_cluster_end_in_the_bytes_of_one_process_whatever_befalls_their_jobs() {
    if let Some(obstacle) = obstacle() {
        println!("skipped: {obstacle}");
        return;
    }
    let Some(cases) = cases() else {
        println!("skipped: KDPIPE_TEST_SLURM=none");
        return;
    };
    let site = TestSite::new("");
    // munged wants its socket where anybody can go.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(site.path(""), open).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slurm/cases.sh");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .arg(script)
        .arg(env!("CARGO_BIN_EXE_kdpipe"))
        .arg(site.path("clusters"))
        .args(cases)
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .output()
        .expect("bash");
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{error}");
}
