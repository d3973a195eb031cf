//! `[expect]`: arms that something is expected of have to be run.

use super::super::diagnostics::{Diagnostic, similar};
use super::super::expect::Expectations;
use super::super::grid::{Grid, GridAxis};
use super::super::planned::ARM;
use super::super::spec_layers::{Merged, On, PathStep, Stack};
use super::super::words::{plain_list, quoted, quoted_list};

/// Checks the arms that the tables name. Arms that an axis set from outside has lost are not
/// expected anything of.
pub(super) fn check_expectations(
    expect: &mut Expectations,
    merged: &Merged,
    stack: &Stack,
    grid: &Grid,
    mistakes: &mut Vec<Diagnostic>,
    notices: &mut Vec<String>,
) {
    let mut check = ExpectationCheck {
        merged,
        arms: stack.arms(),
        axis: grid.axes.iter().find(|axis| axis.key == ARM),
        mistakes,
        notices,
    };
    let mut index = 0..;
    expect.perplexity.retain(|expected| {
        let index = index.next().unwrap_or_default();
        let arm = expected.arm.as_ref();
        arm.is_none_or(|arm| check.is_kept("perplexity", index, "arm", arm))
    });
    let mut index = 0..;
    expect.better.retain(|expected| {
        let index = index.next().unwrap_or_default();
        let lower = check.is_kept("better", index, "arm", &expected.arm);
        let higher = check.is_kept("better", index, "than", &expected.than);
        lower && higher
    });
    let with_itself = expect
        .better
        .iter()
        .position(|expected| expected.arm == expected.than);
    if let Some(index) = with_itself {
        check.refuse_comparison_with_itself(index, &expect.better[index].arm);
    }
}

struct ExpectationCheck<'a> {
    merged: &'a Merged,
    /// Every arm of the spec.
    arms: Vec<String>,
    /// The axis of arms.
    axis: Option<&'a GridAxis>,
    mistakes: &'a mut Vec<Diagnostic>,
    notices: &'a mut Vec<String>,
}

impl ExpectationCheck<'_> {
    /// Whether the expectation stays: not where its arm is lost because the axis is set from
    /// outside. An arm that could never be run is a mistake.
    fn is_kept(&mut self, list: &str, index: usize, key: &str, arm: &str) -> bool {
        if self.axis.is_some_and(|axis| axis.has_value(arm)) {
            return true;
        }
        if self.axis.is_some_and(|axis| axis.has_lost(arm)) {
            self.notices.push(format!(
                "expect.{list} of the arm {arm} is left out: {arm} is not run"
            ));
            return false;
        }
        let diagnostic = if self.arms.iter().any(|known| known == arm) {
            let arm = quoted(arm);
            Diagnostic::new(format!(
                "expect.{list} names the arm {arm}, which the grid does not run"
            ))
            .hint(format!("add {arm} to grid.arm"))
        } else {
            self.no_arm(list, arm)
        };
        let place = self.merged.place(&entry(list, index, key), On::Value);
        self.mistakes.push(diagnostic.at(place));
        true
    }

    fn no_arm(&self, list: &str, arm: &str) -> Diagnostic {
        let names = self.arm_names();
        let hint = match similar(arm, names.iter().copied()) {
            Some(meant) => format!("write \"{meant}\""),
            None if names.is_empty() => "the spec has no arms: add a table [arms.NAME], and \
                                         grid.arm = [\"NAME\"]"
                .to_owned(),
            None => format!("write {}", quoted_list(&names)),
        };
        Diagnostic::new(format!(
            "expect.{list} names the arm {}, and there is none of that name",
            quoted(arm)
        ))
        .hint(hint)
    }

    fn refuse_comparison_with_itself(&mut self, index: usize, arm: &str) {
        let message = format!("expect.better compares the arm {} with itself", quoted(arm));
        let hint = format!("write another of {}", plain_list(&self.arm_names()));
        let place = self
            .merged
            .place(&entry("better", index, "than"), On::Value);
        self.mistakes
            .push(Diagnostic::new(message).at(place).hint(hint));
    }

    fn arm_names(&self) -> Vec<&str> {
        self.arms.iter().map(String::as_str).collect()
    }
}

/// The path to `expect.<list>[<index>].<key>`.
fn entry(list: &str, index: usize, key: &str) -> [PathStep; 4] {
    [
        PathStep::Key("expect".to_owned()),
        PathStep::Key(list.to_owned()),
        PathStep::Index(index),
        PathStep::Key(key.to_owned()),
    ]
}
