//! The page that shows the stored studies, and the studies of published claims.

use std::fmt::Write as _;

use super::{files_below, root, text_of};

const HEAD: &str = "\
# Reports

Pages that `kdpipe run` wrote, as they came out, times and all; `kdpipe report` renders them again \
from what is stored beside them.

";

const CLAIMS: &str = "\
## Published claims

Statements of others on distillation, each with a study that asks the same of small models. What \
was said, and what came out here, is on [a page of its own](pipelines/claims/README.md); this is \
what each study asks.

| study | asks |
| --- | --- |
";

pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for study in stored_studies() {
        let report = text_of(&root().join(format!("results/{study}/report.md")));
        let mut paragraphs = report.split("\n\n").map(str::trim).skip(1).peekable();
        let note = paragraphs.next_if(|one| one.starts_with('>'));
        let note = note.map_or(String::new(), |note| format!("{note}\n\n"));
        let question = paragraphs.next().unwrap_or_default();
        let answer = paragraphs.find(|one| one.starts_with("**"));
        let answer = answer.unwrap_or_default();
        let spec = spec_of(&study);
        let losses = format!("results/{study}/figures/losses.svg");
        // Nothing is compared where there is none.
        let figure = if root().join(&losses).exists() {
            format!(
                "[![Test loss of every arm, and its difference to the baseline]({losses})]\
                 (results/{study}/report.md)\n\n"
            )
        } else {
            String::new()
        };
        let _ = writeln!(
            page,
            "## {study}\n\n{note}{question}\n\n{figure}{answer}\n\n\
             [The whole report](results/{study}/report.md), of [`{spec}`]({spec}).\n"
        );
    }
    page += CLAIMS;
    for file in files_below("pipelines/claims", ".toml") {
        let spec: toml::Table = text_of(&root().join(&file)).parse().unwrap();
        let Some(asked) = spec
            .get("pipeline")
            .and_then(|table| table["description"].as_str())
        else {
            continue;
        };
        let name = file
            .trim_start_matches("pipelines/claims/")
            .trim_end_matches(".toml");
        let _ = writeln!(page, "| [{name}]({file}) | {asked} |");
    }
    page
}

/// The spec of a stored study: one by its name, that of a claim, or the first step of another.
fn spec_of(study: &str) -> String {
    let first_step = study.replacen('-', "/", 1);
    let places = [study.to_owned(), first_step, format!("claims/{study}")];
    let mut specs = places
        .map(|name| format!("pipelines/{name}.toml"))
        .into_iter();
    let there = specs.find(|spec| root().join(spec).exists());
    there.unwrap_or_else(|| panic!("{study} has no spec"))
}

/// Names of the studies that are part of the repository: those that have a spec of their name.
/// Others that lie beside them are somebody's own.
fn stored_studies() -> Vec<String> {
    let is_ours = |name: &String| {
        let report = root().join(format!("results/{name}/report.md"));
        let is_listed =
            text_of(&root().join(".gitignore")).contains(&format!("!/results/{name}\n"));
        is_listed && report.is_file()
    };
    let entries = std::fs::read_dir(root().join("results")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(is_ours).collect();
    names.sort();
    names
}
