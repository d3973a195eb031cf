//! What is published of a version: archives, wheels, and where installers look for them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use toml::Table;

use crate::builder::TestSite;
use crate::workflows::{Workflow, read_workflow, run_steps};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn table(path: &str) -> Table {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    text.parse().unwrap()
}

fn release() -> Workflow {
    read_workflow(".github/workflows/release.yml")
}

/// The targets that the workflow of a release builds.
fn targets() -> Vec<String> {
    let release = release();
    let matrix = &release["jobs"]["build"]["strategy"]["matrix"]["include"];
    let of_each = matrix.as_array().unwrap().iter();
    of_each
        .map(|target| target["target"].as_str().unwrap().to_owned())
        .collect()
}

/// What binstall makes of a template of the manifest.
fn expanded(key: &str, target: &str) -> String {
    let manifest = table("Cargo.toml");
    let package = &manifest["package"];
    let template = package["metadata"]["binstall"][key].as_str().unwrap();
    let of = |key: &str| package[key].as_str().unwrap().to_owned();
    let known = [
        ("repo", "https://example.org/kdpipe".to_owned()),
        ("name", of("name")),
        ("bin", of("default-run")),
        ("version", of("version")),
        ("target", target.to_owned()),
        ("binary-ext", String::new()),
    ];
    let text = known
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{ {name} }}"), value)
        });
    assert!(!text.contains(['{', '}']), "{text}");
    text
}

/// A program of a few bytes that is kdpipe: archives of a debug build take long to pack.
fn stand_in(site: &TestSite) -> PathBuf {
    let path = site.path("kdpipe");
    let text = format!(
        "#!/bin/sh\nexec '{}' \"$@\"\n",
        env!("CARGO_BIN_EXE_kdpipe")
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn output(command: &mut Command) -> String {
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn archives_are_where_binstall_looks_for_them_with_all_that_belongs_to_the_program() {
    let site = TestSite::new("");
    let program = stand_in(&site);
    let targets = targets();
    assert_eq!(targets.len(), 4);
    for target in &targets {
        let mut make = Command::new(root().join(".packaging/archive"));
        let said = output(make.arg(&program).arg(target).arg(site.path("dist")));
        let url = expanded("pkg-url", target);
        let (releases, name) = url.rsplit_once('/').unwrap();
        let version = env!("CARGO_PKG_VERSION");
        assert!(releases.ends_with(&format!("/releases/download/v{version}")));
        let archive = site.path("dist").join(name);
        assert_eq!(Path::new(said.trim_end()), archive);
        let sum = hex(&Sha256::digest(std::fs::read(&archive).unwrap()));
        let beside = std::fs::read_to_string(archive.with_file_name(format!("{name}.sha256")));
        assert_eq!(beside.unwrap(), format!("{sum}  {name}\n"));

        let listed = output(Command::new("tar").arg("-tzf").arg(&archive));
        let binary = expanded("bin-dir", target);
        let folder = binary.strip_suffix("/kdpipe").unwrap();
        for file in [
            "kdpipe",
            "LICENSE",
            "README.md",
            "share/man/man1/kdpipe.1",
            "share/man/man1/kdpipe-run.1",
            "share/bash-completion/completions/kdpipe",
            "share/zsh/site-functions/_kdpipe",
            "share/fish/vendor_completions.d/kdpipe.fish",
        ] {
            let path = format!("{folder}/{file}");
            assert!(
                listed.lines().any(|line| line == path),
                "{path} in\n{listed}"
            );
        }
        assert!(
            listed
                .lines()
                .all(|line| line.starts_with(&format!("{folder}/")))
        );
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_workflow_of_a_release_calls_the_scripts_that_are_tested() {
    let release = release();
    let steps = run_steps(&release, "build");
    let calls = |words: &str| steps.iter().any(|(_, run)| run == words);
    assert!(calls(".ci/wheel dist dist"));
    assert!(calls(
        ".packaging/archive target/dist/kdpipe ${{ matrix.target }} dist"
    ));
    let uploaded = release["jobs"]["build"]["steps"].as_array().unwrap();
    assert!(uploaded.iter().any(|step| step["with"]["path"] == "dist"));
    for script in [".ci/wheel", ".packaging/archive", ".packaging/share"] {
        let mode = std::fs::metadata(root().join(script))
            .unwrap()
            .permissions();
        assert_ne!(mode.mode() & 0o111, 0, "{script} is no program");
    }
    let everywhere = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    assert!(
        everywhere
            .lines()
            .any(|line| line.starts_with(".ci/wheel dev"))
    );
}

#[test]
fn the_wheel_is_of_this_package() {
    let project = table(".packaging/wheel/pyproject.toml");
    let manifest = table("Cargo.toml");
    for key in ["name", "license"] {
        assert_eq!(project["project"][key], manifest["package"][key]);
    }
    let taken = project["project"]["dynamic"].as_array().unwrap();
    assert!(taken.iter().any(|key| key.as_str() == Some("version")));
    let maturin = &project["tool"]["maturin"];
    assert_eq!(maturin["bindings"].as_str(), Some("bin"));
    let folder = root().join(".packaging/wheel");
    let packed = folder.join(maturin["manifest-path"].as_str().unwrap());
    let same = |path: PathBuf| path.canonicalize().unwrap();
    assert_eq!(same(packed), same(root().join("Cargo.toml")));
    assert_eq!(same(folder.join("LICENSE")), same(root().join("LICENSE")));
}
