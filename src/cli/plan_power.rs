//! `kdpipe plan --power`: how many seeds a study needs, before its results are seen.

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::args::PlanArguments;
use super::grouped_cost::{GroupedCost, teacher_flops};
use crate::plan::{Plan, SEED};
use crate::record;
use crate::record::layout::Layout;
use crate::record::study::Study;
use crate::report::power::{MOST_SEEDS, seeds_to_detect, seeds_to_show, upper_factor};
use crate::report::{Pilot, PilotComparison, pilot};
use crate::runner::training_flops_per_second;

/// How many seeds a study needs.
#[derive(Debug, Serialize)]
pub(super) struct PowerPlan {
    pub name: String,
    /// The probability that is asked for.
    pub power: f64,
    /// The difference to detect, and the one that counts as none, in nats per token.
    pub effect: f64,
    pub margin: f64,
    /// Of all comparisons together.
    pub alpha: f64,
    /// Comparisons that share it.
    pub family: usize,
    /// Where the spread comes from, in words.
    pub spread: String,
    pub comparisons: Vec<PlannedComparison>,
    /// Comparisons that nothing can be planned for: no seed differs from another.
    pub without_spread: Vec<String>,
    /// Enough for every comparison.
    pub detect: Needed,
    pub equivalence: Needed,
    /// The same for the primary comparisons alone; 0 where there are none.
    pub primary_detect: Needed,
    pub primary_equivalence: Needed,
    /// Seeds whose runs are finished already.
    pub seeds_there: usize,
    pub cost: SeedCost,
    /// A number of seeds that is null is beyond this one.
    pub most_seeds: usize,
}

/// What a comparison needs.
#[derive(Debug, Serialize)]
pub(super) struct PlannedComparison {
    pub label: String,
    pub against: String,
    pub is_primary: bool,
    /// Its own.
    pub alpha: f64,
    /// Seeds of the pilot; none where the deviation was given, or is that of another comparison.
    pub n: Option<usize>,
    /// Standard deviation of the differences of a seed.
    pub sd: f64,
    /// The true one is below it in 80 % of all samples; none where it was given.
    pub sd_upper: Option<f64>,
    /// Seeds that detect the effect.
    pub detect: Needed,
    /// Seeds that show equivalence.
    pub equivalence: Needed,
}

/// A number of seeds; none where it is beyond the most that are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Needed {
    pub by_sd: Option<usize>,
    /// By the upper standard deviation, or by the one that was given.
    pub by_sd_upper: Option<usize>,
}

/// What a seed takes here.
#[derive(Debug, Serialize)]
pub(super) struct SeedCost {
    pub flops: f64,
    pub seconds: f64,
    /// Of the teachers, which are trained once; 0 where seeds are there already.
    pub teacher_seconds: f64,
    /// By the times of the pilot's trainings, and not by a matrix product.
    pub is_measured: bool,
}

impl SeedCost {
    /// Seconds of all that is left to do for so many seeds.
    pub fn seconds_left(&self, seeds: usize, there: usize) -> f64 {
        self.seconds * seeds.saturating_sub(there) as f64 + self.teacher_seconds
    }
}

impl Needed {
    /// Of no comparison.
    pub const NONE: Self = Self {
        by_sd: Some(0),
        by_sd_upper: Some(0),
    };

    fn of(sd: f64, sd_upper: Option<f64>, seeds: impl Fn(f64) -> Option<usize>) -> Self {
        Self {
            by_sd: seeds(sd),
            by_sd_upper: seeds(sd_upper.unwrap_or(sd)),
        }
    }

    /// Enough for both.
    fn max(self, other: Self) -> Self {
        let most = |a: Option<usize>, b: Option<usize>| Some(a?.max(b?));
        Self {
            by_sd: most(self.by_sd, other.by_sd),
            by_sd_upper: most(self.by_sd_upper, other.by_sd_upper),
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    effect: f64,
    margin: f64,
    power: f64,
}

impl PlannedComparison {
    /// Plans one comparison, whose own error is `alpha`; none where its differences do not vary.
    fn new(own: &PilotComparison, spread: &Spread, alpha: f64, wanted: Wanted) -> Option<Self> {
        let Wanted {
            effect,
            margin,
            power,
        } = wanted;
        let (sd, n) = spread.of(own)?;
        let sd_upper = n.or(spread.largest_n).map(|n| sd * upper_factor(n));
        Some(Self {
            label: own.label.clone(),
            against: own.against.clone(),
            is_primary: own.is_primary,
            alpha,
            n,
            sd,
            sd_upper,
            detect: Needed::of(sd, sd_upper, |sd| {
                seeds_to_detect(effect / sd, alpha, power)
            }),
            equivalence: Needed::of(sd, sd_upper, |sd| seeds_to_show(margin / sd, alpha, power)),
        })
    }
}

impl PowerPlan {
    /// Plans for `study`, which is that of `plan`; `layout` holds what there is of its runs.
    ///
    /// # Errors
    /// A study that compares nothing, or of which no spread is known.
    pub fn new(
        plan: &Plan,
        study: Study,
        layout: &Layout,
        power: f64,
        arguments: &PlanArguments,
    ) -> Result<Self> {
        let own = pilot(layout, study)?;
        if own.comparisons.is_empty() {
            bail!(
                "{} compares nothing: its grid has one setting, or report.baseline names none of \
                 it; there is nothing to plan seeds for",
                plan.name
            );
        }
        let seeds_there = own.comparisons.iter().map(|own| own.n).max().unwrap_or(0);
        let spread = Spread::new(plan, &own, layout, arguments)?;
        let cost = SeedCost::new(plan, spread.flops_per_second, seeds_there);
        let family = own.comparisons.iter().filter(|own| !own.is_primary).count();
        let primary = own.comparisons.len() - family;
        let (margin, alpha) = (plan.report.margin, plan.report.alpha);
        let wanted = Wanted {
            effect: arguments.effect.unwrap_or(margin),
            margin,
            power,
        };
        let mut comparisons = Vec::new();
        let mut without_spread = Vec::new();
        for own in own.comparisons {
            let sharing = if own.is_primary { primary } else { family };
            match PlannedComparison::new(&own, &spread, alpha / sharing as f64, wanted) {
                Some(planned) => comparisons.push(planned),
                None => without_spread.push(format!("{} against {}", own.label, own.against)),
            }
        }
        let most = |which: fn(&PlannedComparison) -> bool,
                    side: fn(&PlannedComparison) -> Needed| {
            let chosen = comparisons.iter().filter(|one| which(one));
            chosen.map(side).fold(Needed::NONE, Needed::max)
        };
        Ok(Self {
            name: plan.name.clone(),
            power,
            effect: wanted.effect,
            margin,
            alpha,
            family,
            spread: spread.words,
            detect: most(|_| true, |comparison| comparison.detect),
            equivalence: most(|_| true, |comparison| comparison.equivalence),
            primary_detect: most(|one| one.is_primary, |comparison| comparison.detect),
            primary_equivalence: most(|one| one.is_primary, |comparison| comparison.equivalence),
            comparisons,
            without_spread,
            seeds_there,
            cost,
            most_seeds: MOST_SEEDS,
        })
    }
}

impl SeedCost {
    fn new(plan: &Plan, measured: Option<f64>, seeds_there: usize) -> Self {
        let speed = measured.unwrap_or_else(training_flops_per_second);
        let seeds = plan.axes.iter().find(|axis| axis.key == SEED);
        let seeds = seeds.map_or(1, |axis| axis.values.len().max(1));
        let flops = GroupedCost::of(&plan.runs).flops / seeds as f64;
        let teachers = if seeds_there == 0 {
            teacher_flops(plan)
        } else {
            0.0
        };
        Self {
            flops,
            seconds: flops / speed,
            teacher_seconds: teachers / speed,
            is_measured: measured.is_some(),
        }
    }
}

/// How much the differences of a seed vary, by comparison.
struct Spread {
    words: String,
    /// Those of a pilot; empty where a deviation was given.
    known: Vec<PilotComparison>,
    /// The one that was given, or the largest of the pilot: that of a comparison that is not in it.
    largest: f64,
    /// Seeds of the comparison with the largest; none where it was given.
    largest_n: Option<usize>,
    /// As the pilot's trainings had it.
    flops_per_second: Option<f64>,
}

impl Spread {
    fn new(plan: &Plan, own: &Pilot, layout: &Layout, arguments: &PlanArguments) -> Result<Self> {
        if let Some(sd) = arguments.sd {
            return Ok(Self {
                words: "given by --sd".to_owned(),
                known: Vec::new(),
                largest: sd,
                largest_n: None,
                flops_per_second: own.flops_per_second,
            });
        }
        let Some(folder) = &arguments.pilot else {
            return Self::of_pilot(own.clone(), layout).with_context(|| {
                let (spec, name) = (arguments.spec.display(), &plan.name);
                format!(
                    "{} has no comparison with two finished seeds that differ, so how much \
                     differences vary is not known; three seeds in a folder of their own tell: \
                     `kdpipe run {spec} --set 'grid.seed=[100, 101, 102]' --results pilot`, then \
                     `kdpipe plan {spec} --power --pilot pilot/{name}`; or give it with --sd",
                    layout.root.display()
                )
            });
        };
        let layout = Layout {
            root: folder.clone(),
        };
        if !layout.lock().exists() {
            bail!(
                "{} is no folder of a study: it has no lock.toml; give results/NAME",
                folder.display()
            );
        }
        let found = pilot(&layout, record::read_study(&layout)?)?;
        Self::of_pilot(found, &layout).with_context(|| {
            format!(
                "{} has no comparison with two finished seeds that differ, so how much differences \
                 vary is not known",
                folder.display()
            )
        })
    }

    /// None where no comparison has a spread.
    fn of_pilot(pilot: Pilot, layout: &Layout) -> Option<Self> {
        let spreads = pilot.comparisons.iter().filter_map(|comparison| {
            let deviation = comparison.deviation.filter(|&deviation| deviation > 0.0)?;
            Some((deviation, comparison.n))
        });
        let (largest, n) = spreads.max_by(|a, b| a.0.total_cmp(&b.0))?;
        Some(Self {
            words: format!("that of the seeds in {}", layout.root.display()),
            known: pilot.comparisons,
            largest,
            largest_n: Some(n),
            flops_per_second: pilot.flops_per_second,
        })
    }

    /// The deviation of a comparison, with the number of seeds that it is of; none where no seed
    /// differs from another.
    fn of(&self, own: &PilotComparison) -> Option<(f64, Option<usize>)> {
        let same =
            |known: &&PilotComparison| known.label == own.label && known.against == own.against;
        let known = self.known.iter().find(same);
        match known.and_then(|known| Some((known.deviation?, known.n))) {
            Some((deviation, _)) if deviation <= 0.0 => None,
            Some((deviation, n)) => Some((deviation, Some(n))),
            None => Some((self.largest, None)),
        }
    }
}
