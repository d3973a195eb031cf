//! Shares that are cut from the training documents of a dataset.

use super::super::run::{DatasetSpec, Rows};
use super::super::schedule::percentage;
use super::CellReport;

/// What cuts documents, as a hint writes it.
const CUT: &str = "cut = { lines = 200, gap = 10 }";

/// Checks how the splits are named, and what is cut of them.
pub(super) fn check_dataset(dataset: &DatasetSpec, report: &mut CellReport) {
    if let DatasetSpec::Hub { train, .. } = dataset
        && train.ends_with('%')
    {
        report.problem(
            "dataset.train",
            format!("dataset.train = \"{train}\" is a share, not a split of the hub"),
            "write the split, such as \"train\"",
        );
    }
    let shares = dataset.shares();
    let total: f64 = shares
        .iter()
        .filter_map(|(key, share)| check_share(key, share, dataset, report))
        .sum();
    if total >= 100.0 {
        let keys: Vec<String> = shares
            .iter()
            .map(|(key, _)| format!("dataset.{key}"))
            .collect();
        let take = if keys.len() > 1 { "take" } else { "takes" };
        report.problem(
            &keys[0],
            format!(
                "{} {take} all of the training documents",
                keys.join(" and ")
            ),
            "write smaller shares",
        );
    }
    let Some(cut) = dataset.cut() else {
        return;
    };
    if shares.is_empty() {
        report.unused(
            "dataset.cut".to_owned(),
            "a validation and a test split of their own".to_owned(),
        );
    } else if cut.gap >= cut.lines {
        report.problem(
            "dataset.cut.gap",
            format!(
                "dataset.cut.gap = {} leaves nothing of blocks of {} lines",
                cut.gap, cut.lines
            ),
            format!("write fewer than {}", cut.lines),
        );
    }
}

/// The percentage that a split is of the training documents, where it can be one.
fn check_share(
    key: &str,
    share: &str,
    dataset: &DatasetSpec,
    report: &mut CellReport,
) -> Option<f64> {
    let full = format!("dataset.{key}");
    let Some(percent) = percentage(share).filter(|percent| *percent > 0.0) else {
        report.problem(
            &full,
            format!("{full} = \"{share}\" is not a percentage between 0% and 100%"),
            "write a share such as \"0.5%\"",
        );
        return None;
    };
    let rows = match dataset {
        DatasetSpec::Synthetic { .. } | DatasetSpec::Text { .. } => Rows::Documents,
        DatasetSpec::Parquet { rows, .. }
        | DatasetSpec::Jsonl { rows, .. }
        | DatasetSpec::Hub { rows, .. } => *rows,
    };
    if rows != Rows::Lines || dataset.cut().is_some() {
        return Some(percent);
    }
    let message = format!(
        "{full} = \"{share}\" is a share of the documents, and with dataset.rows = \"lines\" all \
         rows are one"
    );
    let own = match dataset {
        DatasetSpec::Hub { .. } => "name a split of the hub",
        _ => "name files of its own",
    };
    report.problem(
        &full,
        message,
        format!(
            "write dataset.{CUT}, which cuts blocks of lines, or rows = \"documents\" or \
             \"articles\", or {own}"
        ),
    );
    None
}
