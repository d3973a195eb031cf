//! Small inputs that ask for very much: refused in words, within a memory of a few hundred
//! megabytes that the system enforces. None of them is one at which a library that kdpipe uses
//! fails by itself: such inputs are told in words in `tests/README.md` and kept nowhere.
#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::builder::{Done, TINY, TestSite, tiny};

/// Address space that the program may take, in KiB: its code, its threads' stacks and what it
/// allocates. Without a bomb it needs about a third of this.
const LIMIT: usize = 900 * 1024;

/// Runs a command under the limit, and for no longer than people wait for an error.
fn limited(site: &TestSite, arguments: &str) -> Done {
    let kdpipe = site.command(arguments);
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("ulimit -v {LIMIT}; exec \"$0\" \"$@\"")])
        .arg(kdpipe.get_program())
        .args(kdpipe.get_args());
    command.current_dir(site.path("")).envs(
        kdpipe
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    // Every arena of the allocator reserves address space that it never uses.
    command
        .env("MALLOC_ARENA_MAX", "2")
        .env("RAYON_NUM_THREADS", "2");
    let started = Instant::now();
    let output = command.output().unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "it took {:?}",
        started.elapsed()
    );
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Done {
        code: output.status.code(),
        out: text(&output.stdout),
        error: text(&output.stderr),
    }
}

#[test]
fn the_limit_is_one_that_a_study_can_live_with() {
    let site = TestSite::in_memory(TINY);
    limited(&site, "run study.toml").code(0);
}

/// The numbers from `first` on, as a list of TOML.
fn numbers(first: usize, count: usize) -> String {
    let numbers: Vec<String> = (first..first + count).map(|n| n.to_string()).collect();
    format!("[{}]", numbers.join(", "))
}

/// Settings and axes whose product nobody can train.
fn specs_of_billions() -> Vec<(&'static str, String)> {
    let (seeds, steps) = (numbers(0, 1000), numbers(1, 1000));
    let axes = format!("seed = {seeds}\ntrain.steps = {steps}\ntrain.batch = {steps}");
    let axis = format!("seed = {}", numbers(0, 100_000));
    [
        ("axes", "seed = [0]", axes.as_str()),
        ("an axis", "seed = [0]", &axis),
        ("steps", "steps = 10\n", "steps = 1_000_000_000_000\n"),
        ("width", "width = 12\n", "width = 1_000_000_000\n"),
        ("layers", "layers = 2\n", "layers = 1_000_000_000\n"),
        (
            "words",
            "train_words = 4_000",
            "train_words = 1_000_000_000_000_000",
        ),
        (
            "vocabulary",
            "vocab_size = 300",
            "vocab_size = 4_000_000_000",
        ),
        (
            "critic",
            "width = 8, steps = 1",
            "width = 1_000_000_000, steps = 1",
        ),
    ]
    .map(|(name, from, to)| (name, tiny(&[(from, to)])))
    .to_vec()
}

/// Texts that are long or deep, all of which the TOML parsers refuse by limits of their own.
fn specs_of_long_texts() -> Vec<(&'static str, String)> {
    let deep = |open: &str, close: &str| {
        let (open, close) = (open.repeat(100_000), close.repeat(100_000));
        format!("{TINY}\n[expect]\nx = {open}{close}\n")
    };
    vec![
        ("lists", deep("[", "]")),
        ("tables", deep("{ x = ", " }")),
        (
            "open lists",
            format!("{TINY}\nx = {}", "[".repeat(1_000_000)),
        ),
        ("dots", format!("{TINY}\n[{}x]\n", "x.".repeat(200_000))),
        (
            "a file too long",
            format!("{TINY}\n# {}\n", "x".repeat(80 << 20)),
        ),
    ]
}

#[test]
fn specs_that_ask_for_billions_are_refused_before_anything_is_made() {
    for (name, spec) in specs_of_billions().into_iter().chain(specs_of_long_texts()) {
        let site = TestSite::in_memory(&spec);
        let done = limited(&site, "run study.toml");
        assert_eq!(done.code, Some(2), "{name}: {done:?}");
        assert!(
            done.error.contains("error: ") && done.error.len() < 20_000,
            "{name}: {}",
            done.error.len()
        );
        assert!(
            !site.path("results").exists() && !site.path("cache").exists(),
            "{name}"
        );
    }
}

#[test]
fn chains_of_bases_without_end_are_refused() {
    let site = TestSite::in_memory("extends = \"0.toml\"\n");
    for link in 0..2_000 {
        site.write(
            &format!("{link}.toml"),
            format!("extends = \"{}.toml\"\n", link + 1).as_bytes(),
        );
    }
    let done = limited(&site, "check study.toml").code(2);
    assert!(
        done.error.contains("extends"),
        "{}",
        &done.error[..done.error.len().min(600)]
    );
}

/// Filters that the template engine itself cannot bound are tested beside the report's own, which
/// take their place, with a limit of a few bytes.
#[test]
fn templates_that_grow_without_end_are_errors() {
    let site = TestSite::in_memory(&tiny(&[(
        "[\"none\", \"mse\", \"wasserstein\"]",
        "[\"none\"]",
    )]));
    site.kdpipe("run study.toml").code(0);
    let mut macros = String::from("{% macro m0() %}xxxxxxxxxxxxxxxx{% endmacro %}");
    for level in 1..40 {
        write!(
            macros,
            "{{% macro m{level}() %}}{{{{ m{0}() }}}}{{{{ m{0}() }}}}{{% endmacro %}}",
            level - 1
        )
        .unwrap();
    }
    let templates = [
        "{{ '-' * 10000000000 }}".to_owned(),
        "{% set x = 'x' * 1000000000 %}{{ x | length }}".to_owned(),
        "{% set x = [0] * 10000000000 %}{{ x | length }}".to_owned(),
        "{% set x = range(1000000000) | list %}{{ x | length }}".to_owned(),
        "{% for a in range(1000000000) %}x{% endfor %}".to_owned(),
        "{{ 2 ** 10000000000 }}".to_owned(),
        "{{ 'x' | center(10000000000) }}".to_owned(),
        format!("{macros}{{{{ m39() }}}}"),
        format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000)),
        format!(
            "{}{}",
            "{% if true %}".repeat(20_000),
            "{% endif %}".repeat(20_000)
        ),
    ];
    for template in templates {
        site.write("bomb.j2", template.as_bytes());
        let done = limited(&site, "report study.toml --template bomb.j2");
        assert!(
            matches!(done.code, Some(0 | 2)),
            "{}: {done:?}",
            &template[..template.len().min(90)]
        );
        assert!(
            done.error.len() < 2_000,
            "{}",
            &template[..template.len().min(90)]
        );
    }
}

#[test]
fn files_that_claim_what_they_do_not_hold_take_no_memory() {
    let (start, end) = (
        TINY.find("[teacher]").unwrap(),
        TINY.find("[student]").unwrap(),
    );
    let site = TestSite::in_memory(&format!(
        "{}[teacher]\nsource = \"dir\"\npath = \"model\"\n{}",
        &TINY[..start],
        &TINY[end..]
    ));
    let config = |layers: &str, width: &str| {
        format!(
            "{{\"model_type\": \"gpt2\", \"n_layer\": {layers}, \"n_embd\": {width}, \"n_head\": \
             2, \"vocab_size\": 300, \"n_positions\": 16}}"
        )
    };
    std::fs::create_dir(site.path("model")).unwrap();
    let header = |length: u64, text: &[u8]| [&length.to_le_bytes(), text].concat();
    let claimed = concat!(
        r#"{"wte.weight":{"dtype":"F32","shape":[4294967296,4294967296],"#,
        r#""data_offsets":[0,18446744073709551615]}}"#
    );
    let mut hundred_megabytes = header(100 << 20, b"{");
    hundred_megabytes.resize(8 + (100 << 20), b' ');
    let cases: [(String, Vec<u8>); 6] = [
        (config("3", "16"), header(u64::MAX, b"{}")),
        (config("3", "16"), header(100 << 20, b"{}")),
        (config("3", "16"), hundred_megabytes),
        (
            config("3", "16"),
            header(claimed.len() as u64, claimed.as_bytes()),
        ),
        (config("1000000000", "1000000000"), header(2, b"{}")),
        (
            format!("{}1{}", "[".repeat(1_000_000), "]".repeat(1_000_000)),
            header(2, b"{}"),
        ),
    ];
    for (index, (config, weights)) in cases.into_iter().enumerate() {
        site.write("model/config.json", config.as_bytes());
        site.write("model/model.safetensors", &weights);
        let done = limited(&site, "run study.toml");
        let named = done.error.contains("model") || done.error.contains("of memory, and there are");
        assert!(
            matches!(done.code, Some(1 | 2)) && named,
            "case {index}: {done:?}"
        );
    }
}
