//! The figures: one file each, drawn from the stored study alone. A figure that the study has
//! nothing for is left out.
//!
//! They share how a study is seen ([`view`]), where panels lie ([`layout`]), what a panel and its
//! axes are ([`panel`], [`scale`]), the legend ([`legend`]), the colours ([`palette`]) and the
//! canvas ([`canvas`]). What carries a value says it where a pointer rests on it.

mod averages;
mod canvas;
mod critic;
mod curves;
mod distances;
mod embedding;
mod frontier;
mod in_work;
mod labels;
mod layout;
mod legend;
mod losses;
mod losses_layout;
mod palette;
mod panel;
mod scale;
mod setting_curves;
mod stands;
mod strategies;
mod terms;
mod tokens;
mod view;

use anyhow::Result;

use self::view::View;
use super::analysis::Analysis;
use super::data::StudyData;
use super::format::MOST_NAMES;

/// Width of a figure in pixels.
const WIDTH: f64 = 760.0;
/// The most panels of a figure; the caption says where some are left out.
const MOST_PANELS: usize = 12;

/// A figure as the report shows it.
#[derive(Debug, Clone)]
pub struct Figure {
    /// File name without its ending.
    pub name: &'static str,
    /// What it shows, for those who do not see it.
    pub alt: String,
    pub caption: String,
    pub svg: String,
}

impl Figure {
    /// The path below the study's folder.
    pub fn path(&self) -> String {
        format!("figures/{}.svg", self.name)
    }
}

/// Draws every figure that the study has something for.
///
/// # Errors
/// A damaged embedding.
pub fn draw(data: &StudyData, analysis: &Analysis) -> Result<Vec<Figure>> {
    let study = View::new(data, analysis);
    let drawn = [
        losses::draw(&study),
        curves::draw(&study),
        frontier::parameters(&study),
        frontier::compute(&study),
        strategies::draw(&study),
        distances::draw(&study),
        terms::draw(&study, &terms::CONTRIBUTIONS),
        terms::draw(&study, &terms::GRADIENTS),
        terms::draw(&study, &terms::COSINES),
        terms::draw(&study, &terms::MAPS),
        critic::draw(&study),
        embedding::draw(&study)?,
        in_work::draw(&study),
    ];
    Ok(drawn.into_iter().flatten().collect())
}

/// The first of many, as far as a figure has room.
fn first_of<T>(all: &[T], most: usize) -> &[T] {
    &all[..all.len().min(most)]
}

/// A sentence for the caption where only some of `all` are shown.
fn left_out(shown: usize, all: usize, what: &str) -> String {
    if shown < all {
        format!(" Shown are the first {shown} of {all} {what}.")
    } else {
        String::new()
    }
}

/// The same of all by their titles, where those that are not shown are few.
fn left_out_by_name(shown: usize, titles: &[&str], what: &str) -> String {
    let words = left_out(shown, titles.len(), what);
    match titles.get(shown..) {
        Some(gone @ [_, ..]) if gone.len() <= MOST_NAMES => {
            format!(
                "{} ({} left out).",
                words.trim_end_matches('.'),
                gone.join("; ")
            )
        }
        _ => words,
    }
}

/// A sentence for the caption on settings that lie so far off that they would squeeze the others.
fn beyond<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!(" Far beyond the axis, and left out: {}.", names.join("; ")),
    }
}

/// A setting in the middle of a sentence of the caption; nothing where there is only one.
fn in_parentheses(setting: &str) -> String {
    if setting.is_empty() {
        String::new()
    } else {
        format!(" ({setting})")
    }
}

#[cfg(test)]
#[path = "figures_tests.rs"]
mod tests;
