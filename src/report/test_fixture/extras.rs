//! What an evaluation may have beside its numbers: speeds, samples, a t-SNE.

use crate::record::evaluation::{Speed, TextSample};
use crate::table::{Column, Table};

pub fn student_speed() -> Speed {
    Speed {
        prefill_tokens_per_second: 5000.0,
        decode_tokens_per_second: 123.4,
        context: 256,
        threads: 2,
    }
}

pub fn teacher_speed() -> Speed {
    Speed {
        prefill_tokens_per_second: 2000.0,
        decode_tokens_per_second: 40.0,
        context: 256,
        threads: 2,
    }
}

pub fn timings() -> Table {
    Table::new()
        .with("step", Column::U64(vec![0, 1]))
        .with("seconds", Column::F64(vec![30.0, 31.5]))
}

pub fn samples(arm: &str) -> [TextSample; 2] {
    [1, 2].map(|number| TextSample {
        prompt: format!("Once upon a time, prompt {number}"),
        reference: "there was a fox | who *slept*.".to_owned(),
        teacher: Some("there was a fox.".to_owned()),
        student: format!("there was a {arm} fox.\nIt slept."),
    })
}

/// Two spirals, the student's beside the teacher's.
pub fn embedding(arm: &str, with_texts: bool) -> Table {
    let shift = if arm == "wasserstein" { 1.0 } else { 6.0 };
    let points: Vec<(&str, u32, f64, f64)> = (0..160)
        .flat_map(|token| {
            let (angle, radius) = (f64::from(token) * 2.4, 3.0 * f64::from(token).sqrt());
            let (x, y) = (radius * angle.cos(), radius * angle.sin());
            let (student_x, student_y) = (x + shift + angle.sin(), y + (3.0 * angle).cos());
            [
                ("teacher", token, x, y),
                ("student", token, student_x, student_y),
            ]
        })
        .collect();
    let models = points.iter().map(|point| point.0.to_owned()).collect();
    let tokens = points.iter().map(|point| point.1).collect();
    let xs = points.iter().map(|point| point.2).collect();
    let ys = points.iter().map(|point| point.3).collect();
    let texts = points.iter().map(|point| text(point.1)).collect();
    let table = Table::new()
        .with("model", Column::Text(models))
        .with("token", Column::U32(tokens));
    let table = if with_texts {
        table.with("text", Column::Text(texts))
    } else {
        table
    };
    table
        .with("layer", Column::U32(vec![4; points.len()]))
        .with("x", Column::F64(xs))
        .with("y", Column::F64(ys))
}

/// Words, and after every fourth a comma.
fn text(token: u32) -> String {
    if token % 5 == 4 {
        ",".to_owned()
    } else {
        format!(" w{token}")
    }
}
