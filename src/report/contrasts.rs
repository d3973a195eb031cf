//! A row against its baseline: the difference, its interval and the verdict.

use super::data::{StudyData, training_flops};
use super::nulls::Nulls;
use super::pairing::{both_finished, by_seed, confounded, paired, text_difference};
use super::rows::TableRow;
use super::statistics::{Paired, text_error};
use super::verdict::Verdict;

/// A row against its baseline.
#[derive(Debug, Clone)]
pub struct Contrast {
    pub row: usize,
    /// The baseline's row; none where the baseline is not in the grid.
    pub baseline: Option<usize>,
    pub is_primary: bool,
    /// Over the seeds that both finished; none where there are none.
    pub paired: Option<Paired>,
    /// α over the size of the family.
    pub alpha: f64,
    /// Simultaneous.
    pub interval: Option<(f64, f64)>,
    /// Simultaneous, for text like the test text.
    pub interval_text: Option<(f64, f64)>,
    /// Holm's, within the family.
    pub p: Option<f64>,
    pub posterior: Option<[f64; 3]>,
    pub verdict: Verdict,
    /// The verdict with diverged seeds ranked last, where some diverged.
    pub verdict_ranked_last: Option<Verdict>,
    /// Where the exact sign flips disagree with the t test: their p value.
    pub sign_flips_disagree: Option<f64>,
    pub nulls: Option<Nulls>,
    /// Counted training operations over the baseline's.
    pub compute_ratio: Option<f64>,
}

impl Contrast {
    /// The comparison as far as it does not depend on how many others there are.
    pub fn new(
        data: &StudyData,
        rows: &[TableRow],
        row: usize,
        baseline: Option<usize>,
        is_primary: bool,
    ) -> Self {
        let (paired, reason) = match baseline {
            None => (None, Some("its baseline is not in the grid".to_owned())),
            Some(baseline) => {
                let (row, baseline) = (&rows[row], &rows[baseline]);
                let pairs = both_finished(data, &row.cells, &baseline.cells);
                let reason = confounded(&pairs)
                    .map(str::to_owned)
                    .or_else(|| incomplete(data, row, baseline, pairs.len()));
                (paired(&pairs), reason)
            }
        };
        let flops = |row: usize| {
            rows[row]
                .finished(data)
                .find_map(|run| training_flops(run.evaluation.as_ref()?))
        };
        let compute_ratio = baseline
            .and_then(|baseline| Some(flops(row)? / flops(baseline).filter(|&flops| flops > 0.0)?));
        Self {
            row,
            baseline,
            is_primary,
            paired,
            alpha: data.study.report.alpha,
            interval: None,
            interval_text: None,
            p: None,
            posterior: None,
            verdict: reason.map_or(Verdict::TooFewSeeds, Verdict::NotComparable),
            verdict_ranked_last: None,
            sign_flips_disagree: None,
            nulls: None,
            compute_ratio,
        }
    }

    /// Fills in what depends on the size of the family: `alpha` is already divided by it. `worst`
    /// is the highest loss of the study.
    pub fn judge(&mut self, data: &StudyData, rows: &[TableRow], alpha: f64, worst: Option<f64>) {
        let (Some(paired), Some(baseline)) = (&self.paired, self.baseline) else {
            return;
        };
        let margin = data.study.report.margin;
        let (row, baseline) = (&rows[self.row], &rows[baseline]);
        self.alpha = alpha;
        self.interval = paired.interval(alpha, paired.error);
        self.posterior = paired.posterior(margin);
        self.interval_text = interval_of_like_text(data, row, baseline, paired, alpha);
        self.sign_flips_disagree = paired
            .sign_flips()
            .filter(|&flips| paired.p.is_some_and(|p| (p <= 0.05) != (flips <= 0.05)));
        if self.verdict.reason().is_none() {
            self.verdict = Verdict::new(paired, alpha, margin);
        }
        self.verdict_ranked_last = worst
            .filter(|_| row.diverged + baseline.diverged > 0)
            .map(|worst| Verdict::new(&ranked_last(data, row, baseline, worst), alpha, margin));
    }
}

/// The interval with the error of the test text added to that of the seeds.
fn interval_of_like_text(
    data: &StudyData,
    row: &TableRow,
    baseline: &TableRow,
    paired: &Paired,
    alpha: f64,
) -> Option<(f64, f64)> {
    let documents = text_difference(&both_finished(data, &row.cells, &baseline.cells));
    let both_errors = paired
        .error
        .zip(documents.and_then(|documents| text_error(&documents)))
        .map(|(seeds, text)| seeds.hypot(text));
    paired.interval(alpha, both_errors)
}

/// The comparison with the highest loss of the study for every run that diverged.
fn ranked_last(data: &StudyData, row: &TableRow, baseline: &TableRow, worst: f64) -> Paired {
    let pairs = by_seed(data, &row.cells, &baseline.cells);
    let losses = pairs.into_iter().filter_map(|(a, b)| {
        let loss = a?.nll_or_worst(worst)?;
        Some((loss, b?.nll_or_worst(worst)?))
    });
    let (row, baseline): (Vec<f64>, Vec<f64>) = losses.unzip();
    Paired::new(&row, &baseline)
}

/// That some seeds did not finish in both rows, and why, where that is so.
fn incomplete(
    data: &StudyData,
    row: &TableRow,
    baseline: &TableRow,
    finished: usize,
) -> Option<String> {
    let all = by_seed(data, &row.cells, &baseline.cells).len();
    if finished == all {
        return None;
    }
    let reasons: Vec<String> = [row, baseline].into_iter().filter_map(unfinished).collect();
    let reasons = if reasons.is_empty() {
        String::new()
    } else {
        format!(" ({})", reasons.join(", "))
    };
    Some(format!(
        "{finished} of {all} seeds finished in both{reasons}"
    ))
}

/// How many seeds of a row have no result.
fn unfinished(row: &TableRow) -> Option<String> {
    match (row.diverged, row.missing) {
        (0, 0) => None,
        (diverged, 0) => Some(format!("{diverged} diverged in {}", row.label)),
        (0, missing) => Some(format!("{missing} not finished in {}", row.label)),
        (diverged, missing) => Some(format!(
            "{diverged} diverged and {missing} not finished in {}",
            row.label
        )),
    }
}
