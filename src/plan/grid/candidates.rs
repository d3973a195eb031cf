//! `[select]`: values that are tried before the grid is run, on seeds of their own. It is written
//! as a grid is, and is one: for every arm the first of its cells, with every value tried in place
//! of the arm's own.

use std::collections::{BTreeMap, BTreeSet};

use super::super::diagnostics::{Diagnostic, Place, similar};
use super::super::planned::{ARM, SEED};
use super::super::schema::TRIED_TABLES;
use super::super::spec_layers::{On, Origin, SpecLayer, Stack};
use super::super::words::{join, plain_list};
use super::axes::{SELECT, collapse_to_outside_value, read_axes};
use super::{Choice, Grid, GridAxis, cell_count, unused_in_arms};

/// What `[select]` tries.
#[derive(Debug, Clone)]
pub struct Candidates {
    /// The axes of the grid but its seeds, each at the value of an arm's first cell, then those
    /// that are tried, then the seeds.
    pub grid: Grid,
    /// The keys that are tried.
    pub keys: Vec<String>,
}

impl Candidates {
    /// Reads `[select]`; none where there is no such table, and where it has mistakes.
    pub fn read(
        stack: &Stack,
        grid: &Grid,
        mistakes: &mut Vec<Diagnostic>,
        notices: &mut Vec<String>,
    ) -> Option<Self> {
        let place = place_of_table(stack)?;
        let before = mistakes.len();
        let mut axes = read_axes(stack, SELECT, mistakes);
        let mut set_away = Vec::new();
        for axis in &mut axes {
            // A seed from outside is refused below, and an arm from outside is that of the grid.
            if axis.key != SEED && axis.key != ARM {
                collapse_to_outside_value(axis, stack, &mut set_away);
            }
        }
        notices.extend(set_away.iter().map(|words| format!("[select]: {words}")));
        let of_arms = take(&mut axes, ARM);
        let seeds = take(&mut axes, SEED);
        check_tried(&axes, grid, &place, mistakes);
        check_seeds(seeds.as_ref(), stack, grid, &place, mistakes);
        let arms = arms_of(of_arms.as_ref(), grid, mistakes);
        let of_arms = arms.iter().flatten().map(String::as_str);
        let words = (
            "[select] tries other values in its place",
            "leave it out, or name in select.arm the others alone",
        );
        let unused = unused_in_arms(of_arms, &axes, stack, words);
        mistakes.extend(unused.into_iter().map(|(_, unused)| unused));
        let of_an_arm: Vec<GridAxis> = axes.iter().chain(&seeds).cloned().collect();
        if let Err(too_many) = cell_count(&of_an_arm) {
            mistakes.extend(too_many.0);
        }
        let seeds = seeds?;
        // What is set from outside leaves nothing to choose, or no arm to choose for.
        let is_set = !axes.is_empty() && axes.iter().all(|axis| axis.is_set_from_outside);
        if is_set || arms.is_empty() {
            return None;
        }
        (mistakes.len() == before).then(|| Self::of(grid, &arms, axes, seeds))
    }

    fn of(grid: &Grid, arms: &[Option<String>], tried: Vec<GridAxis>, seeds: GridAxis) -> Self {
        let is_kept = |axis: &GridAxis| axis.key != SEED;
        let keys = tried.iter().map(|axis| axis.key.clone()).collect();
        let mut cells: Vec<Vec<usize>> = Vec::new();
        for arm in arms {
            let of_arm = |cell: &&Vec<usize>| grid.arm(cell) == arm.as_deref();
            let Some(first) = grid.cells.iter().find(of_arm) else {
                continue;
            };
            let at = grid.axes.iter().zip(first);
            let at = at
                .filter(|(axis, _)| is_kept(axis))
                .map(|(_, value)| *value);
            let mut of_this: Vec<Vec<usize>> = vec![at.collect()];
            for axis in tried.iter().chain([&seeds]) {
                let with = |cell: &Vec<usize>, value| [cell.as_slice(), &[value]].concat();
                of_this = of_this
                    .iter()
                    .flat_map(|cell| (0..axis.values.len()).map(|value| with(cell, value)))
                    .collect();
            }
            cells.extend(of_this);
        }
        let kept = grid.axes.iter().filter(|axis| is_kept(axis)).cloned();
        Self {
            grid: Grid {
                axes: kept.chain(tried).chain([seeds]).collect(),
                cells,
                ..Grid::default()
            },
            keys,
        }
    }

    /// The values that are tried in a cell, by their keys.
    pub fn tried_in(&self, cell: &[usize]) -> BTreeMap<String, String> {
        let mut at = self.grid.values_of(cell);
        at.retain(|key, _| self.keys.contains(key));
        at
    }

    /// The first values of every arm that some are tried for: what stands for the choice until it
    /// is made.
    pub fn first(&self) -> Choice {
        let mut first = Choice::new();
        for cell in &self.grid.cells {
            let arm = self.grid.arm(cell).unwrap_or_default().to_owned();
            first.entry(arm).or_insert_with(|| self.tried_in(cell));
        }
        first
    }

    /// What a choice sets in the cells of each arm.
    pub fn layers(&self, choice: &Choice) -> BTreeMap<String, Vec<SpecLayer>> {
        let layer = |(key, text): (&String, &String)| {
            let axis = self.grid.axes.iter().find(|axis| axis.key == *key)?;
            let value = axis.values.iter().find(|value| value.text == *text)?;
            value.layer.clone()
        };
        let of_arm = |values: &BTreeMap<String, String>| values.iter().filter_map(layer).collect();
        choice
            .iter()
            .map(|(arm, values)| (arm.clone(), of_arm(values)))
            .collect()
    }
}

/// Where the highest layer that has the table has it.
fn place_of_table(stack: &Stack) -> Option<Place> {
    stack
        .files
        .iter()
        .chain(&stack.outside)
        .rev()
        .find_map(|layer| {
            let node = layer.root.get(SELECT)?;
            Some(layer.place(node, On::Key))
        })
}

/// Whether a key is another, or one below it.
fn is_below(key: &str, above: &str) -> bool {
    let rest = key.strip_prefix(above);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn take(axes: &mut Vec<GridAxis>, key: &str) -> Option<GridAxis> {
    let index = axes.iter().position(|axis| axis.key == key)?;
    Some(axes.remove(index))
}

/// Refuses keys that the grid varies, keys whose values cannot be held against each other, and a
/// table that tries nothing.
fn check_tried(axes: &[GridAxis], grid: &Grid, place: &Place, mistakes: &mut Vec<Diagnostic>) {
    if axes.is_empty() {
        let message = "[select] tries no values";
        let hint = "write a key and its values, as loss.hidden.weight = [0.1, 0.3, 1.0]";
        mistakes.push(Diagnostic::new(message).at(place.clone()).hint(hint));
    }
    for axis in axes {
        let key = &axis.key;
        let table = key.split('.').next().unwrap_or_default();
        let overlaps = |known: &&GridAxis| is_below(&known.key, key) || is_below(key, &known.key);
        if let Some(known) = grid.axes.iter().find(overlaps) {
            let message = match &known.key {
                same if same == key => format!("{key} is an axis of [grid] and of [select]"),
                other => format!("{key} is an axis of [select], and {other} one of [grid]"),
            };
            let hint = "a value is either compared or chosen: leave it out of one of them";
            mistakes.push(Diagnostic::new(message).at(axis.place.clone()).hint(hint));
        } else if key == "train" || key == "train.context" {
            let message = "select.train.context cannot be chosen: the loss on the validation split \
                           is measured in windows of it";
            let hint = "try other keys of train, and compare contexts in the grid";
            mistakes.push(Diagnostic::new(message).at(axis.place.clone()).hint(hint));
        } else if !TRIED_TABLES.contains(&table) {
            let message = format!(
                "select.{key} cannot be chosen: losses on the validation split are compared, which \
                 have to be of one text and one teacher"
            );
            let hint = format!("try keys of {}", plain_list(&TRIED_TABLES));
            mistakes.push(Diagnostic::new(message).at(axis.place.clone()).hint(hint));
        }
    }
}

/// Refuses seeds that runs of the grid have, too: what was chosen on a seed looks better on it.
fn check_seeds(
    seeds: Option<&GridAxis>,
    stack: &Stack,
    grid: &Grid,
    place: &Place,
    mistakes: &mut Vec<Diagnostic>,
) {
    let Some(seeds) = seeds else {
        let message = "[select] has no seeds of its own";
        let hint = "write seed = [50], with seeds that no run of the grid has";
        mistakes.push(Diagnostic::new(message).at(place.clone()).hint(hint));
        return;
    };
    let from_outside = stack.run(None, &[]);
    let path = [super::super::spec_layers::PathStep::Key(SEED.to_owned())];
    let origin = from_outside.origin(&path).map(|(layer, _)| layer.origin);
    if matches!(origin, Some(Origin::Environment | Origin::Set)) {
        let message = "the seed is set from outside, and [select] has seeds of its own";
        let hint = "set grid.seed instead, as --set 'grid.seed=[0, 1]'";
        mistakes.push(Diagnostic::new(message).at(place.clone()).hint(hint));
        return;
    }
    let mut of_grid: BTreeSet<String> = BTreeSet::new();
    match grid.axes.iter().find(|axis| axis.key == SEED) {
        Some(axis) => of_grid.extend(axis.values.iter().map(|value| value.text.clone())),
        // Arms may have seeds of their own.
        None => of_grid.extend(grid.cells.iter().map(|cell| {
            let run = stack.run(grid.arm(cell), &grid.layers(cell));
            run.toml(&path)
        })),
    }
    let own = seeds.values.iter().map(|value| value.text.clone());
    let shared: Vec<String> = own.filter(|seed| of_grid.contains(seed)).collect();
    if !shared.is_empty() {
        let message = format!(
            "[select] and the grid share the seed {}: a value that was chosen on a seed looks \
             better on it than it is",
            join(&shared, "and")
        );
        let hint = "give [select] seeds that no run of the grid has";
        mistakes.push(Diagnostic::new(message).at(seeds.place.clone()).hint(hint));
    }
}

/// The arms that values are tried for: all of the grid, where `[select]` names none.
fn arms_of(
    named: Option<&GridAxis>,
    grid: &Grid,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<Option<String>> {
    let mut run: Vec<Option<String>> = Vec::new();
    for cell in &grid.cells {
        let arm = grid.arm(cell).map(str::to_owned);
        if !run.contains(&arm) {
            run.push(arm);
        }
    }
    let Some(named) = named else {
        return run;
    };
    let names: Vec<&str> = run.iter().flatten().map(String::as_str).collect();
    for value in &named.values {
        let text = &value.text;
        let axis = grid.axes.iter().find(|axis| axis.key == ARM);
        let is_lost = axis.is_some_and(|axis| axis.has_lost(text));
        if !names.contains(&text.as_str()) && !is_lost {
            let hint = match similar(text, names.iter().copied()) {
                Some(meant) => format!("write \"{meant}\""),
                None => format!("write some of {}", plain_list(&names)),
            };
            mistakes.push(
                Diagnostic::new(format!(
                    "select.arm names {text}, which the grid does not run"
                ))
                .at(named.place.clone())
                .hint(hint),
            );
        }
    }
    run.retain(|arm| {
        let is_it = |text: &str| named.values.iter().any(|value| value.text == text);
        arm.as_deref().is_some_and(is_it)
    });
    run
}
