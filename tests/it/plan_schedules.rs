//! Schedules, over many drawn ones: their ends, their bounds and the lines between their points.

use kdpipe::plan::schedule::{Schedule, Span};

use crate::plan::Draws;

#[test]
fn schedules_begin_at_one_end_stay_at_the_other_and_never_leave_the_room_between() {
    let mut draws = Draws(2);
    for _ in 0..400 {
        let total = 1 + draws.below(300);
        let (from, to) = (0.01 + draws.share() * 4.0, 0.01 + draws.share() * 4.0);
        let over = if draws.below(2) == 0 {
            Span::Steps(draws.below(2 * total))
        } else {
            Span::Percent((draws.share() * 100.0).round())
        };
        let all = [
            Schedule::Linear { from, to, over },
            Schedule::Cosine { from, to, over },
            Schedule::Exponential { from, to, over },
            Schedule::Step { from, to, over },
        ];
        let (low, high) = (from.min(to), from.max(to));
        for schedule in all {
            let values: Vec<f64> = (0..=2 * total)
                .map(|step| schedule.at(step, total))
                .collect();
            let near = |a: f64, b: f64| (a - b).abs() < 1e-12 * (1.0 + high);
            assert!(
                values
                    .iter()
                    .all(|value| (low - 1e-12..=high + 1e-12).contains(value)),
                "{schedule:?}"
            );
            assert!(
                near(values[0], if over.steps(total) > 0.0 { from } else { to }),
                "{schedule:?}"
            );
            assert!(
                values
                    .iter()
                    .enumerate()
                    .all(|(step, value)| (step as f64) < over.steps(total) || near(*value, to)),
                "{schedule:?}"
            );
            assert!(
                values
                    .windows(2)
                    .all(|pair| (pair[1] - pair[0]) * (to - from) >= -1e-12),
                "{schedule:?} turns back"
            );
        }
    }
}

#[test]
fn a_share_that_is_a_whole_number_of_steps_ends_at_that_step() {
    let (from, to) = (0.5, 0.0);
    for total in [100, 200, 300, 400, 600, 1500] {
        for percent in 1..=100 {
            if percent * total % 100 != 0 {
                continue;
            }
            let (over, end) = (Span::Percent(percent as f64), percent * total / 100);
            let jump = Schedule::Step { from, to, over };
            let points = vec![(over, from), (Span::Steps(end), to)];
            for schedule in [jump, Schedule::Piecewise { points }] {
                let values = [end - 1, end].map(|step| schedule.at(step, total));
                assert_eq!(values, [from, to], "{percent} % of {total}: {schedule:?}");
            }
        }
    }
}

#[test]
fn points_are_joined_by_straight_lines() {
    let mut draws = Draws(3);
    for _ in 0..400 {
        let total = 1 + draws.below(200);
        let mut at: Vec<u64> = (0..1 + draws.below(5))
            .map(|_| draws.below(total))
            .collect();
        at.sort_unstable();
        at.dedup();
        let points: Vec<(Span, f64)> = at
            .iter()
            .map(|step| (Span::Steps(*step), draws.share()))
            .collect();
        let schedule = Schedule::Piecewise {
            points: points.clone(),
        };
        for (step, (_, value)) in at.iter().zip(&points) {
            assert!((schedule.at(*step, total) - value).abs() < 1e-12);
        }
        assert_eq!(schedule.at(0, total).to_bits(), points[0].1.to_bits());
        assert_eq!(
            schedule.at(10 * total, total).to_bits(),
            points.last().expect("a point").1.to_bits()
        );
        for (steps, ends) in at.windows(2).zip(points.windows(2)) {
            for step in steps[0]..steps[1] {
                let share = (step - steps[0]) as f64 / (steps[1] - steps[0]) as f64;
                let line = ends[0].1 + (ends[1].1 - ends[0].1) * share;
                assert!(
                    (schedule.at(step, total) - line).abs() < 1e-12,
                    "{schedule:?} at {step}"
                );
            }
        }
    }
}
