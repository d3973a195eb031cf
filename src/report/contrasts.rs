//! Which groups are compared with which, and what follows: rows of the main table, contrasts with
//! their verdicts, null controls.

use std::collections::BTreeMap;

use anyhow::Result;

use super::data::{RunData, RunResult, StudyData};
use super::frame::{self, Group, SEED};
use super::statistics::{
    FEWEST_SEEDS, Paired, Verdict, holm, mean, standard_deviation, t_quantile, text_error,
};
use crate::plan::run::{RunSpec, Term};

/// The axis of layer maps, and its null controls.
pub const STRATEGY: &str = "match.strategy";
pub use crate::plan::NULL_CONTROLS as NULLS;
/// The axis of arms.
pub const ARM: &str = "arm";

/// Everything that is compared.
#[derive(Debug, Clone)]
pub struct Analysis {
    pub rows: Vec<TableRow>,
    /// In the order of rows.
    pub contrasts: Vec<Contrast>,
    /// Contrasts that share the error probability α (without the primary ones).
    pub family: usize,
    /// Contrasts that the spec declared primary.
    pub primary: usize,
}

/// A row of the main table: cells that differ in their seed, or in an axis that makes no difference
/// to them.
#[derive(Debug, Clone)]
pub struct TableRow {
    /// Short name for tables and figures.
    pub label: String,
    /// Values of all axes but the seed; "any" where the row stands for every value of the axis.
    pub at: BTreeMap<String, String>,
    /// Cells in the order of seeds.
    pub cells: Vec<usize>,
    pub is_baseline: bool,
    /// Losses of the finished seeds in order.
    pub losses: Vec<f64>,
    pub mean: Option<f64>,
    pub deviation: Option<f64>,
    /// t interval of the mean at 1 − α; of this row alone.
    pub interval: Option<(f64, f64)>,
    pub diverged: usize,
    pub missing: usize,
    /// Place of its contrast with the baseline.
    pub contrast: Option<usize>,
}

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

/// Whether a gain counts over the null controls.
#[derive(Debug, Clone, PartialEq)]
pub struct Nulls {
    /// Better than the baseline and than both controls, each at α; none where that cannot be told.
    pub beats: Option<bool>,
    /// The largest p value of the three comparisons.
    pub p: Option<f64>,
    /// Each control that is there with the mean difference to it.
    pub controls: Vec<(String, f64)>,
    /// Controls that the grid does not have, or that have fewer than three seeds in common.
    pub lacking: Vec<String>,
}

impl Analysis {
    /// Compares the groups of a study.
    ///
    /// # Errors
    /// None that a readable study can cause.
    pub fn new(data: &StudyData) -> Result<Self> {
        let groups = frame::groups(data)?;
        let places: BTreeMap<&BTreeMap<String, String>, usize> = groups
            .iter()
            .enumerate()
            .map(|(place, group)| (&group.at, place))
            .collect();
        let baseline_at = |group: &Group| {
            let mut at = group.at.clone();
            for (key, value) in &mut at {
                if let Some(baseline) = data.study.report.baseline.get(key) {
                    value.clone_from(baseline);
                }
            }
            at
        };
        let baselines: Vec<Option<usize>> = groups
            .iter()
            .map(|group| places.get(&baseline_at(group)).copied())
            .collect();
        let (rows, row_of_group, first_of_row) = rows(data, &groups, &baselines);
        let mut analysis = Self {
            rows,
            contrasts: Vec::new(),
            family: 0,
            primary: 0,
        };
        let compares = data
            .study
            .report
            .baseline
            .keys()
            .any(|key| groups.iter().any(|group| group.at.contains_key(key)));
        for (row, &first) in first_of_row.iter().enumerate() {
            if compares && baselines[first] != Some(first) {
                analysis.rows[row].contrast = Some(analysis.contrasts.len());
                let baseline = baselines[first].map(|group| row_of_group[group]);
                let is_primary = data.study.report.primary.as_ref().is_some_and(|primary| {
                    !primary.is_empty()
                        && primary
                            .iter()
                            .all(|(key, value)| groups[first].at.get(key) == Some(value))
                });
                let mut contrast = Contrast::new(data, &analysis.rows, row, baseline, is_primary);
                contrast.nulls = nulls(data, &groups, &places, first, contrast.paired.as_ref())
                    .filter(|_| analysis.rows[row].follows_a_map(data));
                analysis.contrasts.push(contrast);
            }
        }
        analysis.judge(data);
        Ok(analysis)
    }

    /// Fills in what depends on the size of the family.
    fn judge(&mut self, data: &StudyData) {
        let settings = &data.study.report;
        let worst = data.runs.iter().filter_map(RunData::nll).reduce(f64::max);
        for is_primary in [true, false] {
            let members: Vec<usize> = (0..self.contrasts.len())
                .filter(|&c| {
                    self.contrasts[c].is_primary == is_primary && self.contrasts[c].paired.is_some()
                })
                .collect();
            let size = members.len();
            let alpha = settings.alpha / size.max(1) as f64;
            *(if is_primary {
                &mut self.primary
            } else {
                &mut self.family
            }) = size;
            let tested: Vec<(usize, f64)> = members
                .iter()
                .filter_map(|&c| self.contrasts[c].paired.as_ref()?.p.map(|p| (c, p)))
                .collect();
            let adjusted = holm(&tested.iter().map(|&(_, p)| p).collect::<Vec<_>>());
            tested
                .iter()
                .zip(adjusted)
                .for_each(|(&(c, _), p)| self.contrasts[c].p = Some(p));
            for c in members {
                self.contrasts[c].judge(data, &self.rows, alpha, worst);
            }
        }
    }

    /// The rows of the same setting as `row` in every axis but `axis`.
    pub fn settings_but(&self, axes: &[&str]) -> Vec<BTreeMap<String, String>> {
        let mut found: Vec<BTreeMap<String, String>> = Vec::new();
        for row in &self.rows {
            let at = without(&row.at, axes);
            if !found.contains(&at) {
                found.push(at);
            }
        }
        found
    }
}

/// `at` without some axes.
pub fn without(at: &BTreeMap<String, String>, axes: &[&str]) -> BTreeMap<String, String> {
    at.iter()
        .filter(|(key, _)| !axes.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The rows, the row of every group, and the first group of every row. Groups become one row where
/// they are the same runs with the same baseline: axes that make no difference to an arm.
fn rows(
    data: &StudyData,
    groups: &[Group],
    baselines: &[Option<usize>],
) -> (Vec<TableRow>, Vec<usize>, Vec<usize>) {
    let runs = |group: usize| -> Vec<usize> {
        groups[group]
            .cells
            .iter()
            .map(|&cell| data.run_of_cell[cell])
            .collect()
    };
    // Arms are never put together, so that two that resolve to the same runs are seen.
    let kept = |group: &Group| -> Vec<String> {
        group
            .at
            .iter()
            .filter(|(key, _)| key.as_str() == ARM || data.study.report.baseline.contains_key(*key))
            .map(|(_, value)| value.clone())
            .collect()
    };
    let mut row_of_key = BTreeMap::new();
    let mut members: Vec<Vec<usize>> = Vec::new();
    let row_of_group: Vec<usize> = groups
        .iter()
        .enumerate()
        .map(|(place, group)| {
            let row = *row_of_key
                .entry((kept(group), runs(place), baselines[place].map(runs)))
                .or_insert_with(|| {
                    members.push(Vec::new());
                    members.len() - 1
                });
            members[row].push(place);
            row
        })
        .collect();
    let varying: Vec<&str> = data
        .study
        .axes
        .iter()
        .filter(|axis| axis.key != SEED && axis.values.len() > 1)
        .map(|axis| axis.key.as_str())
        .collect();
    let rows = members.iter().map(|members| {
        let first = &groups[members[0]];
        let merged = |key: &String| {
            let mut values: Vec<&str> = members
                .iter()
                .map(|&group| groups[group].at[key].as_str())
                .collect();
            values.dedup();
            values.sort_unstable();
            values.dedup();
            if values.len() == 1 {
                values[0].to_owned()
            } else {
                "any".to_owned()
            }
        };
        let at: BTreeMap<String, String> = first
            .at
            .keys()
            .map(|key| (key.clone(), merged(key)))
            .collect();
        TableRow::new(
            data,
            label(&at, &varying),
            at,
            first.cells.clone(),
            baselines[members[0]] == Some(members[0]),
        )
    });
    let mut rows: Vec<TableRow> = rows.collect();
    // A map that no term follows is no property of the row, even where the grid holds one alone.
    for row in 0..rows.len() {
        let alone = rows
            .iter()
            .filter(|other| without(&other.at, &[STRATEGY]) == without(&rows[row].at, &[STRATEGY]))
            .count()
            == 1;
        if alone && rows[row].at.contains_key(STRATEGY) && !rows[row].follows_a_map(data) {
            rows[row].at.insert(STRATEGY.to_owned(), "any".to_owned());
            rows[row].label = label(&rows[row].at, &varying);
        }
    }
    (
        rows,
        row_of_group,
        members.iter().map(|members| members[0]).collect(),
    )
}

/// A short name of a setting: the arm, then what else varies.
pub fn label(at: &BTreeMap<String, String>, varying: &[&str]) -> String {
    let words: Vec<String> = varying
        .iter()
        .filter_map(|&key| {
            at.get(key)
                .filter(|value| value.as_str() != "any")
                .map(|value| (key, value))
        })
        .map(|(key, value)| setting(key, value))
        .collect();
    match (words.is_empty(), at.get(ARM)) {
        (false, _) => words.join(", "),
        (true, Some(arm)) => arm.clone(),
        (true, None) => "student".to_owned(),
    }
}

/// The value of an axis in words: an arm or a strategy is its own name, a count comes before what
/// it counts, anything else after its key.
fn setting(key: &str, value: &str) -> String {
    let short = key.rsplit('.').next().unwrap_or(key);
    if key == ARM || key == STRATEGY {
        value.to_owned()
    } else if short.ends_with('s') && value.parse::<u64>().is_ok_and(|count| count != 1) {
        format!("{value} {short}")
    } else {
        format!("{short} {value}")
    }
}

impl TableRow {
    fn new(
        data: &StudyData,
        label: String,
        at: BTreeMap<String, String>,
        cells: Vec<usize>,
        is_baseline: bool,
    ) -> Self {
        let losses: Vec<f64> = cells
            .iter()
            .filter_map(|&cell| data.run(cell).nll())
            .collect();
        let count = |wanted: fn(&RunResult) -> bool| {
            cells
                .iter()
                .filter(|&&cell| wanted(&data.run(cell).state))
                .count()
        };
        let deviation = standard_deviation(&losses);
        let mean = (!losses.is_empty()).then(|| mean(&losses));
        let interval = mean.zip(deviation).map(|(mean, deviation)| {
            let half = t_quantile(1.0 - data.study.report.alpha / 2.0, losses.len() - 1)
                * deviation
                / (losses.len() as f64).sqrt();
            (mean - half, mean + half)
        });
        let (diverged, missing) = (
            count(|state| matches!(state, RunResult::Diverged(_))),
            count(|state| matches!(state, RunResult::Missing(_))),
        );
        Self {
            label,
            at,
            cells,
            is_baseline,
            losses,
            mean,
            deviation,
            interval,
            diverged,
            missing,
            contrast: None,
        }
    }

    /// Whether a hidden term is enabled in any of its runs, or none of them is stored.
    fn follows_a_map(&self, data: &StudyData) -> bool {
        let mut specs = self
            .cells
            .iter()
            .filter_map(|&cell| data.run(cell).spec.as_ref())
            .peekable();
        specs.peek().is_none() || specs.any(|spec| spec.loss.values().any(Term::is_hidden))
    }

    /// Its finished runs in the order of seeds.
    pub fn finished<'a>(&'a self, data: &'a StudyData) -> impl Iterator<Item = &'a RunData> {
        self.cells
            .iter()
            .map(|&cell| data.run(cell))
            .filter(|run| run.state == RunResult::Finished)
    }
}

/// Runs of two rows by seed, in the order of the first row's seeds.
fn by_seed<'a>(
    data: &'a StudyData,
    a: &[usize],
    b: &[usize],
) -> Vec<(Option<&'a RunData>, Option<&'a RunData>)> {
    let seed = |cell: usize| data.study.cells[cell].at.get(SEED);
    let mut pairs: Vec<_> = a
        .iter()
        .map(|&cell| {
            (
                Some(data.run(cell)),
                b.iter()
                    .find(|&&other| seed(other) == seed(cell))
                    .map(|&other| data.run(other)),
            )
        })
        .collect();
    pairs.extend(
        b.iter()
            .filter(|&&cell| a.iter().all(|&own| seed(own) != seed(cell)))
            .map(|&cell| (None, Some(data.run(cell)))),
    );
    pairs
}

/// Pairs of runs that both finished.
fn both_finished<'a>(
    data: &'a StudyData,
    a: &[usize],
    b: &[usize],
) -> Vec<(&'a RunData, &'a RunData)> {
    let finished = |run: &RunData| run.state == RunResult::Finished;
    by_seed(data, a, b)
        .into_iter()
        .filter_map(|(a, b)| a.zip(b))
        .filter(|(a, b)| finished(a) && finished(b))
        .collect()
}

fn paired(pairs: &[(&RunData, &RunData)]) -> Option<Paired> {
    let losses = |side: fn(&(&RunData, &RunData)) -> Option<f64>| -> Vec<f64> {
        pairs.iter().filter_map(side).collect()
    };
    (!pairs.is_empty())
        .then(|| Paired::new(&losses(|pair| pair.0.nll()), &losses(|pair| pair.1.nll())))
}

impl Contrast {
    fn new(
        data: &StudyData,
        rows: &[TableRow],
        row: usize,
        baseline: Option<usize>,
        is_primary: bool,
    ) -> Self {
        let (paired, reason) = match baseline {
            None => (None, Some("its baseline is not in the grid".to_owned())),
            Some(baseline) => {
                let pairs = both_finished(data, &rows[row].cells, &rows[baseline].cells);
                (
                    paired(&pairs),
                    incomparable(data, &rows[row], &rows[baseline], &pairs),
                )
            }
        };
        let flops = |row: &TableRow| {
            let flops = row
                .finished(data)
                .find_map(|run| run.evaluation.as_ref()?.training.as_ref());
            flops.map(|cost| cost.flops())
        };
        let compute_ratio = baseline.and_then(|baseline| {
            Some(flops(&rows[row])? / flops(&rows[baseline]).filter(|&flops| flops > 0.0)?)
        });
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
            verdict: reason.map_or(Verdict::None, Verdict::NotComparable),
            verdict_ranked_last: None,
            sign_flips_disagree: None,
            nulls: None,
            compute_ratio,
        }
    }

    fn judge(&mut self, data: &StudyData, rows: &[TableRow], alpha: f64, worst: Option<f64>) {
        let (Some(paired), Some(baseline)) = (&self.paired, self.baseline) else {
            return;
        };
        let margin = data.study.report.margin;
        self.alpha = alpha;
        self.interval = paired.interval(alpha, paired.error);
        self.posterior = paired.posterior(margin);
        let text = text_difference(&both_finished(
            data,
            &rows[self.row].cells,
            &rows[baseline].cells,
        ));
        let both = paired
            .error
            .zip(text.and_then(|documents| text_error(&documents)))
            .map(|(seeds, text)| seeds.hypot(text));
        self.interval_text = paired.interval(alpha, both);
        self.sign_flips_disagree = paired
            .sign_flips()
            .filter(|&flips| paired.p.is_some_and(|p| (p <= 0.05) != (flips <= 0.05)));
        if !matches!(self.verdict, Verdict::NotComparable(_)) {
            self.verdict = Verdict::new(paired, alpha, margin);
        }
        if rows[self.row].diverged + rows[baseline].diverged > 0
            && let Some(worst) = worst
        {
            let loss = |run: &RunData| {
                run.nll()
                    .or_else(|| matches!(run.state, RunResult::Diverged(_)).then_some(worst))
            };
            let pairs = by_seed(data, &rows[self.row].cells, &rows[baseline].cells);
            let losses: Vec<(f64, f64)> = pairs
                .into_iter()
                .filter_map(|(a, b)| loss(a?).zip(loss(b?)))
                .collect();
            let (arm, base): (Vec<f64>, Vec<f64>) = losses.into_iter().unzip();
            self.verdict_ranked_last = Some(Verdict::new(&Paired::new(&arm, &base), alpha, margin));
        }
    }
}

/// Why two rows cannot be compared, if they cannot.
fn incomparable(
    data: &StudyData,
    row: &TableRow,
    baseline: &TableRow,
    pairs: &[(&RunData, &RunData)],
) -> Option<String> {
    if pairs
        .iter()
        .any(|(a, b)| a.id == b.id && a.evaluation_key == b.evaluation_key)
    {
        return Some("both are the same run: what the arm changes has no effect".to_owned());
    }
    for (a, b) in pairs {
        if let (Some(own), Some(other)) = (&a.evaluation, &b.evaluation)
            && (own.protocol != other.protocol
                || own.test.tokens != other.test.tokens
                || own.test.scored_tokens != other.test.scored_tokens)
        {
            return Some("their perplexities were measured by different protocols".to_owned());
        }
        if let (Some(own), Some(other)) = (&a.spec, &b.spec)
            && !same_order(own, other)
        {
            return Some("they were trained on other data, or in another order".to_owned());
        }
    }
    let all = by_seed(data, &row.cells, &baseline.cells).len();
    (pairs.len() < all).then(|| {
        let unfinished = |row: &TableRow| match (row.diverged, row.missing) {
            (0, 0) => None,
            (diverged, 0) => Some(format!("{diverged} diverged in {}", row.label)),
            (0, missing) => Some(format!("{missing} not finished in {}", row.label)),
            (diverged, missing) => Some(format!(
                "{diverged} diverged and {missing} not finished in {}",
                row.label
            )),
        };
        let reasons: Vec<String> = [unfinished(row), unfinished(baseline)]
            .into_iter()
            .flatten()
            .collect();
        let reasons = if reasons.is_empty() {
            String::new()
        } else {
            format!(" ({})", reasons.join(", "))
        };
        format!("{} of {all} seeds finished in both{reasons}", pairs.len())
    })
}

/// Whether two runs saw the same batches in the same order, as far as both went.
fn same_order(a: &RunSpec, b: &RunSpec) -> bool {
    let tokens = |spec: &RunSpec| {
        (
            spec.train.batch * spec.train.accumulate,
            spec.train.context,
            spec.train.shuffle,
        )
    };
    a.seed == b.seed
        && a.dataset == b.dataset
        && a.tokenizer == b.tokenizer
        && tokens(a) == tokens(b)
}

/// Mean over seeds of the difference on every document, in nats per token, with its scored tokens;
/// none where the documents are not the same.
fn text_difference(pairs: &[(&RunData, &RunData)]) -> Option<Vec<(f64, u64)>> {
    let documents = |run: &'_ RunData| -> Option<Vec<(f64, u64)>> {
        run.evaluation
            .as_ref()
            .map(|evaluation| evaluation.test.documents.clone())
    };
    let tokens = |documents: &[(f64, u64)]| -> Vec<u64> {
        documents.iter().map(|document| document.1).collect()
    };
    let scored = tokens(&documents(pairs.first()?.0)?);
    let mut sums = vec![0.0; scored.len()];
    for (a, b) in pairs {
        let (a, b) = (documents(a)?, documents(b)?);
        if tokens(&a) != scored || tokens(&b) != scored {
            return None;
        }
        sums.iter_mut()
            .zip(a.iter().zip(&b))
            .for_each(|(sum, (a, b))| *sum += (a.0 - b.0) / a.1.max(1) as f64);
    }
    Some(
        sums.iter()
            .map(|sum| sum / pairs.len() as f64)
            .zip(scored)
            .collect(),
    )
}

/// Compares a group with the null controls of its arm; none where it is a control itself, or the
/// grid has no layer maps, or the map is no part of it.
fn nulls(
    data: &StudyData,
    groups: &[Group],
    places: &BTreeMap<&BTreeMap<String, String>, usize>,
    group: usize,
    against_baseline: Option<&Paired>,
) -> Option<Nulls> {
    let strategy = groups[group].at.get(STRATEGY)?;
    let axis = data.study.axes.iter().find(|axis| axis.key == STRATEGY)?;
    if NULLS.contains(&strategy.as_str())
        || !axis
            .values
            .iter()
            .any(|value| NULLS.contains(&value.as_str()))
    {
        return None;
    }
    let alpha = data.study.report.alpha;
    let judged = |paired: &Paired| {
        paired
            .p
            .filter(|_| paired.n() >= FEWEST_SEEDS)
            .map(|p| (paired.mean < 0.0 && p <= alpha, p))
    };
    let mut results = vec![against_baseline.and_then(judged)];
    let (mut controls, mut lacking) = (Vec::new(), Vec::new());
    for name in NULLS {
        let mut at = groups[group].at.clone();
        at.insert(STRATEGY.to_owned(), name.to_owned());
        let found = places
            .get(&at)
            .map(|&place| both_finished(data, &groups[group].cells, &groups[place].cells))
            .unwrap_or_default();
        if found.iter().any(|(a, b)| a.id == b.id) {
            // Without a hidden term the map is no part of the run.
            return None;
        }
        match paired(&found).filter(|paired| judged(paired).is_some()) {
            Some(paired) => {
                results.push(judged(&paired));
                controls.push((name.to_owned(), paired.mean));
            }
            None => lacking.push(name.to_owned()),
        }
    }
    let complete: Option<Vec<(bool, f64)>> = if lacking.is_empty() {
        results.iter().copied().collect()
    } else {
        None
    };
    let beats = match &complete {
        Some(results) => Some(results.iter().all(|result| result.0)),
        // One comparison that fails decides, whatever the others say.
        None => results
            .iter()
            .flatten()
            .any(|result| !result.0)
            .then_some(false),
    };
    let p = complete.map(|results| results.iter().map(|result| result.1).fold(0.0, f64::max));
    Some(Nulls {
        beats,
        p,
        controls,
        lacking,
    })
}
