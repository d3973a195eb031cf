//! Whether a critic's estimate can be trusted: the estimate itself and the norm of the critic's
//! gradient, which a 1-Lipschitz critic at its optimum has at 1.

use std::collections::BTreeSet;

use anyhow::Result;

use super::canvas::{GREY, color, sheet};
use super::curves::unlabelled;
use super::panel::{LegendEntry, Panel, legend, legend_height};
use super::scale::Scale;
use super::{Figure, View, WIDTH, average, left_out};
use crate::report::data::RunData;

const HEIGHT: f64 = 165.0;
const MOST_ROWS: usize = 4;

/// What the two panels of a row show, as recorded.
const VALUES: [&str; 2] = ["estimate", "gradient_norm"];

/// `critic.<term>.<state>.<value>` as (term, state, value).
pub fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let (rest, value) = name.strip_prefix("critic.")?.rsplit_once('.')?;
    let (term, state) = rest.rsplit_once('.')?;
    Some((term, state, value))
}

/// A critic's label: its student layer, and its term where there are several.
type CriticSeries = (String, Vec<(f64, f64)>);

pub fn draw(view: &View) -> Result<Option<Figure>> {
    let all: Vec<(String, [Vec<CriticSeries>; 2])> = view
        .rows
        .iter()
        .map(|row| {
            (
                row.label.clone(),
                row.finished(view.data).collect::<Vec<_>>(),
            )
        })
        .map(|(label, runs)| (label, VALUES.map(|value| lines(&runs, value))))
        .filter(|(_, lines)| lines.iter().any(|lines| !lines.is_empty()))
        .collect();
    if all.is_empty() {
        return Ok(None);
    }
    let shown = &all[..all.len().min(MOST_ROWS)];
    let mut names: Vec<&String> = Vec::new();
    for line in shown.iter().flat_map(|(_, panels)| panels.iter().flatten()) {
        if !names.contains(&&line.0) {
            names.push(&line.0);
        }
    }
    let entries: Vec<LegendEntry> = names
        .iter()
        .enumerate()
        .map(|(number, name)| LegendEntry {
            name: (*name).clone(),
            color: color(number),
            mark: None,
        })
        .collect();
    let points = |value: usize| {
        shown.iter().flat_map(move |(_, panels)| {
            panels[value]
                .iter()
                .flat_map(|line| line.1.iter().map(|point| point.1))
        })
    };
    let last = shown
        .iter()
        .flat_map(|(_, panels)| {
            panels
                .iter()
                .flatten()
                .flat_map(|line| line.1.iter().map(|point| point.0))
        })
        .fold(1.0, f64::max);
    let scales = [
        Scale::linear(points(0).chain([0.0]), 4),
        Scale::linear(points(1).chain([0.0, 1.0]), 4),
    ];
    let x = Scale::exactly(0.0, last * 1.01, 4);

    const LEFT: f64 = 72.0;
    const GAP: f64 = 76.0;
    let width = (WIDTH - LEFT - 16.0 - GAP) / 2.0;
    let top = 12.0 + legend_height(&entries, WIDTH - LEFT) + 26.0;
    let step = HEIGHT + 36.0;
    let svg = sheet(
        WIDTH,
        top + step * shown.len() as f64 + 8.0,
        "Critic estimates and gradient norms over training steps",
        |canvas| {
            legend(canvas, &entries, (LEFT, 10.0), WIDTH - LEFT)?;
            for (place, (label, panels)) in shown.iter().enumerate() {
                let last = place + 1 == shown.len();
                for (column, y_label) in ["critic estimate", "mean ‖∇f‖ (dashed: 1)"]
                    .into_iter()
                    .enumerate()
                {
                    let panel = Panel {
                        left: LEFT + (width + GAP) * column as f64,
                        top: top + step * place as f64,
                        width,
                        height: HEIGHT,
                        x: if last { x.clone() } else { unlabelled(&x) },
                        y: scales[column].clone(),
                    };
                    panel.axes(canvas, last.then_some("training step"), Some(y_label))?;
                    panel.title(canvas, label)?;
                    if column == 1 {
                        canvas.dashed(
                            panel.point(0.0, 1.0),
                            (panel.right(), panel.py(1.0)),
                            GREY,
                            1.0,
                        )?;
                    }
                    for (name, line) in &panels[column] {
                        let number = names.iter().position(|own| *own == name).unwrap_or(0);
                        panel.curve(canvas, line, color(number), 1.6)?;
                    }
                }
            }
            Ok(())
        },
    )?;
    let caption = format!(
        "Left: the critic's estimate by student layer, mean over seeds. Right: the mean norm of \
         its gradient at the points of the penalty. The estimate is a critic's, not W1: how far \
         the norm is from 1 says how far to trust it.{}",
        left_out(shown.len(), all.len(), "arms with a critic")
    );
    Ok(Some(Figure {
        name: "critic",
        alt: "Critic estimates and gradient norms over training steps".to_owned(),
        caption,
        svg,
    }))
}

fn lines(runs: &[&RunData], wanted: &str) -> Vec<CriticSeries> {
    let Some(first) = runs.first() else {
        return Vec::new();
    };
    let critics: Vec<(&String, &str, &str)> = first
        .curves
        .keys()
        .filter_map(|name| {
            parts(name)
                .filter(|(_, _, value)| *value == wanted)
                .map(|(term, state, _)| (name, term, state))
        })
        .collect();
    let several = critics
        .iter()
        .map(|critic| critic.1)
        .collect::<BTreeSet<_>>()
        .len()
        > 1;
    let number = |state: &str| state.parse().unwrap_or(usize::MAX);
    let mut critics = critics;
    critics.sort_by_key(|critic| (critic.1, number(critic.2)));
    critics
        .into_iter()
        .map(|(name, term, state)| {
            let curves: Vec<&[(f64, f64)]> = runs
                .iter()
                .filter_map(|run| run.curves.get(name))
                .map(Vec::as_slice)
                .collect();
            let layer = if state == "final" {
                "final state".to_owned()
            } else {
                format!("layer {state}")
            };
            (
                if several {
                    format!("{term}, {layer}")
                } else {
                    layer
                },
                average(&curves).mean,
            )
        })
        .filter(|(_, line)| !line.is_empty())
        .collect()
}
