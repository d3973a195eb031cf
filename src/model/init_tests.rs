//! Tests of `init.rs`.

use super::*;

#[test]
fn projections_to_the_residual_stream_are_scaled_by_depth() {
    let weights = Weights::random(&Config::new(8, 64, 4, 100, 32), Seed::Run(1));
    let deviation = |name: &str| {
        let values = &weights.arrays[name].values;
        (values
            .iter()
            .map(|&x| f64::from(x) * f64::from(x))
            .sum::<f64>()
            / values.len() as f64)
            .sqrt()
    };
    assert!((deviation("h.0.mlp.c_fc.weight") / 0.02 - 1.0).abs() < 0.03);
    assert!((deviation("h.0.mlp.c_proj.weight") / (0.02 / 4.0) - 1.0).abs() < 0.03);
    assert!(
        weights.arrays["h.3.ln_2.weight"]
            .values
            .iter()
            .all(|&gain| gain == 1.0)
    );
}

#[test]
fn a_student_takes_the_chosen_blocks_of_its_teacher_and_its_head() {
    for tied in [true, false] {
        let config = Config {
            tied,
            ..Config::new(4, 8, 2, 11, 5)
        };
        let teacher = Gpt2::random(&crate::ops::Cpu::default(), &config, Seed::Run(1));
        let weights = teacher.to_weights();
        let student = Weights::from_teacher(&teacher, &[1, 3, 3]);
        assert_eq!(
            student.arrays["h.0.attn.c_attn.weight"],
            weights.arrays["h.1.attn.c_attn.weight"]
        );
        assert_eq!(
            student.arrays["h.1.mlp.c_proj.bias"],
            weights.arrays["h.3.mlp.c_proj.bias"]
        );
        assert_eq!(
            student.arrays["h.2.ln_1.weight"],
            weights.arrays["h.3.ln_1.weight"]
        );
        assert_eq!(student.arrays["wte.weight"], weights.arrays["wte.weight"]);
        assert_eq!(
            student.arrays.get("lm_head.weight"),
            weights.arrays.get("lm_head.weight")
        );
        student
            .check(&Config {
                layers: 3,
                ..config
            })
            .unwrap();
    }
}

#[test]
fn a_teacher_and_a_student_of_one_seed_share_no_random_array() {
    let config = Config::new(3, 64, 4, 100, 32);
    let student = Weights::random(&config, Seed::Run(0));
    let teacher = Weights::random(&config, Seed::Teacher(0));
    let mut random = 0;
    for (name, array) in &student.arrays {
        let other = &teacher.arrays[name];
        let is_constant = array.values.iter().all(|x| x == &array.values[0]);
        assert_eq!(array.values == other.values, is_constant, "{name}");
        if is_constant {
            continue;
        }
        random += 1;
        // The correlation of n independent pairs has the standard deviation 1/√n.
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter()
                .zip(b)
                .map(|(x, y)| f64::from(*x) * f64::from(*y))
                .sum()
        };
        let (a, b) = (&array.values[..], &other.values[..]);
        let correlation = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
        let bound = 5.0 / (a.len() as f64).sqrt();
        assert!(correlation.abs() < bound, "{name}: {correlation}");
    }
    // wte, wpe, and c_attn, c_proj, c_fc, c_proj of each block.
    assert_eq!(random, 2 + 4 * 3);
}
