//! Splits of a dataset of the hub, and shares that are cut from its training documents.

use super::super::run::{DatasetSpec, Rows};
use super::super::schedule::percentage;
use super::CellReport;

/// Checks how the splits are named; only a dataset of the hub can be wrong in it.
pub(super) fn check_dataset(dataset: &DatasetSpec, report: &mut CellReport) {
    let (train, shares, rows) = match dataset {
        DatasetSpec::Hub {
            train,
            validation,
            test,
            rows,
            ..
        } => (train, [("validation", validation), ("test", test)], *rows),
        DatasetSpec::Synthetic { .. } | DatasetSpec::Text { .. } | DatasetSpec::Parquet { .. } => {
            return;
        }
    };
    if train.ends_with('%') {
        report.problem(
            "dataset.train",
            format!("dataset.train = \"{train}\" is a share, not a split of the hub"),
            "write the split, such as \"train\"",
        );
    }
    let total: f64 = shares
        .into_iter()
        .filter(|(_, split)| split.ends_with('%'))
        .filter_map(|(key, share)| check_share(key, share, rows, report))
        .sum();
    if total >= 100.0 {
        report.problem(
            "dataset.validation",
            "dataset.validation and dataset.test take all of the training documents",
            "write smaller shares",
        );
    }
}

/// The percentage that a split is of the training documents, where it can be one.
fn check_share(key: &str, share: &str, rows: Rows, report: &mut CellReport) -> Option<f64> {
    let full = format!("dataset.{key}");
    let Some(percent) = percentage(share).filter(|percent| *percent > 0.0) else {
        report.problem(
            &full,
            format!("{full} = \"{share}\" is not a percentage between 0% and 100%"),
            "write a share such as \"0.5%\"",
        );
        return None;
    };
    match rows {
        Rows::Documents => Some(percent),
        Rows::Lines => {
            let message = format!(
                "{full} = \"{share}\" is a share of the documents, and with dataset.rows = \
                 \"lines\" all rows are one"
            );
            report.problem(
                &full,
                message,
                "write rows = \"documents\", or name a split of the hub",
            );
            None
        }
    }
}
