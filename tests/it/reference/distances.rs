//! Every loss against values and gradients that others' code computed in float64, and the table of
//! how far off each is. `KDPIPE_TEST_TABLE=FILE cargo test --test it every_loss` writes the table.

use std::fmt::Write;

use kdpipe::ops::{
    AttentionForm, CloudDistance, Cpu, LogitTerm, Losses, Mat, OwnedTape, Scalar, TeacherHead,
    composed, tape,
};

use super::arrays::Reference;
use super::{TOLERANCE, gradients};

/// Transport ends where its potentials stand to the digits of f32 exponents, so its tolerance is
/// that of the potentials.
const TOLERANCE_OF_TRANSPORT: f64 = 2e-4;

type Taped = (Scalar<Cpu, OwnedTape<f32, Cpu>>, f64);

/// A line of the table.
struct Row {
    name: String,
    form: &'static str,
    value: f64,
    gradient: f64,
    tolerance: f64,
}

/// The largest difference, relative to the largest entry.
fn apart(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0f32, |top, x| top.max(x.abs()));
    let pairs = found.iter().zip(expected);
    let difference = pairs.fold(0.0f32, |top, (a, b)| top.max((a - b).abs()));
    f64::from(difference) / f64::from(largest)
}

fn row(
    (name, form, tolerance): (&str, &'static str, f64),
    (loss, value): Taped,
    x: &Mat<Cpu>,
    expected: f64,
    gradient: &[f32],
) -> Row {
    Row {
        name: name.to_owned(),
        form,
        value: (value - expected).abs() / expected.abs(),
        gradient: apart(&gradients(loss, &[x])[0], gradient),
        tolerance,
    }
}

/// Losses of predictions, fused and composed; their logits are hidden states of a head that is the
/// identity.
fn of_predictions(reference: &Reference) -> Vec<Row> {
    let (student, teacher) = (reference.matrix("student"), reference.matrix("teacher"));
    let (tokens, vocabulary) = *student.shape();
    let unit = |i: usize| f32::from(i.is_multiple_of(vocabulary + 1));
    let unit = (0..vocabulary * vocabulary).map(unit).collect();
    let head = tape::matrix(&Cpu::default(), vocabulary, vocabulary, unit);
    let targets = vec![0; tokens];
    let skewed = |reverse| LogitTerm::SkewKl {
        temperature: 1.5,
        reverse,
        skew: 0.1,
    };
    let cases = [
        ("logits.kl.skew", skewed(false)),
        ("logits.kl.skew.reverse", skewed(true)),
        ("logits.js", LogitTerm::Js { temperature: 2.0 }),
        ("logits.tv", LogitTerm::Tv { temperature: 2.0 }),
        ("logits.mse", LogitTerm::Mse),
        (
            "logits.wasserstein",
            LogitTerm::Wasserstein { temperature: 2.0 },
        ),
    ];
    let mut rows = Vec::new();
    for (name, term) in cases {
        let terms = [(term, 1.0)];
        let of = || Some(TeacherHead::new(&teacher, (&head).into()));
        let own = || student.leaky_trace();
        let fused = Cpu::logit_losses(own(), (&head).into(), &targets, of(), &terms);
        let plain = composed::losses::logit_losses(own(), (&head).into(), &targets, of(), &terms);
        let expected = reference.number(&["values", name]);
        let gradient = reference.values(&format!("{name}.gradient"));
        for (form, (loss, values)) in [("fused", fused), ("composed", plain)] {
            let found = (loss, values[0]);
            rows.push(row(
                (name, form, TOLERANCE),
                found,
                &student,
                expected,
                gradient,
            ));
        }
    }
    rows
}

/// Losses of clouds.
fn of_clouds(reference: &Reference) -> Vec<Row> {
    let [x, y, other] = ["x", "y", "other"].map(|name| reference.matrix(name));
    let directions = reference.values("directions");
    let transport = CloudDistance::Sinkhorn {
        epsilon: reference.number(&["epsilon"]),
        iterations: 10_000,
    };
    let cases = [
        (
            "hidden.sliced-wasserstein",
            CloudDistance::SlicedWasserstein { directions },
            &y,
        ),
        ("hidden.energy", CloudDistance::Energy, &y),
        ("hidden.mmd", CloudDistance::Mmd, &y),
        ("hidden.gaussian-w2", CloudDistance::GaussianW2, &y),
        ("hidden.sinkhorn", transport, &y),
        ("hidden.cka", CloudDistance::Cka, &y),
        ("hidden.cka.width", CloudDistance::Cka, &other),
    ];
    let rows = cases.into_iter().map(|(name, distance, target)| {
        let found = Cpu::cloud_distance(x.leaky_trace(), None, target, distance);
        let expected = reference.number(&["values", name]);
        let gradient = reference.values(&format!("{name}.gradient"));
        let tolerance = match distance {
            CloudDistance::Sinkhorn { .. } => TOLERANCE_OF_TRANSPORT,
            _ => TOLERANCE,
        };
        row((name, "fused", tolerance), found, &x, expected, gradient)
    });
    rows.collect()
}

/// The divergence of attention, fused and composed.
fn of_attention(reference: &Reference) -> Vec<Row> {
    let name = "attention.kl";
    let (own, other) = (
        reference.matrix("attention.student"),
        reference.matrix("attention.teacher"),
    );
    let size = |key| reference.number(&["attention", key]) as usize;
    let form = |x: &Mat<Cpu>| AttentionForm {
        context: size("context"),
        heads: size("heads"),
        scale: (1.0 / ((x.shape().1 / 3 / size("heads")) as f64).sqrt()) as f32,
    };
    let forms = (form(&own), form(&other));
    let expected = reference.number(&["values", name]);
    let gradient = reference.values(&format!("{name}.gradient"));
    let fused = Cpu::attention_kl(own.leaky_trace(), forms.0, &other, forms.1);
    let composed =
        composed::attention_kl::attention_kl(own.leaky_trace(), forms.0, &other, forms.1);
    let both = [("fused", fused), ("composed", composed)].into_iter();
    both.map(|(form, found)| row((name, form, TOLERANCE), found, &own, expected, gradient))
        .collect()
}

/// The losses that `make.py` has, and the lens, which is a divergence whose head stands
/// still. The function is long because each loss is called in its own way.
fn of_the_first_losses() -> Vec<Row> {
    let logits = Reference::read("logits");
    let matrix = |name: &str| logits.matrix(&format!("ordinary.{name}"));
    let (hidden, head) = (matrix("student.hidden"), matrix("student.head"));
    let (other, other_head) = (matrix("teacher.hidden"), matrix("teacher.head"));
    let targets = logits.tokens("ordinary.targets");
    let teacher = TeacherHead::new(&other, (&other_head).into());
    let mut rows = Vec::new();
    let mut add = |name: &str, case: &str, found: Taped| {
        let expected = logits.number(&["ordinary", case, "loss"]);
        let gradient = logits.values(&format!("ordinary.{case}.gradient.hidden"));
        rows.push(row(
            (name, "fused", TOLERANCE),
            found,
            &hidden,
            expected,
            gradient,
        ));
    };
    let kl = |reverse| LogitTerm::Kl {
        temperature: 2.5,
        reverse,
    };
    for (name, case, term) in [
        ("lm", "lm", LogitTerm::Lm),
        ("logits.kl", "kl.forward", kl(false)),
        ("logits.kl.reverse", "kl.reverse", kl(true)),
    ] {
        let terms = [(term, 1.0)];
        let (loss, values) = Cpu::logit_losses(
            hidden.leaky_trace(),
            (&head).into(),
            targets,
            Some(teacher),
            &terms,
        );
        add(name, case, (loss, values[0]));
    }
    let lens = Cpu::lens(hidden.leaky_trace(), (&head).into(), teacher, 2.5);
    add("logits.lens", "kl.forward", lens);
    let states = Reference::read("hidden");
    let (x, target) = (states.matrix("x"), states.matrix("target"));
    for (name, case, found) in [
        (
            "hidden.mse",
            "raw.mse",
            Cpu::hidden_mse(x.leaky_trace(), &target, false),
        ),
        (
            "hidden.mse.normalize",
            "raw.mse.normalize",
            Cpu::hidden_mse(x.leaky_trace(), &target, true),
        ),
        (
            "hidden.cosine",
            "raw.cosine",
            Cpu::hidden_cosine(x.leaky_trace(), &target),
        ),
    ] {
        let (expected, gradient) = (
            states.number(&[case]),
            states.values(&format!("{case}.gradient")),
        );
        rows.push(row(
            (name, "fused", TOLERANCE),
            found,
            &x,
            expected,
            gradient,
        ));
    }
    rows
}

#[test]
fn every_loss_is_that_of_others_code_in_value_and_gradient() {
    let reference = Reference::read("losses");
    let mut rows = of_the_first_losses();
    rows.extend(of_predictions(&reference));
    rows.extend(of_clouds(&reference));
    rows.extend(of_attention(&reference));
    let mut table = "| loss | form | value | gradient |\n| --- | --- | --- | --- |\n".to_owned();
    for row in &rows {
        let Row {
            name,
            form,
            value,
            gradient,
            ..
        } = row;
        writeln!(
            table,
            "| `{name}` | {form} | {value:.0e} | {gradient:.0e} |"
        )
        .unwrap();
    }
    if let Some(path) = std::env::var_os("KDPIPE_TEST_TABLE") {
        std::fs::write(path, &table).unwrap();
    }
    let is_off = |row: &&Row| !(row.value <= row.tolerance && row.gradient <= row.tolerance);
    let off: Vec<&str> = rows
        .iter()
        .filter(is_off)
        .map(|row| row.name.as_str())
        .collect();
    assert!(off.is_empty(), "{off:?} are off\n{table}");
}
