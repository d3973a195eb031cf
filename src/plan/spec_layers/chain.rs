//! The files of a spec: the embedded defaults, and the chain of `extends`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use super::super::diagnostics::{Diagnostic, Place};
use super::super::frozen::FrozenSpec;
use super::super::path::InputPath;
use super::super::source::{Content, SpecNode, SpecText};
use super::{Origin, SpecLayer};

/// The lowest layer: every key with its default.
pub const DEFAULTS: &str = include_str!("../../../pipelines/default.toml");

/// Longest chain of `extends`.
const LONGEST_CHAIN: usize = 32;

/// A file of the chain, and the value of `extends` that names it; none names the spec itself.
struct Link {
    path: PathBuf,
    /// What to do where there is no file.
    remedy: String,
    named_at: Option<Place>,
}

/// The defaults and the files of a frozen spec.
pub(super) fn frozen_chain(frozen: &FrozenSpec, mistakes: &mut Vec<Diagnostic>) -> Vec<SpecLayer> {
    let mut chain = vec![defaults()];
    for source in frozen.texts() {
        match source.parse() {
            Ok(root) => chain.push(SpecLayer {
                name: source.name.clone(),
                source,
                root,
                origin: Origin::File,
            }),
            Err(more) => mistakes.extend(more),
        }
    }
    chain
}

/// The defaults and the files from the end of the chain to the spec.
pub(super) fn read_chain(spec: &Path, mistakes: &mut Vec<Diagnostic>) -> Vec<SpecLayer> {
    let mut chain: Vec<SpecLayer> = Vec::new();
    let mut seen: Vec<(PathBuf, String)> = Vec::new();
    let mut next = Some(Link {
        path: spec.to_path_buf(),
        remedy: String::new(),
        named_at: None,
    });
    while let Some(link) = next.take() {
        let identity = std::fs::canonicalize(&link.path).unwrap_or_else(|_| link.path.clone());
        if let Err(mistake) = check_length(&seen, &identity, &link) {
            mistakes.push(*mistake);
            break;
        }
        seen.push((identity, link.path.display().to_string()));
        match read_file(&link) {
            Ok(layer) => {
                next = base_of(&layer, mistakes);
                chain.push(layer);
            }
            Err(more) => {
                mistakes.extend(more);
                break;
            }
        }
    }
    chain.push(defaults());
    chain.reverse();
    chain
}

/// Refuses a file that the chain has already, and one file too many.
fn check_length(
    seen: &[(PathBuf, String)],
    identity: &Path,
    link: &Link,
) -> Result<(), Box<Diagnostic>> {
    let shown = link.path.display().to_string();
    if let Some(first) = seen.iter().position(|(earlier, _)| earlier == identity) {
        let circle: Vec<&str> = seen[first..]
            .iter()
            .map(|(_, name)| name.as_str())
            .chain([shown.as_str()])
            .collect();
        let message = format!("extends goes round in a circle: {}", circle.join(" -> "));
        return Err(Box::new(
            Diagnostic::new(message)
                .at(link.named_at.clone())
                .hint("a spec at the end of the chain extends nothing"),
        ));
    }
    if seen.len() >= LONGEST_CHAIN {
        let message = format!("extends is a chain of more than {LONGEST_CHAIN} files");
        return Err(Box::new(Diagnostic::new(message).at(link.named_at.clone())));
    }
    Ok(())
}

fn read_file(link: &Link) -> Result<SpecLayer, Vec<Diagnostic>> {
    let source = SpecText::read(&link.path).map_err(|mistake| {
        // A file that is not there is a mistake of the line that names it; what is wrong inside a
        // file is not.
        vec![match &link.named_at {
            Some(place) if mistake.place.is_none() => {
                mistake.at(place.clone()).hint(link.remedy.clone())
            }
            Some(_) | None => *mistake,
        }]
    })?;
    let root = source.parse()?;
    Ok(SpecLayer {
        name: source.name.clone(),
        source,
        root,
        origin: Origin::File,
    })
}

/// The file that this one extends.
fn base_of(layer: &SpecLayer, mistakes: &mut Vec<Diagnostic>) -> Option<Link> {
    let node = layer.root.get("extends")?;
    let place = layer.source.place(node.value.clone());
    match &node.content {
        Content::String(base) if !base.is_empty() => {
            let base = InputPath::new(base, &layer.source.base);
            let remedy = base.tilde().map_or_else(
                || "extends is a path from the folder of the file that it stands in".to_owned(),
                |tilde| format!("{}; {}", tilde.reason, tilde.remedy),
            );
            Some(Link {
                path: base.resolve(),
                remedy,
                named_at: Some(place),
            })
        }
        _ => {
            mistakes.push(
                Diagnostic::new("extends is not the path of a spec")
                    .at(place)
                    .hint("write extends = \"base.toml\""),
            );
            None
        }
    }
}

/// The embedded defaults.
fn defaults() -> SpecLayer {
    static ROOT: LazyLock<(Arc<SpecText>, SpecNode)> = LazyLock::new(|| {
        let source = SpecText::new("pipelines/default.toml", DEFAULTS, Path::new(""));
        let root = source
            .parse()
            .expect("the embedded defaults are TOML, as a test shows");
        (source, root)
    });
    let (source, root) = &*ROOT;
    SpecLayer {
        source: source.clone(),
        root: root.clone(),
        origin: Origin::Defaults,
        name: "the defaults".to_owned(),
    }
}
