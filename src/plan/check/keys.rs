//! Keys that are missing from a table, and keys that it does not have.

use figment::value::{Dict, Value};
use serde_json::{Map, Value as Json};

use super::super::diagnostics::{Diagnostic, similar};
use super::super::schema::{self, Variants};
use super::super::spec_layers::{On, Origin, PathStep, STUDY_TABLES, dotted};
use super::super::words::{description, join, plain_list, quoted_list, short_dotted};
use super::SpecWalk;
use super::other_names::{NameHere, name_here};

/// The keys of a table, or of the variant that its tag chooses.
pub(super) struct TableKeys<'a> {
    pub keys: Vec<&'a str>,
    pub variants: Option<&'a Variants<'a>>,
    /// The tag and its value, where the table has variants.
    pub chosen: Option<(&'a str, &'a str)>,
}

impl<'a> TableKeys<'a> {
    pub fn new(
        properties: Option<&'a Map<String, Json>>,
        variants: Option<&'a Variants<'a>>,
        dict: &'a Dict,
    ) -> Self {
        Self {
            keys: properties
                .into_iter()
                .flat_map(Map::keys)
                .map(String::as_str)
                .collect(),
            variants,
            chosen: variants
                .and_then(|variants| Some((variants.tag, dict.get(variants.tag)?.as_str()?))),
        }
    }

    /// The variants that have the key.
    fn owners(&self, key: &str) -> Vec<&'a str> {
        self.variants
            .iter()
            .flat_map(|variants| &variants.branches)
            .filter(|(_, branch)| branch["properties"].get(key).is_some())
            .map(|(name, _)| *name)
            .collect()
    }

    /// The key of any variant that is spelled like this one.
    fn similar_of_any_variant(&self, key: &str) -> Option<&'a str> {
        let all = self
            .variants?
            .branches
            .iter()
            .filter_map(|(_, branch)| branch["properties"].as_object())
            .flat_map(Map::keys);
        similar(key, all.map(String::as_str))
    }
}

impl SpecWalk<'_> {
    pub(super) fn missing_key(&mut self, key: &str, schema: &Json, table: &TableKeys) {
        let name = self.name();
        let full = if name.is_empty() {
            key.to_owned()
        } else {
            format!("{name}.{key}")
        };
        let about = description(schema)
            .map(|about| format!(": {about}"))
            .unwrap_or_default();
        match table.chosen {
            Some((tag, variant)) => {
                self.path.push(PathStep::Key(tag.to_owned()));
                self.fault(
                    On::Value,
                    format!("{full} is missing"),
                    Some(format!("{tag} = \"{variant}\" needs the key {key}{about}")),
                );
                self.path.pop();
            }
            None => self.fault(
                On::Key,
                format!("{full} is missing"),
                Some(format!("add the key {key}{about}")),
            ),
        }
    }

    /// Says that a key is not one here; gives the key of the table that was probably meant.
    pub(super) fn unknown_key(
        &mut self,
        key: &str,
        value: &Value,
        table: &TableKeys,
    ) -> Option<String> {
        if let Some((tag, chosen)) = table.chosen
            && !table.owners(key).is_empty()
        {
            let diagnostic = self.key_of_another_variant(key, table, tag, chosen);
            self.add_unless_override(value, diagnostic);
            return None;
        }
        let in_arm = self
            .merged
            .origin(&self.path)
            .is_some_and(|(layer, _)| layer.origin == Origin::Arm);
        let around = short_dotted(&self.path[..self.path.len() - 1]);
        let mut candidates = table.keys.clone();
        if around.is_empty() && !in_arm {
            candidates.extend(STUDY_TABLES);
        }
        let named_here = name_here(key, &around);
        let meant = match named_here {
            Some(NameHere::Key(name)) if candidates.contains(&name) => Some(name),
            Some(_) => None,
            None => similar(key, candidates.iter().copied()),
        };
        let hint = match (named_here, meant) {
            (Some(NameHere::Instead(hint)), _) => self.with_value(hint),
            (Some(NameHere::Key(_)), Some(meant)) => format!("write {meant}"),
            (Some(NameHere::Key(_)) | None, _) => {
                unknown_key_hint(key, &around, &candidates, meant, table)
            }
        };
        let name = self.name();
        self.fault(On::Key, format!("{name} is not a key"), Some(hint));
        meant.map(str::to_owned)
    }

    /// A hint whose `…` is the value as it is written.
    fn with_value(&self, hint: &str) -> String {
        let written = self.merged.origin(&self.path);
        let written = written.map_or_else(|| "…".to_owned(), |(_, node)| node.toml());
        hint.replace('…', &written)
    }

    fn key_of_another_variant(
        &self,
        key: &str,
        table: &TableKeys,
        tag: &str,
        chosen: &str,
    ) -> Diagnostic {
        let others: Vec<&str> = table
            .keys
            .iter()
            .copied()
            .filter(|key| *key != tag)
            .collect();
        let others = if others.is_empty() {
            "no other key".to_owned()
        } else {
            plain_list(&others)
        };
        let owners = quoted_list(&table.owners(key));
        Diagnostic {
            message: format!("{} is no key of {tag} = \"{chosen}\"", self.name()),
            place: self.merged.place(&self.path, On::Key),
            hint: Some(format!(
                "it belongs to {tag} = {owners}; \"{chosen}\" has {others}"
            )),
        }
    }

    /// A key of another variant is a fault, unless all of it comes from overrides: another cell may
    /// have a use for it.
    fn add_unless_override(&mut self, value: &Value, diagnostic: Diagnostic) {
        let mut leaves = Vec::new();
        self.collect_leaves(value, &mut self.path.clone(), &mut leaves);
        if leaves.iter().all(|(_, is_override)| *is_override) {
            let unused = leaves.into_iter().map(|(key, _)| (key, diagnostic.clone()));
            self.checked.unused.extend(unused);
        } else {
            self.checked.faults.push(diagnostic);
        }
    }

    /// The dotted keys of the values below one, and whether each comes from an override.
    fn collect_leaves(
        &self,
        value: &Value,
        path: &mut Vec<PathStep>,
        out: &mut Vec<(String, bool)>,
    ) {
        if let Value::Dict(_, dict) = value
            && !dict.is_empty()
        {
            for (key, value) in dict {
                path.push(PathStep::Key(key.clone()));
                self.collect_leaves(value, path, out);
                path.pop();
            }
            return;
        }
        let is_override = self
            .merged
            .layer_of(value)
            .is_some_and(|layer| layer.origin.is_override());
        out.push((dotted(path), is_override));
    }
}

/// What to write instead of a key that `around`, the table's dotted key, does not have.
fn unknown_key_hint(
    key: &str,
    around: &str,
    candidates: &[&str],
    meant: Option<&str>,
    table: &TableKeys,
) -> String {
    if around.is_empty() && STUDY_TABLES.contains(&key) {
        return format!("{key} belongs to the study as a whole: write it outside the arm");
    }
    if around.is_empty() && key == "arm" {
        return "arms are chosen in the grid: write grid.arm = [\"NAME\"], or --set arm=NAME"
            .to_owned();
    }
    let elsewhere = other_tables_with(key, around);
    if elsewhere.iter().any(String::is_empty) {
        return format!("{key} stands at the top of a spec, above its first table");
    }
    let list = match around {
        "" => format!("the keys of a spec are {}", plain_list(candidates)),
        around => format!("the keys of {around} are {}", plain_list(candidates)),
    };
    if !elsewhere.is_empty() {
        return format!("{key} is a key of {}; {list}", join(&elsewhere, "and"));
    }
    if let Some(meant) = meant {
        return format!("write {meant}");
    }
    match (table.similar_of_any_variant(key), table.chosen) {
        (Some(foreign), Some((tag, _))) => {
            let owners = quoted_list(&table.owners(foreign));
            format!("{foreign} belongs to {tag} = {owners}; {list}")
        }
        (None, _) | (_, None) => list,
    }
}

/// Tables that have a key which `around` has not, the nearest to the root first: those inside
/// `around` where there are any. The empty one is the spec itself.
fn other_tables_with(key: &str, around: &str) -> Vec<String> {
    if around.is_empty() {
        return Vec::new();
    }
    let mut tables = schema::tables_with(key);
    let inside = format!("{around}.");
    if tables.iter().any(|table| table.starts_with(&inside)) {
        tables.retain(|table| table.starts_with(&inside));
    }
    tables.sort_by_key(|table| table.matches('.').count());
    tables
}
