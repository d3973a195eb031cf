//! What every loss term contributes to the loss that is minimised: weight times balance factor
//! times value, over the training.

use std::collections::BTreeSet;

use anyhow::Result;

use super::canvas::{Anchor, INK, SMALL, TEXT, color, sheet};
use super::curves::unlabelled;
use super::panel::{LegendEntry, Panel, legend, legend_height};
use super::scale::Scale;
use super::{Figure, MOST_PANELS, View, WIDTH, average, grid, left_out};
use crate::report::data::{Curves, RunData};
use crate::report::format;

const HEIGHT: f64 = 165.0;
/// Contributions below this share of the largest are off the axis.
const SMALLEST: f64 = 1e-4;

/// A term's name and its contribution by step.
type TermSeries = (String, Vec<(f64, f64)>);

pub fn draw(view: &View) -> Result<Option<Figure>> {
    // The first setting stands for all: the others differ in what the terms compare, not in how
    // they are weighted.
    let facets = view.facets(&[]);
    let panels = facets.iter().find_map(|facet| {
        let panels: Vec<(String, Vec<TermSeries>)> = facet
            .rows
            .iter()
            .map(|&(row, _)| {
                (
                    view.series_of(&view.rows[row]).1,
                    lines(&view.rows[row].finished(view.data).collect::<Vec<_>>()),
                )
            })
            .filter(|(_, lines)| !lines.is_empty())
            .collect();
        (!panels.is_empty()).then(|| (facet.title.clone(), panels))
    });
    let Some((setting, panels)) = panels else {
        return Ok(None);
    };
    let shown = &panels[..panels.len().min(MOST_PANELS)];
    let names: Vec<&String> = shown
        .iter()
        .flat_map(|(_, lines)| lines.iter().map(|line| &line.0))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let entries: Vec<LegendEntry> = names
        .iter()
        .enumerate()
        .map(|(number, name)| LegendEntry {
            name: (*name).clone(),
            color: color(number),
            mark: None,
        })
        .collect();
    let points = || {
        shown
            .iter()
            .flat_map(|(_, lines)| lines.iter().flat_map(|line| line.1.iter()))
    };
    let last = points().map(|point| point.0).fold(1.0, f64::max);
    let most = points()
        .map(|point| point.1)
        .fold(f64::MIN_POSITIVE, f64::max);
    let y = Scale::logarithmic(
        points()
            .map(|point| point.1)
            .filter(|&value| value >= most * SMALLEST),
        |value| format::significant(value, 1),
    );

    const LEFT: f64 = 66.0;
    let (columns, rows) = grid(shown.len());
    let x = Scale::exactly(0.0, last * 1.01, if columns == 3 { 3 } else { 5 });
    let width = (WIDTH - LEFT - 10.0) / columns as f64;
    let top = 12.0 + legend_height(&entries, WIDTH - LEFT) + 26.0;
    let step = HEIGHT + 46.0;
    let svg = sheet(
        WIDTH,
        top + step * rows as f64 + 2.0,
        "Weighted loss terms over training steps, by arm",
        |canvas| {
            legend(canvas, &entries, (LEFT, 10.0), WIDTH - LEFT)?;
            for (place, (name, lines)) in shown.iter().enumerate() {
                let panel = Panel {
                    left: LEFT + width * (place % columns) as f64,
                    top: top + step * (place / columns) as f64,
                    width: width - 24.0,
                    height: HEIGHT,
                    x: x.clone(),
                    y: if place % columns == 0 {
                        y.clone()
                    } else {
                        unlabelled(&y)
                    },
                };
                panel.axes(
                    canvas,
                    (place + columns >= shown.len()).then_some("training step"),
                    None,
                )?;
                panel.title(canvas, name)?;
                for (term, line) in lines {
                    let number = names.iter().position(|own| *own == term).unwrap_or(0);
                    let visible: Vec<(f64, f64)> = line
                        .iter()
                        .copied()
                        .filter(|point| point.1 >= y.low)
                        .collect();
                    panel.curve(canvas, &visible, color(number), 1.8)?;
                    if line.iter().all(|point| point.1 < y.low) {
                        canvas.text(
                            &format!("{term}: below the axis"),
                            (panel.left + 6.0, panel.bottom() - 10.0),
                            SMALL,
                            INK,
                            Anchor::Left,
                        )?;
                    }
                }
            }
            canvas.upwards(
                "contribution to the loss",
                (14.0, top + (step * rows as f64 - 46.0) / 2.0),
                TEXT,
                INK,
            )
        },
    )?;
    let setting = if setting.is_empty() {
        String::new()
    } else {
        format!(" ({setting})")
    };
    let caption = format!(
        "What every term contributes to the loss that an arm minimises{setting}: weight times \
         balance factor times value, means over seeds. Values at or below zero, which a critic's \
         estimate can have, are left out of the logarithmic axis.{}",
        left_out(shown.len(), panels.len(), "arms")
    );
    Ok(Some(Figure {
        name: "terms",
        alt: "Weighted loss terms over training steps".to_owned(),
        caption,
        svg,
    }))
}

/// The contributions of every term, averaged over runs.
fn lines(runs: &[&RunData]) -> Vec<TermSeries> {
    let Some(first) = runs.first() else {
        return Vec::new();
    };
    let terms = first
        .curves
        .keys()
        .filter_map(|name| name.strip_prefix("term."));
    terms
        .map(|term| {
            let curves: Vec<Vec<(f64, f64)>> = runs
                .iter()
                .map(|run| contribution(&run.curves, term))
                .collect();
            let curves: Vec<&[(f64, f64)]> = curves.iter().map(Vec::as_slice).collect();
            (term.to_owned(), average(&curves).mean)
        })
        .filter(|(_, line)| !line.is_empty())
        .collect()
}

fn contribution(curves: &Curves, term: &str) -> Vec<(f64, f64)> {
    let Some(values) = curves.get(&format!("term.{term}")) else {
        return Vec::new();
    };
    let weights = curves.get(&format!("weight.{term}"));
    // The balance factor is one number for the whole run.
    let balance = curves
        .get(&format!("balance.{term}"))
        .and_then(|factor| factor.first())
        .map_or(1.0, |factor| factor.1);
    let weight = |place: usize, step: f64| match weights {
        Some(weights) => weights
            .get(place)
            .filter(|weight| weight.0 == step)
            .map(|weight| weight.1),
        None => Some(1.0),
    };
    values
        .iter()
        .enumerate()
        .filter_map(|(place, &(step, value))| Some((step, weight(place, step)? * balance * value)))
        .collect()
}
