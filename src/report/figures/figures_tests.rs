//! Tests of `mod.rs`: what the figures show of a folder of closed-form numbers.

use super::*;
use crate::report::test_fixture::{Fixture, StudyShape};

/// Every figure of a study.
fn drawn(fixture: &Fixture) -> Vec<Figure> {
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let analysis = Analysis::new(&data).unwrap();
    draw(&data, &analysis).unwrap()
}

/// A figure, where the study has it.
fn figure(figures: &[Figure], name: &str) -> Option<String> {
    let mut figures = figures.iter();
    let found = figures.find(|figure| figure.name == name)?;
    Some(found.svg.clone())
}

/// The colours that stand before a name in a legend or at the end of a line.
fn colors_of<'a>(svg: &'a str, name: &str) -> Vec<&'a str> {
    let lines: Vec<&str> = svg.lines().collect();
    let name = format!(">{name}</text>");
    let color = |line: &'a str| {
        let mut parts = line.split(['"']).filter(|part| part.starts_with('#'));
        parts.find(|color| *color != "#FFFFFF")
    };
    (1..lines.len())
        .filter(|&place| lines[place].ends_with(&name) && !lines[place].contains("bold"))
        .filter_map(|place| color(lines[place - 1]))
        .collect()
}

#[test]
fn an_arm_has_one_colour_in_every_figure_whatever_others_are_shown() {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["mse", "none", "cosine", "wasserstein"],
        strategies: vec!["uniform", "last"],
        ..StudyShape::default()
    });
    let green = "#009E73";
    let check = |fixture: &Fixture| {
        let figures = drawn(fixture);
        for name in ["curves", "compute", "strategies", "distances"] {
            let svg = figure(&figures, name).unwrap();
            let colors = colors_of(&svg, "mse");
            assert!(
                !colors.is_empty() && colors.iter().all(|&color| color == green),
                "{name}: {colors:?}"
            );
        }
    };
    check(&fixture);
    for cell in fixture.study.cells.clone() {
        if cell.at["arm"] == "none" && fixture.layout.run(&cell.run).root.exists() {
            fixture.remove(&cell.run);
        }
    }
    check(&fixture);
    // In another study, after other arms.
    fixture.change(|study| study.axes[0].values.reverse());
    check(&fixture);
}

#[test]
fn terms_and_layers_are_not_drawn_in_the_colours_of_arms() {
    let fixture = Fixture::new(&StudyShape::default());
    let figures = drawn(&fixture);
    for (name, entries) in [
        ("terms", ["kl", "hidden"]),
        ("critic", ["layer 1", "layer 4"]),
    ] {
        let svg = figure(&figures, name).unwrap();
        for entry in entries {
            let colors = colors_of(&svg, entry);
            assert!(!colors.is_empty(), "{name}: no {entry}");
            for arm in [
                "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9",
            ] {
                assert!(!colors.contains(&arm), "{name}: {entry} is {arm}");
            }
        }
    }
}

#[test]
fn sizes_are_drawn_only_where_they_differ() {
    let has_sizes = |layers: Vec<usize>| {
        let fixture = Fixture::new(&StudyShape {
            layers,
            ..StudyShape::default()
        });
        let figures = drawn(&fixture);
        figure(&figures, "parameters").is_some()
    };
    assert!(!has_sizes(vec![4]));
    assert!(has_sizes(vec![2, 4]));
}

#[test]
fn a_curve_of_one_point_is_a_mark() {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        steps: 1,
        extras: false,
        ..StudyShape::default()
    });
    let figures = drawn(&fixture);
    let svg = figure(&figures, "curves").unwrap();
    for title in ["<title>mse, step 0: ", "<title>wasserstein, step 0: −0.0"] {
        let (_, after) = svg
            .split_once(title)
            .unwrap_or_else(|| panic!("{title} is not in\n{svg}"));
        assert!(after.lines().nth(1).unwrap().contains("<circle"), "{after}");
    }
}

#[test]
fn one_seed_is_drawn_without_a_mean_and_says_so() {
    let fixture = Fixture::new(&StudyShape {
        seeds: 1,
        ..StudyShape::default()
    });
    let figures = drawn(&fixture);
    let svg = figure(&figures, "losses").unwrap();
    assert!(svg.contains(">n = 1, no interval</text>"), "{svg}");
    assert!(!svg.contains("mean of n = "), "{svg}");
}

#[test]
fn the_main_figure_says_which_row_each_row_is_compared_with() {
    let told = |strategies: Vec<&'static str>| {
        let fixture = Fixture::new(&StudyShape {
            strategies,
            ..StudyShape::default()
        });
        let figures = drawn(&fixture);
        figure(&figures, "losses").unwrap()
    };
    let one = told(vec!["uniform"]);
    assert!(one.contains("difference to mse (nats per token)"), "{one}");
    let two = told(vec!["uniform", "last"]);
    for note in ["against", "mse, uniform", "mse, last"] {
        assert!(two.contains(&format!(">{note}</text>")), "{note}: {two}");
    }
}

#[test]
fn critics_that_say_the_same_share_a_panel() {
    let fixture = Fixture::new(&StudyShape::default());
    let figures = drawn(&fixture);
    let svg = figure(&figures, "critic").unwrap();
    assert_eq!(svg.matches("font-weight=\"bold\"").count(), 1, "{svg}");
    assert!(svg.contains(">wasserstein, 2 settings</text>"), "{svg}");
}

#[test]
fn a_picture_of_an_earlier_build_has_no_kinds_of_tokens() {
    let fixture = Fixture::new(&StudyShape::default());
    let of = |fixture: &Fixture| {
        let figures = drawn(fixture);
        figure(&figures, "embedding").unwrap()
    };
    let svg = of(&fixture);
    assert!(
        svg.contains(">punctuation</text>") && svg.contains("<title>“ w0”</title>"),
        "{svg}"
    );
    fixture.forget_token_texts();
    let svg = of(&fixture);
    assert!(
        svg.contains(">student</text>") && !svg.contains("punctuation"),
        "{svg}"
    );
}
