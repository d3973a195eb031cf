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
        let mark = after.lines().nth(1).unwrap();
        let is_mark = mark.starts_with("<circle") || mark.starts_with("<polygon");
        assert!(is_mark, "{after}");
    }
}

#[test]
fn a_caption_names_the_settings_that_are_left_out_where_they_are_few() {
    let titles: Vec<String> = (0..14).map(|place| format!("map {place}, x")).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    assert_eq!(
        left_out_by_name(12, &titles, "settings"),
        " Shown are the first 12 of 14 settings (map 12, x; map 13, x left out)."
    );
    assert_eq!(
        left_out_by_name(2, &titles, "settings"),
        " Shown are the first 2 of 14 settings."
    );
    assert_eq!(left_out_by_name(14, &titles, "settings"), "");
}

#[test]
fn names_stand_at_the_ends_of_lines_until_two_have_one_colour() {
    let has_legend = |arms: usize| {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        let fixture = Fixture::new(&StudyShape {
            arms: names[..arms].to_vec(),
            strategies: vec!["uniform"],
            steps: 20,
            extras: false,
            ..StudyShape::default()
        });
        let svg = figure(&drawn(&fixture), "curves").unwrap();
        // A legend has a line of its own width before every name.
        svg.contains("stroke-width=\"2.4\"")
    };
    assert!(!has_legend(8));
    assert!(has_legend(9));
}

#[test]
fn a_setting_without_differences_has_no_panel_for_them() {
    let of = |strategies: Vec<&'static str>| {
        let fixture = Fixture::new(&StudyShape {
            strategies,
            steps: 20,
            extras: false,
            ..StudyShape::default()
        });
        let mut figures = drawn(&fixture).into_iter();
        figures.find(|figure| figure.name == "curves").unwrap()
    };
    // The ground, and the band of ±δ in every panel of differences.
    let panels = |figure: &Figure| figure.svg.matches("<rect").count() - 1;
    let count = |figure: &Figure, words: &str| figure.svg.matches(words).count();
    let controls = "; two null controls are not held against each other.";
    let both = of(vec!["uniform", "last"]);
    assert_eq!(panels(&both), 2);
    assert!(!both.caption.contains(controls), "{}", both.caption);
    for strategies in [vec!["uniform", "reverse"], vec!["reverse", "uniform"]] {
        let one = of(strategies);
        assert_eq!(panels(&one), 1);
        assert_eq!(count(&one, ">difference to mse</text>"), 1);
        assert_eq!(count(&one, ">training step</text>"), 2);
        assert!(one.caption.contains(controls), "{}", one.caption);
    }
}

/// What stands right before a name in a legend.
fn sample_of(svg: &str, name: &str) -> String {
    let lines: Vec<&str> = svg.lines().collect();
    let name = format!(">{name}</text>");
    let place = lines.iter().position(|line| line.ends_with(&name));
    lines[place.unwrap() - 1].to_owned()
}

#[test]
fn a_legend_of_arms_has_their_marks_and_one_of_terms_or_layers_lines_alone() {
    let fixture = Fixture::new(&StudyShape::default());
    let figures = drawn(&fixture);
    for (name, entry, is_marked) in [
        ("curves", "mse", true),
        ("distances", "wasserstein", true),
        ("terms", "kl", false),
        ("critic", "layer 1", false),
    ] {
        let sample = sample_of(&figure(&figures, name).unwrap(), entry);
        assert_eq!(
            !sample.starts_with("<polyline"),
            is_marked,
            "{name}: {sample}"
        );
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

/// Leaves figures in the folder that the environment names, for eyes.
fn leave(figures: &[Figure], name: &str) {
    if let Some(folder) = std::env::var_os("KDPIPE_TEST_REPORTS") {
        let folder = std::path::Path::new(&folder).join(name).join("figures");
        std::fs::create_dir_all(&folder).unwrap();
        for figure in figures {
            std::fs::write(folder.join(format!("{}.svg", figure.name)), &figure.svg).unwrap();
        }
    }
}

/// That every element of a picture is closed, and every number one.
fn assert_whole(figure: &Figure) {
    let svg = &figure.svg;
    for element in ["svg", "g", "text", "title"] {
        let (open, closed) = (format!("<{element}"), format!("</{element}>"));
        let ends = |rest: &str| rest.starts_with([' ', '>']);
        let opened = svg.match_indices(&open);
        let opened = opened
            .filter(|(at, found)| ends(&svg[at + found.len()..]))
            .count();
        assert_eq!(opened, svg.matches(&closed).count(), "{element}: {svg}");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

#[test]
fn many_arms_with_long_names_of_which_some_diverged_are_drawn() {
    const ARMS: [&str; 12] = [
        "none",
        "mse",
        "wasserstein",
        "cosine",
        "a-very-long-name-of-an-arm-that-says-all-that-it-changes",
        "mse-0_1",
        "mse-1_0",
        "mse-10_0",
        "last-layer",
        "spectral",
        "clip",
        "diverges",
    ];
    let mut fixture = Fixture::new(&StudyShape {
        arms: ARMS.to_vec(),
        strategies: vec!["uniform"],
        ..StudyShape::default()
    });
    fixture.change(|study| study.arms.truncate(0));
    for cell in fixture.study.cells.clone() {
        let (arm, seed) = (cell.at["arm"].as_str(), cell.at["seed"].as_str());
        if arm == "diverges" || (arm == "clip" && seed == "1") {
            fixture.diverge(&cell.run);
        } else {
            let place = ARMS.iter().position(|name| *name == arm).unwrap();
            fixture.reevaluate(&cell.run, |evaluation| {
                evaluation.test.nll_nats_per_token += 0.011 * (place as f64 * 2.0).sin();
                let training = evaluation.training.as_mut().unwrap();
                training.student_flops *= 1.0 + (place / 3) as f64;
            });
        }
    }
    let figures = drawn(&fixture);
    leave(&figures, "many");
    figures.iter().for_each(assert_whole);
    let losses = figure(&figures, "losses").unwrap();
    for words in [">no run finished<", "3 of 3 diverged", "1 of 3 diverged"] {
        assert!(losses.contains(words), "{words}: {losses}");
    }
}

#[test]
fn every_figure_of_a_study_with_several_axes_is_whole() {
    let fixture = Fixture::new(&StudyShape {
        arms: vec!["mse", "none", "cosine", "wasserstein"],
        strategies: vec!["uniform", "last", "reverse", "shuffled"],
        layers: vec![2, 4],
        seeds: 5,
        ..StudyShape::default()
    });
    let figures = drawn(&fixture);
    leave(&figures, "axes");
    assert_eq!(figures.len(), 9);
    figures.iter().for_each(assert_whole);
}
