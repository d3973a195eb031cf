//! What every loss term has in the training: of the loss that is minimised, of the gradient, and
//! how its map spreads over the teacher's layers.

use std::collections::BTreeSet;

use super::averages::{NamedCurve, average};
use super::canvas::{Anchor, Canvas, SMALL, sheet};
use super::layout::{PanelGrid, grid};
use super::legend::Legend;
use super::palette::{INK, SeriesStyle, term};
use super::panel::Panel;
use super::scale::Scale;
use super::view::{Facet, View};
use super::{Figure, MOST_PANELS, WIDTH, first_of, in_parentheses, left_out};
use crate::report::curves::{
    Curves, StepValues, contribution, cosine, gradient_share, map_entropy, maps_of_layers, terms,
};
use crate::report::data::RunData;
use crate::report::format;

const LEFT: f64 = 66.0;
/// Contributions below this share of the largest are off the axis.
const SMALLEST: f64 = 1e-4;

/// What is drawn of every term, and what is said of it.
pub struct TermsFigure {
    name: &'static str,
    /// What there is a curve of: terms, or parts of them.
    of: fn(&Curves) -> Vec<String>,
    alt: &'static str,
    y_label: &'static str,
    /// What each has, by step.
    values: fn(&Curves, &str) -> StepValues,
    scale: fn(&[f64]) -> Scale,
    /// Around the setting that is shown.
    caption: [&'static str; 2],
}

/// Weight times balance factor times value.
pub const CONTRIBUTIONS: TermsFigure = TermsFigure {
    name: "terms",
    of: all_terms,
    alt: "Weighted loss terms over training steps",
    y_label: "contribution to the loss",
    values: contribution,
    scale: scale_of_contributions,
    caption: [
        "What every term contributes to the loss that an arm minimises",
        ": weight times balance factor times value, means over seeds. Values at or below zero, \
         which a critic's estimate can have, are left out of the logarithmic axis.",
    ],
};

/// Shares of the sum of gradient norms.
pub const GRADIENTS: TermsFigure = TermsFigure {
    name: "gradients",
    of: all_terms,
    alt: "Shares of the loss terms in the gradient over training steps",
    y_label: "share of the gradient norms",
    values: gradient_share,
    scale: |_| Scale::exactly(0.0, 1.0, 5),
    caption: [
        "How hard every term pulls at the student",
        ": the norm of its gradient, weight and balance factor in it, as a share of the sum over \
         all terms; means over seeds. A balance that is set before training need not last.",
    ],
};

/// Whether terms pull along with each other.
pub const COSINES: TermsFigure = TermsFigure {
    name: "cosines",
    of: all_terms,
    alt: "Cosines of every term's gradient with that of the others over training steps",
    y_label: "cosine with the other terms",
    values: cosine,
    scale: |_| Scale::exactly(-1.0, 1.0, 4),
    caption: [
        "Whether the terms pull the same way",
        ": the cosine of each term's gradient with the sum of all others', weights and balance \
         factors in them; means over seeds. Below 0 a term works against the others, near 0 it \
         asks for something else.",
    ],
};

/// Entropies of maps that weigh several layers of the teacher.
pub const MAPS: TermsFigure = TermsFigure {
    name: "maps",
    of: maps_of_layers,
    alt: "How layer maps spread over the teacher's layers over training steps",
    y_label: "entropy of the map, nats",
    values: map_entropy,
    scale: |values| Scale::linear(values.iter().copied().chain([0.0]), 5),
    caption: [
        "How a student layer's match spreads over the teacher's layers",
        ": the entropy of the weights, or of where a transport goes, means over tokens and seeds. \
         At 0 it is one layer alone, at ln L_t all of them alike.",
    ],
};

fn all_terms(curves: &Curves) -> Vec<String> {
    terms(curves).map(str::to_owned).collect()
}

/// An arm with the contributions of its terms.
struct ArmTerms {
    arm: String,
    style: SeriesStyle,
    terms: Vec<NamedCurve>,
}

/// Draws the terms of every arm, a panel an arm.
pub fn draw(view: &View, what: &TermsFigure) -> Option<Figure> {
    // The first setting stands for all: the others differ in what the terms compare, not in how
    // they are weighted.
    let first_setting = view.facets(&[]).into_iter().find_map(|facet| {
        let arms = arms(view, &facet, what);
        (!arms.is_empty()).then_some((facet.title, arms))
    });
    let (setting, arms) = first_setting?;
    let shown = first_of(&arms, MOST_PANELS);
    let drawn = || shown.iter().flat_map(|arm| &arm.terms);
    let names: BTreeSet<&str> = drawn().map(|term| term.name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let legend = Legend::of_lines((LEFT, WIDTH - LEFT), &names, term);
    let points = || drawn().flat_map(|term| &term.points);
    let (columns, _) = grid(shown.len());
    let layout = PanelGrid {
        count: shown.len(),
        left: LEFT,
        top: legend.bottom(26.0),
        height: 165.0,
        x: Scale::of_steps(points(), if columns == 3 { 3 } else { 5 }),
        y: (what.scale)(&points().map(|point| point.1).collect::<Vec<_>>()),
    };
    let svg = sheet(
        WIDTH,
        layout.bottom(),
        &format!("{}, by arm", what.alt),
        |canvas| {
            legend.draw(canvas);
            for (place, ArmTerms { arm, style, terms }) in shown.iter().enumerate() {
                let panel = layout.draw_panel(canvas, place, "");
                panel.arm_title(canvas, arm, *style);
                let mut below = 0;
                for term in terms {
                    let style = legend.style_of(&term.name);
                    below += usize::from(!draw_term(canvas, &panel, term, style, below));
                }
            }
            layout.draw_y_label(canvas, what.y_label);
        },
    );
    Some(Figure {
        name: what.name,
        alt: what.alt.to_owned(),
        caption: format!(
            "{}{}{}{}",
            what.caption[0],
            in_parentheses(&setting),
            what.caption[1],
            left_out(shown.len(), arms.len(), "arms")
        ),
        svg,
    })
}

/// The arms of a setting that have terms.
fn arms(view: &View, facet: &Facet, what: &TermsFigure) -> Vec<ArmTerms> {
    let arms = facet.rows.iter().map(|&(row, _)| {
        let row = &view.rows[row];
        let runs: Vec<&RunData> = row.with_curves(view.data).collect();
        ArmTerms {
            arm: view.series_of(row).1,
            style: view.style_of(row),
            terms: averages(&runs, what),
        }
    });
    arms.filter(|arm| !arm.terms.is_empty()).collect()
}

/// What every term has, averaged over runs.
fn averages(runs: &[&RunData], what: &TermsFigure) -> Vec<NamedCurve> {
    let Some(first) = runs.first() else {
        return Vec::new();
    };
    (what.of)(&first.curves)
        .into_iter()
        .map(|name| {
            let curves: Vec<StepValues> = runs
                .iter()
                .map(|run| (what.values)(&run.curves, &name))
                .collect();
            let curves: Vec<&[(f64, f64)]> = curves.iter().map(Vec::as_slice).collect();
            NamedCurve {
                name,
                points: average(&curves).mean,
            }
        })
        .filter(|curve| !curve.points.is_empty())
        .collect()
}

fn scale_of_contributions(values: &[f64]) -> Scale {
    let values = values.iter().copied();
    let most = values.clone().fold(f64::MIN_POSITIVE, f64::max);
    let visible = values.filter(|&value| value >= most * SMALLEST);
    Scale::logarithmic(visible, format::significant)
}

/// The contribution of a term, as far as it is above the lower end of the axis; of one that never
/// is, its name, above those of so many others. Gives whether any of it was drawn.
fn draw_term(
    canvas: &mut Canvas,
    panel: &Panel,
    term: &NamedCurve,
    style: SeriesStyle,
    others: usize,
) -> bool {
    let points = term.points.iter().copied();
    let visible: Vec<(f64, f64)> = points.filter(|point| point.1 >= panel.y.low).collect();
    if visible.is_empty() {
        let text = format!("↓ {}: below the axis", term.name);
        let place = (
            panel.left + 6.0,
            panel.bottom() - 10.0 - 13.0 * others as f64,
        );
        canvas.label(&text, place, SMALL, INK, Anchor::Left);
        return false;
    }
    canvas.titled(&term.name, |canvas| {
        panel.curve(canvas, &visible, style.color, 1.7, style.dash)
    });
    true
}
