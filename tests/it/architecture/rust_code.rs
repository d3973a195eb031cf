//! As much understanding of Rust's text as the tests of the architecture need: comments and strings
//! taken out, names, paths, functions.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A source file.
pub struct SourceFile {
    /// Below the folder that was asked for, with `/` between names.
    pub path: String,
    pub text: String,
    /// The text without comments and the content of strings.
    pub code: String,
}

impl SourceFile {
    fn new(path: String, text: String) -> Self {
        let code = strip(&text);
        Self { path, text, code }
    }

    /// The top-level module that it belongs to.
    pub fn module(&self) -> &str {
        let name = self.path.split('/').next().unwrap_or_default();
        let name = name.trim_end_matches(".rs");
        name.strip_suffix("_tests").unwrap_or(name)
    }

    /// Whether only tests compile it.
    pub fn is_test(&self) -> bool {
        let mut names = self.path.trim_end_matches(".rs").split('/');
        names.any(|name| name == "tests" || name.ends_with("_tests") || name.starts_with("test_"))
    }

    /// Whether it speaks for the folder that it is in.
    pub fn is_folder_face(&self) -> bool {
        self.path.ends_with("mod.rs") || matches!(self.path.as_str(), "lib.rs" | "main.rs")
    }

    /// Names of modules from the crate's root. The tests of `x.rs` are its module `tests`.
    pub fn place(&self) -> Vec<String> {
        let path = self.path.trim_end_matches(".rs");
        let mut names: Vec<String> = path.split('/').map(str::to_owned).collect();
        let last = names.pop().unwrap_or_default();
        match last.strip_suffix("_tests") {
            Some(tested) => names.extend([tested.to_owned(), "tests".to_owned()]),
            None if self.is_folder_face() => {}
            None => names.push(last),
        }
        names
    }

    /// Top-level modules that it names, by `crate::` or by as many `super::` as lead there.
    pub fn imported_modules(&self, modules: &BTreeSet<String>) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = names_after(&self.code, "crate::").into_iter().collect();
        let above = "super::".repeat(self.place().len());
        if !above.is_empty() {
            // In a module within the file the same words lead one level less far up, and then to
            // no module of the root.
            let names = names_after(&self.code, &above).into_iter();
            found.extend(names.filter(|name| modules.contains(name)));
        }
        found.remove(self.module());
        found.remove("self");
        found
    }

    /// The full paths of what it hands on with `pub use`.
    pub fn handed_on(&self) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        for statement in self.code.split(';') {
            let statement = statement.trim_start();
            let Some((head, tree)) = statement.split_once("use ") else {
                continue;
            };
            if !head.starts_with("pub") || head.contains(['{', '}', '\n']) {
                continue;
            }
            for path in use_tree(tree) {
                let root = self.place();
                found.push(match path.first().map(String::as_str) {
                    Some("crate" | "self" | "super") => resolve(&path, &root),
                    _ => root.into_iter().chain(path).collect(),
                });
            }
        }
        found
    }
}

/// All files of Rust below a folder of the repository.
pub fn sources(folder: &str) -> Vec<SourceFile> {
    fn walk(root: &Path, at: &Path, found: &mut Vec<SourceFile>) {
        let entries = std::fs::read_dir(at).unwrap();
        let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(root, &path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let relative = path.strip_prefix(root).unwrap().to_str().unwrap();
                found.push(SourceFile::new(relative.replace('\\', "/"), text));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    found
}

/// The full paths, from the crate's root, that code at `place` names with `crate::` or `super::`.
pub fn use_paths(code: &str, place: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for prefix in ["crate::", "super::"] {
        for (at, _) in code.match_indices(prefix) {
            if code[..at].ends_with(|c: char| is_name(c) || c == ':') {
                continue;
            }
            let paths = use_tree(&code[at..]);
            found.extend(paths.iter().map(|path| resolve(path, place)));
        }
    }
    found
}

/// A path from the crate's root.
fn resolve(path: &[String], place: &[String]) -> Vec<String> {
    let mut at = place.to_vec();
    for name in path {
        match name.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => drop(at.pop()),
            name => at.push(name.to_owned()),
        }
    }
    at
}

/// The paths that the text begins with: one, or all of its groups in braces.
fn use_tree(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    branch(text, &[], &mut found);
    found
}

/// Reads one branch of a tree of paths and returns what follows it.
fn branch<'a>(text: &'a str, above: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let mut path = above.to_vec();
    let mut rest = text.trim_start();
    loop {
        if let Some(mut group) = rest.strip_prefix('{') {
            loop {
                group = branch(group, &path, found).trim_start();
                match group.strip_prefix(',') {
                    Some(next) if !next.trim_start().starts_with('}') => group = next,
                    Some(next) => group = next.trim_start(),
                    None => {}
                }
                if let Some(after) = group.strip_prefix('}') {
                    return after;
                }
                if group.is_empty()
                    || !group.starts_with(|c: char| is_name(c) || c == ' ' || c == '\n' || c == '{')
                {
                    return group;
                }
            }
        }
        let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        if end == 0 {
            return rest;
        }
        path.push(rest[..end].to_owned());
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(next) => rest = next.trim_start(),
            None => break,
        }
    }
    found.push(path);
    // A second name does not say where a thing is.
    match rest.trim_start().strip_prefix("as ") {
        Some(renamed) => renamed.trim_start_matches(is_name),
        None => rest,
    }
}

/// The names of the types that the code defines, those within traits and implementations aside.
pub fn declared_types(code: &str) -> Vec<String> {
    let kinds = ["struct ", "enum ", "trait ", "union ", "type "];
    let mut found = Vec::new();
    for line in code.lines() {
        let mut words = line.trim_start();
        if let Some(rest) = words.strip_prefix("pub") {
            let visible = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
            words = visible.map_or(rest, |(_, rest)| rest).trim_start();
        }
        for kind in kinds {
            let is_associated = kind == "type " && line.starts_with(' ');
            if let Some(rest) = words.strip_prefix(kind).filter(|_| !is_associated) {
                found.push(rest.chars().take_while(|&c| is_name(c)).collect());
            }
        }
    }
    found
}

/// A function as it stands in the text.
pub struct FunctionText {
    pub name: String,
    /// From its first line to its last brace.
    pub lines: usize,
    pub doc: String,
}

/// The functions of a file that rustfmt has formatted.
pub fn functions(text: &str) -> Vec<FunctionText> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let words = line.trim_start();
        let is_head = words.starts_with("fn ")
            || words.starts_with("pub") && words.contains(" fn ")
            || words.starts_with("const fn ")
            || words.starts_with("unsafe fn ");
        if !is_head || words.ends_with(['}', ';']) {
            continue;
        }
        let opened = lines[at..].iter().find(|line| line.ends_with(['{', ';']));
        if opened.is_some_and(|line| line.ends_with(';')) {
            // A declaration has no body.
            continue;
        }
        let margin = &line[..line.len() - words.len()];
        let end = format!("{margin}}}");
        let Some(length) = lines[at..].iter().position(|line| **line == end) else {
            continue;
        };
        let after = words.split_once("fn ").map_or("", |(_, after)| after);
        let above = lines[..at].iter().rev().map(|line| line.trim_start());
        let doc: Vec<&str> = above
            .take_while(|line| line.starts_with("///") || line.starts_with("#["))
            .collect();
        found.push(FunctionText {
            name: after.chars().take_while(|&c| is_name(c)).collect(),
            lines: length + 1,
            doc: doc.join("\n"),
        });
    }
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
pub fn names_after(code: &str, prefix: &str) -> Vec<String> {
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

#[cfg(test)]
#[path = "rust_code_tests.rs"]
mod tests;
