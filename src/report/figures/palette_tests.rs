//! Tests of `palette.rs`.

use super::*;

fn styles(names: &[&str]) -> Vec<SeriesStyle> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    styles_of_arms(&names)
}

#[test]
fn the_arms_of_the_built_in_studies_have_the_same_colours_in_all_of_them() {
    let sweep = styles(&["lm", "none", "mse", "wasserstein"]);
    let text = styles(&["none", "mse", "wasserstein"]);
    assert_eq!(sweep[1..], text[..]);
    let other_order = styles(&["wasserstein", "none"]);
    assert_eq!(other_order, [sweep[3], sweep[1]]);
}

#[test]
fn no_two_arms_look_the_same() {
    let names: Vec<String> = (0..28).map(|arm| format!("arm-{arm}")).collect();
    let styles = styles_of_arms(&names);
    for (place, style) in styles.iter().enumerate() {
        assert!(!styles[..place].contains(style), "{style:?}");
    }
    // The first eight differ in their colours, and without them too.
    let colors: Vec<Rgb> = styles[..8].iter().map(|style| style.color).collect();
    assert!((1..8).all(|place| !colors[..place].contains(&colors[place])));
    let in_grey = styles[..8].iter().map(|style| (style.mark, style.dash));
    let in_grey: Vec<(Mark, Dash)> = in_grey.collect();
    assert!((1..8).all(|place| !in_grey[..place].contains(&in_grey[place])));
    assert!(styles.iter().all(|style| style.dash != Dash::Dotted));
}

#[test]
fn terms_and_layers_have_no_colour_of_an_arm() {
    for place in 0..12 {
        assert!(!ARMS.contains(&term(place).color));
        assert!(!ARMS.contains(&layer(place, 12).color));
        assert!(!ARMS.contains(&token(place)));
    }
    assert_eq!(layer(0, 3).color, LAYERS[0]);
    assert_eq!(layer(1, 3).color, LAYERS[2]);
    assert_eq!(layer(2, 3).color, LAYERS[4]);
    assert_eq!(layer(0, 1).color, LAYERS[0]);
}
