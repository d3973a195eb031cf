//! Where the value of a key comes from.

use anyhow::{Result, bail};

use super::diagnostics::similar;
use super::load::Loaded;
use super::settings::implied;
use super::spec_layers::{Merged, On, Origin, key_path};

impl Loaded {
    /// The value of a dotted key and the layer that set it: of the spec, then of every cell group
    /// where an arm or an axis changes it.
    ///
    /// # Errors
    /// A key that no layer sets, with the nearest one.
    pub fn explain(&self, key: &str) -> Result<String> {
        let path = key_path(key);
        let line = |merged: &Merged| {
            let layer = merged.origin(&path).map(|(layer, _)| layer);
            let place = merged
                .place(&path, On::Key)
                .filter(|_| layer.is_some_and(|layer| layer.origin != Origin::Defaults));
            let from = layer.map_or("several layers", |layer| layer.name.as_str());
            let at = place.map_or_else(String::new, |place| {
                format!(" ({}:{}:{})", place.file, place.line, place.column)
            });
            let unused = if is_paid_for(merged, key) {
                "; train.budget takes its place"
            } else {
                ""
            };
            merged
                .find(&path)
                .map(|_| format!("{key} = {}   from {from}{at}{unused}", merged.toml(&path)))
                .or_else(|| {
                    let steps = implied(merged, key)?;
                    Some(format!("{key} = {steps}   a tenth of the steps"))
                })
        };
        let mut lines: Vec<(String, Vec<String>)> = Vec::new();
        for cell in &self.grid.cells {
            let merged = self.stack.run(self.grid.arm(cell), &self.grid.layers(cell));
            let text = line(&merged).unwrap_or_else(|| format!("{key} is absent"));
            let arm = self
                .grid
                .arm(cell)
                .map_or_else(|| "every cell".to_owned(), |arm| format!("arm {arm}"));
            match lines.iter_mut().find(|(known, _)| *known == text) {
                Some((_, arms)) if !arms.contains(&arm) => arms.push(arm),
                Some(_) => {}
                None => lines.push((text, vec![arm])),
            }
        }
        if lines.iter().all(|(text, _)| text.ends_with(" is absent")) {
            // What belongs to the study as a whole has one value, whatever the cell.
            if let Some(of_the_study) = line(&self.stack.study()) {
                return Ok(of_the_study);
            }
            let merged = self.stack.run(None, &[]);
            let keys: Vec<String> = keys(&merged);
            let hint = similar(key, keys.iter().map(String::as_str))
                .map_or_else(String::new, |near| format!("; did you mean {near}?"));
            bail!("no layer sets {key}{hint}");
        }
        let several = lines.len() > 1;
        let shown = lines.into_iter().map(|(text, arms)| {
            if several {
                format!("{text}   [{}]", arms.join(", "))
            } else {
                text
            }
        });
        Ok(shown.collect::<Vec<_>>().join("\n"))
    }
}

/// Whether the steps of a run come from its budget.
fn is_paid_for(merged: &Merged, key: &str) -> bool {
    key == "train.steps" && merged.find(&key_path("train.budget")).is_some()
}

/// Every dotted key of a merged tree.
fn keys(merged: &Merged) -> Vec<String> {
    fn walk(prefix: &str, dict: &figment::value::Dict, found: &mut Vec<String>) {
        for (key, value) in dict {
            let dotted = if prefix.is_empty() {
                key.clone()
            } else {
                format!("{prefix}.{key}")
            };
            if let Some(inner) = value.as_dict() {
                walk(&dotted, inner, found);
            }
            found.push(dotted);
        }
    }
    let mut found = Vec::new();
    walk("", &merged.values, &mut found);
    found
}
