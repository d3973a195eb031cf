//! Where the value of a key comes from.

use anyhow::{Result, bail};

use super::diagnostics::similar;
use super::load::Loaded;
use super::settings::implied;
use super::spec_layers::{Merged, On, Origin, SpecLayer, key_path};

impl Loaded {
    /// The value of a dotted key and the layer that set it: of the spec, then of every cell group
    /// where an arm or an axis changes it.
    ///
    /// # Errors
    /// A key that no layer sets, with the nearest one.
    pub fn explain(&self, key: &str) -> Result<String> {
        let mut lines: Vec<(String, Vec<String>)> = Vec::new();
        for cell in &self.grid.cells {
            let arm = self.grid.arm(cell);
            let merged = self.stack.run(arm, &self.grid.layers(cell));
            let text = self.explained(key, &merged, arm);
            let text = text.unwrap_or_else(|| format!("{key} is absent"));
            let arm = arm.map_or_else(|| "every cell".to_owned(), |arm| format!("arm {arm}"));
            match lines.iter_mut().find(|(known, _)| *known == text) {
                Some((_, arms)) if !arms.contains(&arm) => arms.push(arm),
                Some(_) => {}
                None => lines.push((text, vec![arm])),
            }
        }
        if lines.iter().all(|(text, _)| text.ends_with(" is absent")) {
            // What belongs to the study as a whole has one value, whatever the cell.
            if let Some(of_the_study) = self.explained(key, &self.stack.study(), None) {
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

    /// The value of a key among those of a cell of the arm, with the layer that set it.
    fn explained(&self, key: &str, merged: &Merged, arm: Option<&str>) -> Option<String> {
        let path = key_path(key);
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
        let chosen = self.grid.chosen_layers(arm);
        let is_chosen = |layer: &SpecLayer| chosen.iter().any(|own| own.name == layer.name);
        let unchosen = if self.awaits_choice && layer.is_some_and(is_chosen) {
            "; not chosen yet"
        } else {
            ""
        };
        let value = merged.find(&path).map(|_| merged.toml(&path));
        match value {
            Some(value) => Some(format!(
                "{key} = {value}   from {from}{at}{unused}{unchosen}"
            )),
            None => {
                let steps = implied(merged, key)?;
                Some(format!("{key} = {steps}   a tenth of the steps"))
            }
        }
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
