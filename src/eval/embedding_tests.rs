//! Tests of `embedding.rs`.

use super::*;

/// Two groups of `each` points in 6 dimensions, far apart.
fn groups(each: usize, seed: u64) -> Vec<f32> {
    let mut stream = Stream::new(seed, "test", 0);
    (0..2 * each)
        .flat_map(|i| {
            let centre = if i < each { -10.0 } else { 10.0 };
            (0..6)
                .map(|_| (centre + stream.normal()) as f32)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn bits(points: &[EmbeddingPoint]) -> Vec<(u64, u64)> {
    points
        .iter()
        .map(|p| (p.x.to_bits(), p.y.to_bits()))
        .collect()
}

#[test]
fn two_groups_stay_apart_and_every_call_gives_the_same_bits() {
    let states = groups(40, 1);
    let cloud = [Cloud {
        model: "student",
        states: &states,
        width: 6,
        layers: 3,
    }];
    let points = embed(&cloud).unwrap();
    assert_eq!(points.len(), 80);
    assert_eq!(
        (
            points[79].token,
            points[79].layer,
            points[79].model.as_str()
        ),
        (79, 3, "student")
    );
    let mean = |points: &[EmbeddingPoint]| {
        (
            points.iter().map(|p| p.x).sum::<f64>() / 40.0,
            points.iter().map(|p| p.y).sum::<f64>() / 40.0,
        )
    };
    let (a, b) = (mean(&points[..40]), mean(&points[40..]));
    let apart = (a.0 - b.0).hypot(a.1 - b.1);
    let spread = points[..40]
        .iter()
        .map(|p| (p.x - a.0).hypot(p.y - a.1))
        .fold(0.0, f64::max);
    assert!(apart > 2.0 * spread, "{apart} {spread}");
    let two = rayon::ThreadPoolBuilder::new()
        .num_threads(2)
        .build()
        .unwrap();
    assert_eq!(bits(&points), bits(&two.install(|| embed(&cloud).unwrap())));
}

#[test]
fn a_rotated_copy_of_other_width_lies_beside_its_original() {
    // The same points with two more coordinates that are zero, and the axes permuted.
    let narrow = groups(30, 2);
    let wide: Vec<f32> = narrow
        .chunks_exact(6)
        .flat_map(|p| [p[3], 0.0, p[1], p[0], p[5], 0.0, p[4], p[2]])
        .collect();
    let clouds = [
        Cloud {
            model: "teacher",
            states: &wide,
            width: 8,
            layers: 4,
        },
        Cloud {
            model: "student",
            states: &narrow,
            width: 6,
            layers: 2,
        },
    ];
    let points = embed(&clouds).unwrap();
    // Equal points repel each other in the plane, so a twin is the nearest point rather than at
    // the same place.
    let nearest = |i: usize| {
        let distance = |j: usize| (points[i].x - points[j].x).hypot(points[i].y - points[j].y);
        (0..120)
            .filter(|&j| j != i)
            .min_by(|&a, &b| distance(a).total_cmp(&distance(b)))
            .unwrap()
    };
    let twins = (0..60).filter(|&i| nearest(i) == i + 60).count();
    assert!(twins >= 54, "{twins} of 60 lie next to their twin");
}

#[test]
fn too_few_points_have_no_picture() {
    let states = groups(3, 1);
    assert!(
        embed(&[Cloud {
            model: "student",
            states: &states,
            width: 6,
            layers: 1
        }])
        .unwrap()
        .is_empty()
    );
}
