//! The text of `kdpipe plan --power`.

use super::counted;
use super::plan_power::{Needed, PlannedComparison, PowerPlan};
use super::plan_text::{rough_duration, table};

/// The plan in words.
pub(super) fn power_text(planned: &PowerPlan) -> String {
    let mut text = heading(planned);
    text += &comparisons(planned);
    for name in &planned.without_spread {
        text +=
            &format!("{name}: every seed gives the same difference, so there is no plan for it\n");
    }
    text += &columns(planned);
    text += &times(planned);
    text += &advice(planned);
    text
}

fn heading(planned: &PowerPlan) -> String {
    let PowerPlan {
        name,
        power,
        alpha,
        family,
        spread,
        effect,
        ..
    } = planned;
    let shared = match family {
        0 | 1 => String::new(),
        family => format!(
            " shared by {family} comparisons, {} each",
            short(alpha / *family as f64)
        ),
    };
    let primary = if planned.comparisons.iter().any(|one| one.is_primary) {
        "; what is declared as primary has an α of its own"
    } else {
        ""
    };
    format!(
        "{name}: seeds that detect a difference of {} nats per token in {} % of all studies \
         that have it\nα = {alpha}{shared}{primary}; the spread is {spread}\n\n",
        short(*effect),
        short(100.0 * power)
    )
}

fn comparisons(planned: &PowerPlan) -> String {
    let has_upper = planned.comparisons.iter().any(|one| one.sd_upper.is_some());
    let row = |one: &PlannedComparison| {
        let name = format!("{} against {}", one.label, one.against);
        let name = if one.is_primary {
            format!("{name} (primary)")
        } else {
            name
        };
        let mut row = vec![name];
        if has_upper {
            row.push(one.n.map_or("–".to_owned(), |n| n.to_string()));
        }
        row.push(short(one.sd));
        row.push(seeds(one.detect.by_sd, planned));
        row.push(seeds(one.equivalence.by_sd, planned));
        if has_upper {
            row.push(one.sd_upper.map_or("–".to_owned(), short));
            row.push(seeds(one.detect.by_sd_upper, planned));
            row.push(seeds(one.equivalence.by_sd_upper, planned));
        }
        row
    };
    let header: &[&str] = if has_upper {
        &[
            "comparison",
            "n",
            "sd",
            "detect",
            "equivalence",
            "upper sd",
            "detect",
            "equivalence",
        ]
    } else {
        &["comparison", "sd", "detect", "equivalence"]
    };
    table(header, planned.comparisons.iter().map(row).collect(), 1)
}

/// What the columns are.
fn columns(planned: &PowerPlan) -> String {
    let is_of = |n: fn(&PlannedComparison) -> bool| planned.comparisons.iter().any(n);
    let mut text = "\n".to_owned();
    if is_of(|one| one.sd_upper.is_some()) {
        text += "n, sd: seeds of the pilot, and the standard deviation of their differences\n";
    }
    if is_of(|one| one.sd_upper.is_some() && one.n.is_none()) {
        text += "no n: not in the pilot; the sd is the largest there\n";
    }
    text += "detect: seeds with which the paired t test finds the difference, where it is there\n";
    text += &format!(
        "equivalence: seeds with which two one-sided t tests show, where there is no difference, \
         that it is within δ = {}\n",
        short(planned.margin)
    );
    if is_of(|one| one.sd_upper.is_some()) {
        text += "upper sd: so few seeds know it badly; in 80 % of all pilots the true sd is below \
                 this one\n";
    }
    text
}

/// What the seeds that are enough for all comparisons take here.
fn times(planned: &PowerPlan) -> String {
    let cost = &planned.cost;
    let source = if cost.is_measured {
        "by the pilot's times"
    } else {
        "by a product of matrices that was just timed"
    };
    let there = match planned.seeds_there {
        0 => String::new(),
        there => format!("; {} there already", are(there)),
    };
    let mut text = format!(
        "\nhours, of training alone, {source}: {} a seed{there}\n",
        rough_duration(cost.seconds)
    );
    let mut lines = Vec::new();
    if planned.comparisons.iter().any(|one| one.is_primary) {
        lines.push(("the primary, detect", planned.primary_detect));
        lines.push(("the primary, equivalence", planned.primary_equivalence));
    }
    if planned.comparisons.iter().any(|one| !one.is_primary) {
        lines.push(("all comparisons, detect", planned.detect));
        lines.push(("all comparisons, equivalence", planned.equivalence));
    }
    for (what, needed) in lines {
        let Needed { by_sd, by_sd_upper } = needed;
        text += &format!("  {what}: {}", with_time(by_sd, planned));
        if by_sd != by_sd_upper {
            text += &format!("; by the upper sd {}", with_time(by_sd_upper, planned));
        }
        text += "\n";
    }
    text
}

fn with_time(number: Option<usize>, planned: &PowerPlan) -> String {
    match number {
        None => format!("more than {} seeds", planned.most_seeds),
        Some(number) if number <= planned.seeds_there => {
            format!("{}, which are there", counted(number, "seed"))
        }
        Some(number) => format!(
            "{}, {}",
            counted(number, "seed"),
            rough_duration(planned.cost.seconds_left(number, planned.seeds_there))
        ),
    }
}

fn advice(planned: &PowerPlan) -> String {
    if planned.seeds_there > 1 {
        "\nResults of this study are there to be seen: seeds that are added now stand in its \
         report as added after a look.\n"
            .to_owned()
    } else {
        "\nGive grid.seed as many values before results are seen: seeds that are added later stand \
         in the report as that.\n"
            .to_owned()
    }
}

/// `1 seed is`, `3 seeds are`.
fn are(number: usize) -> String {
    let verb = if number == 1 { "is" } else { "are" };
    format!("{} {verb}", counted(number, "seed"))
}

fn seeds(number: Option<usize>, planned: &PowerPlan) -> String {
    number.map_or_else(
        || format!("> {}", planned.most_seeds),
        |number| number.to_string(),
    )
}

/// Three digits, without zeros that say nothing.
fn short(number: f64) -> String {
    let magnitude = number.abs().log10().floor();
    let decimals = if number == 0.0 || !magnitude.is_finite() {
        0
    } else {
        (2.0 - magnitude).clamp(0.0, 12.0) as usize
    };
    let text = format!("{number:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
#[path = "power_text_tests.rs"]
mod tests;
