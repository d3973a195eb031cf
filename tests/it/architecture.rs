//! Holds the source to ARCHITECTURE.md: the table of arrows is read from the page itself, so that
//! neither can change without the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Modules that every other may import.
const LEAVES: [&str; 4] = ["panics", "random", "files", "table"];
/// A file longer than this holds more than one idea.
const LONGEST: usize = 600;
/// Words that stay out of finished code.
const UNFINISHED: [&str; 3] = ["dbg!", "todo!", "unimplemented!"];
/// Calls that change the disk: `files` makes them.
const WRITES: [&str; 10] = [
    "fs::write",
    "fs::create_dir",
    "fs::rename",
    "fs::remove_file",
    "fs::remove_dir",
    "fs::copy",
    "fs::hard_link",
    "fs::set_permissions",
    "File::create",
    "OpenOptions::new",
];
/// Calls that print: `cli` and `main` make them.
const PRINTS: [&str; 4] = ["println!", "print!", "eprintln!", "eprint!"];

/// A source file.
struct SourceFile {
    /// Below `src/` or `tests/`, with `/` between names.
    path: String,
    lines: usize,
    /// Without comments and the content of strings.
    code: String,
}

impl SourceFile {
    /// The top-level module that it belongs to.
    fn module(&self) -> &str {
        self.path
            .split('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".rs")
    }

    /// Names of modules from the crate's root.
    fn place(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.path.trim_end_matches(".rs").split('/').collect();
        if matches!(names.last(), Some(&("mod" | "lib" | "main"))) {
            names.pop();
        }
        names
    }

    /// What is compiled into the program: the tests of a file are its last module.
    fn shipped(&self) -> &str {
        self.code
            .find("#[cfg(test)]\nmod tests {")
            .map_or(&self.code, |at| &self.code[..at])
    }
}

fn sources(folder: &str) -> Vec<SourceFile> {
    fn walk(root: &Path, at: &Path, found: &mut Vec<SourceFile>) {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(at)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(root, &path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let relative = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .replace('\\', "/");
                found.push(SourceFile {
                    path: relative,
                    lines: text.lines().count(),
                    code: strip(&text),
                });
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    found
}

/// The code without comments, and with empty strings and characters; line breaks stay.
fn strip(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let skip = |out: &mut String, from: usize, to: usize| {
        out.extend(text[from..to].chars().filter(|&c| c == '\n'))
    };
    while at < bytes.len() {
        let rest = &text[at..];
        let after_name = out.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_string(rest).filter(|_| !after_name) {
            length
        } else if rest.starts_with('"') {
            quoted(rest)
        } else if let Some(length) = character(rest) {
            length
        } else {
            let c = rest.chars().next().unwrap_or_default();
            out.push(c);
            at += c.len_utf8();
            continue;
        };
        skip(&mut out, at, at + length);
        at += length;
    }
    out
}

/// The length of `r"…"`, `r#"…"#`, `br"…"` at the start.
fn raw_string(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('b').unwrap_or(rest).strip_prefix('r')?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let content = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = rest.len() - content.len();
    Some(
        content
            .find(&end)
            .map_or(rest.len(), |at| start + at + end.len()),
    )
}

/// The length of `"…"` at the start.
fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of `'…'` at the start; nothing for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    if let Some(escape) = body.strip_prefix('\\') {
        return escape
            .char_indices()
            .skip(1)
            .find(|&(_, c)| c == '\'')
            .map(|(at, _)| at + 3);
    }
    let c = body.chars().next()?;
    body[c.len_utf8()..]
        .starts_with('\'')
        .then_some(c.len_utf8() + 2)
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The names that follow every `prefix` in the code: one, or those of a group in braces.
fn names_after(code: &str, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with(|c: char| is_name(c) || c == ':') {
            continue;
        }
        let rest = code[at + prefix.len()..].trim_start();
        let Some(group) = rest.strip_prefix('{') else {
            found.push(rest.chars().take_while(|&c| is_name(c)).collect());
            continue;
        };
        let (mut depth, mut name) = (0, String::new());
        let mut begins = true;
        for c in group.chars() {
            match c {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    found.push(std::mem::take(&mut name));
                    begins = true;
                }
                c if depth == 0 && begins && is_name(c) => name.push(c),
                c => begins &= c.is_whitespace(),
            }
        }
        found.push(name);
    }
    found.retain(|name| !name.is_empty());
    found
}

/// Top-level modules that a file names, by `crate::` or by as many `super::` as lead there.
fn imports(source: &SourceFile, modules: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = names_after(&source.code, "crate::").into_iter().collect();
    let above = "super::".repeat(source.place().len());
    if !above.is_empty() {
        // Inside a module of a file the same words lead one level less far up, and then to no
        // module of the root.
        found.extend(
            names_after(source.shipped(), &above)
                .into_iter()
                .filter(|name| modules.contains(name)),
        );
    }
    found.remove(source.module());
    found.remove("self");
    found
}

/// The table of ARCHITECTURE.md: what each module may import.
fn table(modules: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md"))
            .unwrap();
    let rows = page
        .lines()
        .skip_while(|line| !line.starts_with("| module | may import |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let ticked = |cell: &str| {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect::<BTreeSet<String>>()
    };
    let mut above: BTreeSet<String> = BTreeSet::new();
    let mut table = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let mut may = match cells[1] {
            "all" => modules.clone(),
            "all above" => above.clone(),
            names => ticked(names),
        };
        may.extend(LEAVES.map(str::to_owned));
        for module in ticked(cells[0]) {
            above.insert(module.clone());
            table.insert(module, may.clone());
        }
    }
    assert!(
        table.len() > 5,
        "ARCHITECTURE.md has no table of modules any more"
    );
    table
}

fn modules(sources: &[SourceFile]) -> BTreeSet<String> {
    sources
        .iter()
        .map(|source| source.module().to_owned())
        .filter(|name| !matches!(name.as_str(), "main" | "lib"))
        .collect()
}

fn report(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn modules_import_only_what_the_table_of_the_architecture_allows() {
    let sources = sources("src");
    let modules = modules(&sources);
    let table = table(&modules);
    let mut faults = Vec::new();
    for source in sources
        .iter()
        .filter(|source| !matches!(source.path.as_str(), "main.rs" | "lib.rs"))
    {
        let Some(may) = table.get(source.module()) else {
            faults.push(format!(
                "src/{}: `{}` has no row in ARCHITECTURE.md",
                source.path,
                source.module()
            ));
            continue;
        };
        for name in imports(source, &modules) {
            if !modules.contains(&name) {
                faults.push(format!(
                    "src/{}: `crate::{name}` is no module; name the module that the item is in",
                    source.path
                ));
            } else if !may.contains(&name) {
                faults.push(format!(
                    "src/{}: `{}` must not import `{name}`; move the code, or change \
                     ARCHITECTURE.md with a reason",
                    source.path,
                    source.module()
                ));
            }
        }
    }
    let known: BTreeSet<String> = table.into_keys().collect();
    faults.extend(
        known.difference(&modules).map(|module| {
            format!("ARCHITECTURE.md has a row for `{module}`, which is not in src/")
        }),
    );
    report(faults);
}

#[test]
fn every_file_belongs_to_a_module() {
    let mut faults = Vec::new();
    for (folder, roots) in [
        ("src", &["lib.rs", "main.rs"][..]),
        ("tests/it", &["main.rs"][..]),
    ] {
        let sources = sources(folder);
        for source in sources
            .iter()
            .filter(|source| !roots.contains(&source.path.as_str()))
        {
            let place = source.place();
            let (name, above) = place.split_last().expect("a file has a name");
            let parents = if above.is_empty() {
                roots.iter().map(|root| (*root).to_owned()).collect()
            } else {
                vec![
                    format!("{}/mod.rs", above.join("/")),
                    format!("{}.rs", above.join("/")),
                ]
            };
            let declared = |code: &str| names_after(code, "mod ").contains(&(*name).to_owned());
            if !sources
                .iter()
                .any(|other| parents.contains(&other.path) && declared(&other.code))
            {
                faults.push(format!(
                    "{folder}/{}: no `mod {name};` names it",
                    source.path
                ));
            }
        }
    }
    report(faults);
}

#[test]
fn files_are_finished_and_short() {
    let mut faults = Vec::new();
    for folder in ["src", "tests/it"] {
        for source in sources(folder) {
            if source.lines > LONGEST {
                faults.push(format!(
                    "{folder}/{} has {} lines, more than {LONGEST}: split it by its ideas",
                    source.path, source.lines
                ));
            }
            let unfinished = UNFINISHED.iter().filter(|word| source.code.contains(*word));
            faults.extend(unfinished.map(|word| format!("{folder}/{}: `{word}`", source.path)));
        }
    }
    report(faults);
}

#[test]
fn the_disk_the_terminal_and_the_buffers_of_tensors_are_touched_in_one_place_each() {
    let sources = sources("src");
    // Files that only tests compile, by the attribute before the `mod` of it or of a module above.
    let only_tests = |source: &SourceFile| {
        let place = source.place();
        (1..place.len()).any(|depth| {
            let (name, above) = (place[depth], place[..depth].join("/"));
            let parents = [format!("{above}/mod.rs"), format!("{above}.rs")];
            let words = ["", "pub(crate) ", "pub(super) "]
                .map(|visible| format!("#[cfg(test)]\n{visible}mod {name};"));
            sources.iter().any(|other| {
                parents.contains(&other.path)
                    && words
                        .iter()
                        .any(|words| other.code.contains(words.as_str()))
            })
        })
    };
    let mut faults = Vec::new();
    for source in sources
        .iter()
        .filter(|source| source.path != "lib.rs" && source.path != "main.rs" && !only_tests(source))
    {
        let has = |word: &str| {
            source
                .shipped()
                .match_indices(word)
                .any(|(at, _)| !source.code[..at].ends_with(is_name))
        };
        let mut check = |words: &[&str], allowed: bool, remedy: &str| {
            faults.extend(
                words
                    .iter()
                    .filter(|word| !allowed && has(word))
                    .map(|word| format!("src/{}: `{word}`: {remedy}", source.path)),
            );
        };
        check(&WRITES, source.module() == "files", "write through `files`");
        check(
            &PRINTS,
            source.module() == "cli",
            "only `cli` prints; return the text, or tell an observer",
        );
        check(
            &["ParquetReader", "ParquetWriter"],
            source.module() == "table",
            "parquet is read and written by `table`",
        );
        check(
            &["copy_into"],
            source.path == "ops/tape.rs",
            "only ops/tape.rs and ops/cpu/tape.rs read a tensor's buffer",
        );
    }
    report(faults);
}

#[test]
fn comments_strings_and_characters_are_no_code() {
    let text = "use crate::a; // crate::b\n/* crate::c\n */ let s = \"crate::d \\\" crate::e\"; \
                let r = r#\"crate::f \" \"#; let c = '\"'; let d = '\\''; fn x<'a>(y: &'a str) { \
                crate::g::h() }\n";
    assert_eq!(names_after(&strip(text), "crate::"), ["a", "g"]);
    assert_eq!(strip(text).lines().count(), text.lines().count());
}

#[test]
fn imports_are_found_in_groups_and_by_super() {
    let source = |path: &str, code: &str| SourceFile {
        path: path.to_owned(),
        lines: 1,
        code: code.to_owned(),
    };
    let modules = BTreeSet::from(["files", "ops", "spec", "train"].map(str::to_owned));
    let found = |path: &str, code: &str| {
        imports(&source(path, code), &modules)
            .into_iter()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        found(
            "train/group.rs",
            "use crate::{ops::{Mat, tape}, spec, train::Job};\nlet x = crate::files::read(y);"
        ),
        "files ops spec"
    );
    assert_eq!(
        found(
            "train/group.rs",
            "use super::super::ops::Mat; use super::spec;"
        ),
        "ops"
    );
    assert_eq!(
        found(
            "train/mod.rs",
            "use super::files; use self::group; mod inner { use super::super::spec; }"
        ),
        "files"
    );
    assert_eq!(
        found(
            "train/a/b.rs",
            "$crate::ops::x; my_crate::plan::x; other::crate::plan"
        ),
        "ops"
    );
}
