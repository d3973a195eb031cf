//! Tests of `blocks.rs`.

use super::*;
use crate::report::analysis::Analysis;
use crate::report::data::StudyData;
use crate::report::render;
use crate::report::sensitivity::without_each_teacher;
use crate::report::statistics::Paired;
use crate::report::test_fixture::{Fixture, Normals, StudyShape};
use crate::report::verdict::Verdict;

/// Two arms of three seeds, whose map is made to stand for the teacher.
fn fixture() -> Fixture {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["none", "mse"],
        strategies: vec!["uniform", "last"],
        steps: 40,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        study.report.baseline = [("arm".to_owned(), "none".to_owned())].into();
        for axis in &mut study.axes {
            if axis.key == axes::STRATEGY {
                axis.key = TEACHER_SEED.to_owned();
                axis.values = vec!["0".to_owned(), "1".to_owned()];
            }
        }
        for cell in &mut study.cells {
            let map = cell.at.remove(axes::STRATEGY);
            let teacher = usize::from(map.as_deref() == Some("last"));
            cell.at.insert(TEACHER_SEED.to_owned(), teacher.to_string());
        }
    });
    fixture
}

fn page(fixture: &Fixture) -> String {
    let rendered = render(&fixture.layout, fixture.study.clone(), None).unwrap();
    let mut pages = rendered.files.iter();
    let page = pages.find(|(path, _)| path.ends_with("report.md"));
    String::from_utf8(page.unwrap().1.clone()).unwrap()
}

#[test]
fn a_comparison_pairs_every_seed_with_every_teacher() {
    let fixture = fixture();
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    assert_eq!(teachers(&data.written).map(<[String]>::len), Some(2));
    assert_eq!(teachers(&data.study), None);
    let analysis = Analysis::new(&data).unwrap();
    assert_eq!(analysis.rows.len(), 2, "a row for every arm");
    let contrast = &analysis.contrasts[0];
    let paired = contrast.paired.as_ref().unwrap();
    assert_eq!(paired.n(), 6);
    // The differences are those of one seed and one teacher.
    let loss = |arm: &str, seed: &str, teacher: &str| {
        let is_it = |at: &axes::Setting| {
            at["arm"] == arm && at[SEED] == seed && at[TEACHER_SEED] == teacher
        };
        let mut cells = fixture.study.cells.iter().enumerate();
        let (place, _) = cells.find(|(_, cell)| is_it(&cell.at)).unwrap();
        data.run(place).nll().unwrap()
    };
    let mut expected: Vec<f64> = ["0", "1", "2"]
        .iter()
        .flat_map(|seed| {
            ["0", "1"].map(|teacher| loss("mse", seed, teacher) - loss("none", seed, teacher))
        })
        .collect();
    let mut found = paired.differences.clone();
    expected.sort_by(f64::total_cmp);
    found.sort_by(f64::total_cmp);
    assert_eq!(found, expected);
}

#[test]
fn a_comparison_is_told_without_each_of_its_teachers_and_what_hangs_on_one() {
    let fixture = fixture();
    // With teacher 1 every seed's difference is another, and points the other way.
    for cell in &fixture.study.cells {
        let seed: f64 = cell.at[SEED].parse().unwrap();
        let is_mse = f64::from(u8::from(cell.at["arm"] == "mse"));
        let of_teacher = if cell.at[TEACHER_SEED] == "1" {
            0.03
        } else {
            -0.02
        };
        let loss = 3.0 + 0.1 * seed + is_mse * (of_teacher + 0.0001 * seed);
        fixture.reevaluate(&cell.run, |evaluation| {
            evaluation.test.nll_nats_per_token = loss;
        });
    }
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let analysis = Analysis::new(&data).unwrap();
    let contrast = &analysis.contrasts[0];
    assert_eq!(contrast.verdict, Verdict::Undecided);
    let without = without_each_teacher(&data, &analysis.rows, contrast);
    let expected = [
        ("0", 0.0301, Verdict::Worse),
        ("1", -0.0199, Verdict::Better),
    ];
    assert_eq!(without.len(), expected.len());
    for (own, (teacher, mean, verdict)) in without.iter().zip(expected) {
        assert_eq!((own.teacher.as_str(), own.paired.n()), (teacher, 3));
        assert!(
            (own.paired.mean - mean).abs() < 1e-12,
            "{}",
            own.paired.mean
        );
        assert_eq!((&own.verdict, own.is_another), (&verdict, true));
    }
    assert_eq!(contrast.hangs_on, ["teacher 0", "teacher 1"]);
    let page = page(&fixture);
    for words in [
        "| mse | none | teacher 1 left out | 3 | – | – | −0.0199 |",
        "depend on: mse would be worse by more than δ without teacher 0",
        "Every seed was run with each of 2 teachers",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
}

#[test]
fn seeds_that_have_one_teacher_each_are_counted_for_it() {
    let mut fixture = fixture();
    fixture.change(|study| {
        study
            .cells
            .retain(|cell| (cell.at[TEACHER_SEED] == "1") == (cell.at[SEED] == "2"));
    });
    assert_eq!(seeds_by_teacher(&fixture.study), [("0", 2), ("1", 1)]);
    let page = page(&fixture);
    let words = "Seeds were run with one of 2 teachers or another (teacher.seed: teacher 0 with 2, \
                 teacher 1 with 1 of 3 seeds)";
    assert!(page.contains(words), "{page}");
}

#[test]
fn a_study_of_one_teacher_is_as_it_was() {
    let mut fixture = fixture();
    fixture.change(|study| {
        for axis in &mut study.axes {
            if axis.key == TEACHER_SEED {
                axis.values.truncate(1);
            }
        }
    });
    assert_eq!(with_blocks(&fixture.study), fixture.study);
}

/// 4,000 studies of two teachers: how often the interval at 95 % holds what the comparison is with
/// these teachers. `agreement` is the share of the variance that is a seed's own, whatever the
/// teacher, where both teachers have the same seeds; `apart` is how far the teachers' own
/// differences lie from each other, in sds of a seed.
fn coverage(seeds: [usize; 2], agreement: Option<f64>, apart: f64) -> f64 {
    const STUDIES: usize = 4000;
    let mut normals = Normals(5);
    let all = (seeds[0] + seeds[1]) as f64;
    let truth = (seeds[0] as f64 - seeds[1] as f64) / all * apart / 2.0;
    let mut held = 0;
    for _ in 0..STUDIES {
        let shared: Vec<f64> = (0..seeds[0]).map(|_| normals.next()).collect();
        let mut differences = Vec::new();
        for (count, centre) in seeds.into_iter().zip([apart / 2.0, -apart / 2.0]) {
            for seed in 0..count {
                let own = normals.next();
                let of_seed = agreement.map_or(own, |share| {
                    share.sqrt() * shared[seed] + (1.0 - share).sqrt() * own
                });
                differences.push(centre + of_seed);
            }
        }
        let paired = Paired::of(differences);
        let (low, high) = paired.interval(0.05, paired.error).unwrap();
        held += usize::from(low <= truth && truth <= high);
    }
    held as f64 / STUDIES as f64
}

#[test]
fn intervals_over_teachers_hold_what_is_true_of_these_where_their_seeds_are_their_own() {
    // Three standard errors of the simulation are 0.01.
    for seeds in [[8, 8], [8, 4], [4, 4]] {
        let exact = coverage(seeds, None, 0.0);
        assert!((exact - 0.95).abs() < 0.012, "{seeds:?}: {exact}");
        let wider = coverage(seeds, None, 2.0);
        assert!(wider >= 0.955, "{seeds:?}: {wider}");
    }
    let independent = coverage([8, 8], Some(0.0), 0.0);
    assert!((independent - 0.95).abs() < 0.012, "{independent}");
    let narrow = coverage([8, 8], Some(0.5), 0.0);
    assert!((0.86..0.92).contains(&narrow), "{narrow}");
}
