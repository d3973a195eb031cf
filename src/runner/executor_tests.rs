//! Tests of `executor.rs`: scheduling alone, with an executor that does nothing.

use std::collections::VecDeque;

use super::*;

/// Does nothing, at once, and remembers what it was asked for.
#[derive(Default)]
struct MockExecutor {
    /// Units, failures and waits, in words.
    log: Vec<String>,
    /// Endings by unit in words, one after the other; what is not here is done well.
    script: BTreeMap<String, VecDeque<UnitEnding>>,
    /// As many runs advance together at most; 0 is no limit.
    together: usize,
    /// The user stops it after this line of the log.
    stop_after: Option<&'static str>,
}

impl MockExecutor {
    fn scripted<const N: usize>(script: [(&str, Vec<UnitEnding>); N]) -> Self {
        Self {
            script: script
                .into_iter()
                .map(|(unit, endings)| (unit.to_owned(), endings.into()))
                .collect(),
            ..Self::default()
        }
    }
}

fn in_words(unit: &Unit) -> String {
    let name = match unit {
        Unit::Corpus(_) => "corpus",
        Unit::Teacher(_) => "teacher",
        Unit::Group(_) => "group",
    };
    format!("{name} {:?}", unit.runs())
}

impl Executor for MockExecutor {
    fn execute(&mut self, unit: &Unit) -> UnitEnding {
        let words = in_words(unit);
        let scripted = self.script.get_mut(&words).and_then(VecDeque::pop_front);
        self.log.push(words);
        scripted.unwrap_or_else(|| {
            UnitEnding::Done(match unit {
                Unit::Corpus(_) | Unit::Teacher(_) => BTreeMap::new(),
                Unit::Group(runs) => runs.iter().map(|&run| (run, Ending::Finished)).collect(),
            })
        })
    }

    fn groups(&self, runs: &[usize]) -> Vec<Vec<usize>> {
        let most = if self.together == 0 {
            runs.len()
        } else {
            self.together
        };
        runs.chunks(most).map(<[usize]>::to_vec).collect()
    }

    fn wait(&mut self, unit: &Unit, owner: &str) {
        self.log.push(format!("{owner} has {}", in_words(unit)));
    }

    fn run_failed(&mut self, index: usize, error: &str) {
        self.log.push(format!("{index} failed: {error}"));
    }

    fn is_stopped(&self) -> bool {
        let stop_after = self.stop_after.map(str::to_owned);
        stop_after.is_some_and(|line| self.log.contains(&line))
    }
}

/// Runs by index, corpus, teacher and group.
fn queue(runs: &[(usize, &str, &str, &str)]) -> Vec<QueuedRun> {
    runs.iter()
        .map(|&(index, corpus, teacher, group)| QueuedRun {
            index,
            corpus: corpus.to_owned(),
            teacher: teacher.to_owned(),
            group: group.to_owned(),
        })
        .collect()
}

/// Two corpora; the first has two teachers, one of them two groups, whose runs alternate.
fn study() -> Vec<QueuedRun> {
    queue(&[
        (0, "a", "large", "seed 0"),
        (1, "a", "large", "seed 1"),
        (2, "a", "large", "seed 0"),
        (3, "a", "small", "seed 0, small"),
        (4, "b", "other", "seed 0, other"),
    ])
}

fn failure(error: &str) -> Ending {
    Ending::Failed {
        error: error.to_owned(),
    }
}

#[test]
fn a_corpus_comes_before_its_teachers_and_a_teacher_before_its_groups_each_once() {
    let mut executor = MockExecutor::default();
    let endings = work_through(&study(), &mut executor);
    assert_eq!(
        executor.log,
        [
            "corpus [0, 1, 2, 3]",
            "teacher [0, 1, 2]",
            "group [0, 2]",
            "group [1]",
            "teacher [3]",
            "group [3]",
            "corpus [4]",
            "teacher [4]",
            "group [4]",
        ]
    );
    assert_eq!(endings.len(), 5);
    assert!(endings.values().all(|ending| *ending == Ending::Finished));
}

#[test]
fn groups_are_as_large_as_the_executor_can_take_them() {
    let mut executor = MockExecutor {
        together: 1,
        ..MockExecutor::default()
    };
    work_through(&study()[..3], &mut executor);
    assert_eq!(
        executor.log[2..],
        ["group [0]", "group [2]", "group [1]"].map(str::to_owned)
    );
}

#[test]
fn a_failed_teacher_takes_its_runs_with_it_and_no_others() {
    let failed = UnitEnding::Failed("no such folder".to_owned());
    let mut executor = MockExecutor::scripted([("teacher [0, 1, 2]", vec![failed])]);
    let endings = work_through(&study(), &mut executor);
    for index in [0, 1, 2] {
        assert_eq!(endings[&index], failure("no such folder"));
    }
    assert_eq!(
        (&endings[&3], &endings[&4]),
        (&Ending::Finished, &Ending::Finished)
    );
    assert_eq!(
        executor.log[2..6],
        [
            "0 failed: no such folder",
            "1 failed: no such folder",
            "2 failed: no such folder",
            "teacher [3]"
        ]
        .map(str::to_owned)
    );
}

#[test]
fn a_failed_corpus_or_group_leaves_the_rest_alone() {
    let failed = || vec![UnitEnding::Failed("the disk is full".to_owned())];
    let mut executor =
        MockExecutor::scripted([("corpus [4]", failed()), ("group [0, 2]", failed())]);
    let endings = work_through(&study(), &mut executor);
    for index in [0, 2, 4] {
        assert_eq!(endings[&index], failure("the disk is full"));
    }
    assert_eq!(
        (&endings[&1], &endings[&3]),
        (&Ending::Finished, &Ending::Finished)
    );
    assert!(!executor.log.contains(&"teacher [4]".to_owned()));
}

#[test]
fn every_run_of_a_group_has_an_ending_of_its_own() {
    let own = BTreeMap::from([(0, failure("a defect")), (2, Ending::Finished)]);
    let mut executor =
        MockExecutor::scripted([("group [0, 2]", vec![UnitEnding::Done(own.clone())])]);
    let endings = work_through(&study(), &mut executor);
    assert_eq!((&endings[&0], &endings[&2]), (&own[&0], &own[&2]));
    assert_eq!(endings.len(), 5);
}

#[test]
fn an_interrupted_unit_ends_everything_and_what_ended_before_stays() {
    let mut executor = MockExecutor::scripted([("group [1]", vec![UnitEnding::Interrupted])]);
    let endings = work_through(&study(), &mut executor);
    assert_eq!(executor.log.last().unwrap(), "group [1]");
    assert_eq!(endings.into_keys().collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn a_stop_ends_everything_before_the_next_unit() {
    let mut executor = MockExecutor {
        stop_after: Some("teacher [0, 1, 2]"),
        ..MockExecutor::default()
    };
    assert!(work_through(&study(), &mut executor).is_empty());
    assert_eq!(executor.log, ["corpus [0, 1, 2, 3]", "teacher [0, 1, 2]"]);
}

#[test]
fn a_teacher_that_another_process_trains_is_waited_for() {
    let held = || UnitEnding::HeldBy("process 7".to_owned());
    let mut executor = MockExecutor::scripted([("teacher [3]", vec![held(), held()])]);
    let endings = work_through(&study()[3..4], &mut executor);
    assert_eq!(
        executor.log,
        [
            "corpus [3]",
            "teacher [3]",
            "process 7 has teacher [3]",
            "teacher [3]",
            "process 7 has teacher [3]",
            "teacher [3]",
            "group [3]",
        ]
    );
    assert_eq!(endings[&3], Ending::Finished);
}

#[test]
fn waiting_ends_with_a_stop() {
    let held = UnitEnding::HeldBy("process 7".to_owned());
    let mut executor = MockExecutor {
        stop_after: Some("process 7 has teacher [3]"),
        ..MockExecutor::scripted([("teacher [3]", vec![held])])
    };
    assert!(work_through(&study()[3..4], &mut executor).is_empty());
}

#[test]
fn a_run_that_another_process_holds_is_passed_by_and_come_back_to_by_the_next_queue() {
    let held = Ending::Held {
        owner: "process 7".to_owned(),
    };
    let of_group = BTreeMap::from([(0, held.clone()), (2, Ending::Finished)]);
    let mut executor = MockExecutor::scripted([("group [0, 2]", vec![UnitEnding::Done(of_group)])]);
    let all = study();
    let endings = work_through(&all, &mut executor);
    assert_eq!((&endings[&0], endings.len()), (&held, 5));
    // The next call finds what is left.
    let left: Vec<QueuedRun> = all
        .into_iter()
        .filter(|run| endings[&run.index] != Ending::Finished)
        .collect();
    executor.log.clear();
    let endings = work_through(&left, &mut executor);
    assert_eq!(executor.log, ["corpus [0]", "teacher [0]", "group [0]"]);
    assert_eq!(endings, BTreeMap::from([(0, Ending::Finished)]));
}

#[test]
fn a_part_of_the_grid_asks_for_no_more_than_it_needs() {
    let selected: Vec<QueuedRun> = study()
        .into_iter()
        .filter(|run| [1, 4].contains(&run.index))
        .collect();
    let mut executor = MockExecutor::default();
    work_through(&selected, &mut executor);
    assert_eq!(
        executor.log,
        [
            "corpus [1]",
            "teacher [1]",
            "group [1]",
            "corpus [4]",
            "teacher [4]",
            "group [4]",
        ]
    );
    assert!(work_through(&[], &mut executor).is_empty());
}
