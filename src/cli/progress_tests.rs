//! Tests of `progress.rs`.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use indicatif::TermLike;

use super::*;

/// A window of so many columns, and every line that was written to it.
#[derive(Debug, Clone)]
struct TestWindow {
    columns: u16,
    lines: Arc<Mutex<Vec<String>>>,
}

impl TermLike for TestWindow {
    fn width(&self) -> u16 {
        self.columns
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.write_str(line)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let lines = text.lines().map(without_colors);
        self.lines.lock().unwrap().extend(lines);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

fn without_colors(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |seen, part| {
        seen + part.split_once('m').map_or("", |(_, rest)| rest)
    })
}

/// What a study shows in a window of so many columns.
fn shown_in(columns: u16) -> Vec<String> {
    let window = TestWindow {
        columns,
        lines: Arc::default(),
    };
    let display = Display::on(Screen::on(Box::new(window.clone())));
    let pause = || std::thread::sleep(Duration::from_millis(8));
    let label = "arm=wasserstein match.strategy=uniform student.layers=3 seed=2";
    let values: BTreeMap<String, f64> = [("loss", 4.25), ("term.kl", 1.5), ("term.hidden", 0.125)]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    display.begin_grid(24);
    display.event(&Event::Skipped { runs: 3 });
    display.event(&Event::Stage(&format!(
        "tokenizing {}",
        "the text ".repeat(30)
    )));
    pause();
    display.event(&Event::Download {
        file: "a/very/long/name/of/a/file/in/a/repository/of/the/hub/model.safetensors",
        done: 10,
        total: 1000,
    });
    pause();
    display.event(&Event::Training {
        title: "12 runs of seed 2 together",
        runs: 12,
        is_of_grid: true,
        step: 0,
        steps: 100_000,
    });
    for step in 0..4 {
        display.event(&Event::Step {
            step,
            run: label,
            values: &values,
            tokens: 512,
            seconds: 0.1,
        });
        pause();
    }
    display.event(&Event::Trained);
    display.event(&Event::Failed {
        id: "021daa2c27d7",
        label,
        error: "no",
    });
    for share in [0.0, 0.25, 0.5] {
        display.event(&Event::Evaluation {
            title: &format!("{label}; {label}"),
            share,
        });
        pause();
    }
    display.close();
    let lines = window.lines.lock().unwrap();
    lines.clone()
}

#[test]
fn every_bar_fits_the_window_and_tells_the_run_of_a_loss_and_what_failed() {
    for columns in [60, 80, 120, 200] {
        let lines = shown_in(columns);
        // What stays on the screen may be longer than a line; bars may not.
        let bars = lines.iter().filter(|line| !line.starts_with("failed "));
        for line in bars {
            let width = line.chars().count();
            assert!(width <= columns.into(), "{columns}: {width} {line:?}");
        }
        let has = |text: &str| lines.iter().any(|line| line.contains(text));
        for text in [
            "3/24 runs",
            "/100000 steps",
            "tokens/s",
            "loss 4.250",
            "hidden 0.125",
            "of arm=",
            "1 failed",
            "50 %",
        ] {
            assert!(has(text), "{columns}: no {text} in {lines:#?}");
        }
    }
}
