//! Holds the source to ARCHITECTURE.md and CONTRIBUTING.md: the table of arrows is read from the
//! page itself, so that neither can change without the other. What clippy can hold (who writes to
//! the disk, who prints) is in `clippy.toml`.

mod rust_code;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rust_code::{SourceFile, declared_types, functions, names_after, sources, use_paths};

/// A file longer than this holds more than one idea.
const LONGEST_FILE: usize = 400;
/// The most lines of a function that does not say why it is long.
const LONGEST_FUNCTION: usize = 60;
/// How the doc of a function that is longer says why.
const SAYS_WHY: &str = "is long because";
/// The most characters of a line.
const WIDEST: usize = 100;
/// Where code lies.
const FOLDERS: [&str; 4] = ["src", "tests/it", "tests/bench", "tests/fuzz"];

fn report(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// All files of Rust, by their paths in the repository.
fn everything() -> Vec<(String, SourceFile)> {
    let of_folder = |folder: &'static str| {
        let named = move |source: SourceFile| (format!("{folder}/{}", source.path), source);
        sources(folder).into_iter().map(named)
    };
    FOLDERS.into_iter().flat_map(of_folder).collect()
}

/// The top-level modules of the crate.
fn modules(sources: &[SourceFile]) -> BTreeSet<String> {
    sources
        .iter()
        .map(|source| source.module().to_owned())
        .filter(|name| !matches!(name.as_str(), "main" | "lib"))
        .collect()
}

/// The names in a cell of a table.
fn ticked(cell: &str) -> BTreeSet<String> {
    let parts = cell.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

/// The rows of the table of ARCHITECTURE.md: modules, and the cell of what they may import.
fn rows() -> Vec<(BTreeSet<String>, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let page = std::fs::read_to_string(page).unwrap();
    let lines = page
        .lines()
        .skip_while(|line| !line.starts_with("| module | may import |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        (ticked(cells[0]), cells[1].to_owned())
    };
    let rows: Vec<(BTreeSet<String>, String)> = lines.map(row).collect();
    assert!(
        rows.len() > 5,
        "ARCHITECTURE.md has no table of modules any more"
    );
    rows
}

/// The table of ARCHITECTURE.md: what each module may import.
fn arrows(modules: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
    let mut above: BTreeSet<String> = BTreeSet::new();
    let mut table = BTreeMap::new();
    for (of_row, cell) in rows() {
        let may = match cell.as_str() {
            "all" => modules.clone(),
            "all above" => above.clone(),
            names => ticked(names),
        };
        for module in of_row {
            above.insert(module.clone());
            table.insert(module, may.clone());
        }
    }
    table
}

#[test]
fn modules_import_only_what_the_table_of_the_architecture_allows() {
    let sources = sources("src");
    let modules = modules(&sources);
    let table = arrows(&modules);
    let mut faults = Vec::new();
    for source in sources
        .iter()
        .filter(|source| !matches!(source.path.as_str(), "main.rs" | "lib.rs"))
    {
        let (path, module) = (&source.path, source.module());
        let Some(may) = table.get(module) else {
            faults.push(format!(
                "src/{path}: `{module}` has no row in ARCHITECTURE.md"
            ));
            continue;
        };
        for name in source.imported_modules(&modules) {
            if !modules.contains(&name) {
                faults.push(format!(
                    "src/{path}: `crate::{name}` is no module; name the module that the item is in"
                ));
            } else if !may.contains(&name) {
                faults.push(format!(
                    "src/{path}: `{module}` must not import `{name}`; move the code, or change \
                     ARCHITECTURE.md with a reason"
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
fn the_table_of_the_architecture_allows_no_import_that_is_not_made() {
    let sources = sources("src");
    let modules = modules(&sources);
    let mut made: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for source in &sources {
        let imported = source.imported_modules(&modules);
        made.entry(source.module()).or_default().extend(imported);
    }
    let mut faults = Vec::new();
    for (of_row, cell) in rows() {
        // Rows that name nothing ("all", "all above") are no list of what is needed.
        for (module, may) in of_row.iter().map(|module| (module, ticked(&cell))) {
            let made = made.get(module.as_str()).cloned().unwrap_or_default();
            faults.extend(may.difference(&made).map(|name| {
                format!(
                    "ARCHITECTURE.md lets `{module}` import `{name}`, which no file of it does; \
                     take it out"
                )
            }));
        }
    }
    report(faults);
}

/// The files that a file imports, of its own top-level module. What a folder's `mod.rs` hands on
/// is followed to the file that defines it.
fn imported_files(
    source: &SourceFile,
    by_place: &BTreeMap<Vec<String>, &SourceFile>,
) -> BTreeSet<String> {
    use_paths(&source.code, &source.place())
        .iter()
        .filter_map(|path| defining_file(path, by_place, 0))
        .map(|file| file.path.clone())
        .collect()
}

fn defining_file<'a>(
    path: &[String],
    by_place: &BTreeMap<Vec<String>, &'a SourceFile>,
    depth: usize,
) -> Option<&'a SourceFile> {
    let known = (1..=path.len())
        .rev()
        .find(|&length| by_place.contains_key(&path[..length]))?;
    let file = by_place[&path[..known]];
    let Some(name) = path.get(known) else {
        return Some(file);
    };
    let handed_on = file
        .handed_on()
        .into_iter()
        .find(|full| full.last() == Some(name) && full[..] != path[..=known]);
    match handed_on {
        Some(full) if depth < 8 => defining_file(&full, by_place, depth + 1),
        _ => Some(file),
    }
}

/// Groups of files of which each imports every other, directly or by way of others.
fn circles(arrows: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reach = |start: &String| {
        let mut reached = BTreeSet::new();
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            for next in &arrows[at] {
                if arrows.contains_key(next) && reached.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        reached
    };
    let reached: BTreeMap<&String, BTreeSet<String>> =
        arrows.keys().map(|file| (file, reach(file))).collect();
    let mut found: Vec<Vec<String>> = Vec::new();
    for (file, beyond) in &reached {
        let together: Vec<String> = beyond
            .iter()
            .filter(|other| reached[other].contains(*file))
            .cloned()
            .collect();
        if together.len() > 1 && !found.contains(&together) {
            found.push(together);
        }
    }
    found
}

/// A `mod.rs` is the face of its folder: its files may use what it defines, and it what they
/// define. All other files of a module form no circle.
#[test]
fn files_of_a_module_import_each_other_in_one_direction() {
    let sources = sources("src");
    let shipped: Vec<&SourceFile> = sources.iter().filter(|source| !source.is_test()).collect();
    let by_place: BTreeMap<Vec<String>, &SourceFile> = shipped
        .iter()
        .map(|source| (source.place(), *source))
        .collect();
    let arrows: BTreeMap<String, BTreeSet<String>> = shipped
        .iter()
        .filter(|source| !source.is_folder_face())
        .map(|source| (source.path.clone(), imported_files(source, &by_place)))
        .collect();
    assert!(arrows["files/write.rs"].contains("files/place.rs"));
    let faults = circles(&arrows)
        .iter()
        .map(|files| format!("a circle: {}", files.join(", ")))
        .collect();
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
            let (above, name) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
            let by_path = format!("#[path = \"{name}\"]");
            let place = source.place();
            let parent = &place[..place.len() - 1];
            let declared = |other: &SourceFile| {
                let is_parent = other.place() == parent
                    || parent.is_empty() && roots.contains(&other.path.as_str());
                let last = place.last().expect("a file has a name");
                is_parent && names_after(&other.code, "mod ").contains(last)
            };
            let stem = name.trim_end_matches(".rs").to_owned();
            let named = |other: &SourceFile| {
                let folder = other.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let by_name =
                    other.is_folder_face() && names_after(&other.code, "mod ").contains(&stem);
                folder == above && (by_name || other.text.contains(&by_path))
            };
            if !sources.iter().any(|other| declared(other) || named(other)) {
                faults.push(format!("{folder}/{}: no `mod` names it", source.path));
            }
        }
    }
    report(faults);
}

#[test]
fn files_hold_one_idea() {
    let mut faults = Vec::new();
    for (path, source) in everything() {
        let lines = source.text.lines().count();
        if lines > LONGEST_FILE {
            faults.push(format!(
                "{path} has {lines} lines, more than {LONGEST_FILE}: split it by its ideas"
            ));
        }
    }
    report(faults);
}

#[test]
fn lines_are_no_wider_than_the_form_says() {
    let mut faults = Vec::new();
    for (path, source) in everything() {
        let wide = source.text.lines().enumerate();
        faults.extend(
            wide.filter(|(_, line)| line.chars().count() > WIDEST)
                .map(|(at, _)| format!("{path}:{}: wider than {WIDEST}", at + 1)),
        );
    }
    report(faults);
}

/// One file may define a name for each of several features.
#[test]
fn every_type_name_is_defined_once() {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, source) in everything() {
        for name in declared_types(&source.code) {
            places.entry(name).or_default().insert(path.clone());
        }
    }
    let faults = places
        .iter()
        .filter(|(_, places)| places.len() > 1)
        .map(|(name, places)| format!("`{name}` is defined in each of {places:?}"))
        .collect();
    report(faults);
}

#[test]
fn long_functions_say_why() {
    let mut faults = Vec::new();
    for (path, source) in everything() {
        for function in functions(&source.text) {
            let (name, lines) = (&function.name, function.lines);
            if lines > LONGEST_FUNCTION && !function.doc.contains(SAYS_WHY) {
                faults.push(format!(
                    "{path}: `{name}` has {lines} lines; cut it, or let its doc say \
                     that it \"is long because\" …"
                ));
            }
        }
    }
    report(faults);
}
