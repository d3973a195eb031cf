//! Which runs of the grid a command is about: `--only` and `--shard`.

use anyhow::{Context, Result, ensure};
use globset::{Glob, GlobMatcher};

use super::planned::Plan;

/// A choice among the runs of a plan.
#[derive(Debug, Clone, Default)]
pub struct RunSelection {
    only: Vec<GlobMatcher>,
    /// (i, n), i from 1.
    shard: Option<(usize, usize)>,
}

impl RunSelection {
    /// `only`: globs on a run's id, or on an axis of one of its cells as `axis=value`; a run that
    /// any of them matches is chosen, and every run where there are none. `shard`: `i/n`, the i-th
    /// of n parts of those.
    ///
    /// # Errors
    /// A glob or a shard that cannot be read.
    pub fn new(only: &[String], shard: Option<&str>) -> Result<Self> {
        let glob = |text: &String| {
            Ok(Glob::new(text)
                .with_context(|| format!("--only {text} is not a glob"))?
                .compile_matcher())
        };
        Ok(Self {
            only: only.iter().map(glob).collect::<Result<_>>()?,
            shard: shard.map(parse_shard).transpose()?,
        })
    }

    /// Indices of the chosen runs, in the order of the plan. Parts take runs in turn by group, so
    /// that runs which share a teacher's pass stay together.
    pub fn indices(&self, plan: &Plan) -> Vec<usize> {
        let mut groups: Vec<&str> = Vec::new();
        let mut chosen = Vec::new();
        for (index, run) in plan.runs.iter().enumerate() {
            if !groups.contains(&run.group_key.as_str()) {
                groups.push(&run.group_key);
            }
            let part = groups
                .iter()
                .position(|group| *group == run.group_key)
                .unwrap_or(0);
            let here = self.shard.is_none_or(|(i, n)| part % n == i - 1);
            if here && self.matches(plan, index) {
                chosen.push(index);
            }
        }
        chosen
    }

    /// Whether some run of the plan is chosen, in whichever part.
    pub fn names_some(&self, plan: &Plan) -> bool {
        (0..plan.runs.len()).any(|index| self.matches(plan, index))
    }

    /// Whether some id that is not known yet may be chosen.
    pub fn may_name_an_id(&self) -> bool {
        self.only
            .iter()
            .any(|glob| may_be_an_id(glob.glob().glob()))
    }

    fn matches(&self, plan: &Plan, index: usize) -> bool {
        let cells = || plan.cells.iter().filter(|cell| cell.run == index);
        self.only.is_empty()
            || self.only.iter().any(|glob| {
                glob.is_match(&plan.runs[index].id)
                    || cells().any(|cell| {
                        cell.at
                            .iter()
                            .any(|(axis, value)| glob.is_match(format!("{axis}={value}")))
                    })
            })
    }
}

/// Whether a glob may match an id, which is of hexadecimal digits alone. What sets and alternatives
/// have inside is not looked at.
fn may_be_an_id(glob: &str) -> bool {
    let may_stand = |c: char| matches!(c, '0'..='9' | 'a'..='f' | '*' | '?');
    glob.contains(['[', '{', '\\']) || glob.chars().all(may_stand)
}

fn parse_shard(text: &str) -> Result<(usize, usize)> {
    let wrong = || {
        format!(
            "--shard {text} is not a part of the grid; write --shard 2/4 for the second of four"
        )
    };
    let (i, n) = text.split_once('/').with_context(wrong)?;
    let (i, n) = (
        i.parse::<usize>().with_context(wrong)?,
        n.parse::<usize>().with_context(wrong)?,
    );
    ensure!(1 <= i && i <= n, wrong());
    Ok((i, n))
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
