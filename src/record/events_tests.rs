//! Tests of `events.rs`.

use std::time::Duration;

use super::*;

#[test]
fn times_are_written_as_dates_of_the_calendar() {
    let at = |seconds| utc(UNIX_EPOCH + Duration::from_secs(seconds));
    assert_eq!(at(0), "1970-01-01T00:00:00Z");
    assert_eq!(at(951_782_399), "2000-02-28T23:59:59Z");
    assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
    assert_eq!(at(1_709_251_199), "2024-02-29T23:59:59Z");
    assert_eq!(at(1_735_689_599), "2024-12-31T23:59:59Z");
    assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00Z");
}

#[test]
fn events_are_lines_of_json_and_a_torn_line_does_not_spoil_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    append_event(&path, "started", &[]).unwrap();
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("{\"time\":\"20");
    std::fs::write(&path, &text).unwrap();
    append_event(&path, "resumed", &[("step", 7.into())]).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    let line: Value = serde_json::from_str(lines[2]).unwrap();
    assert_eq!(
        (line["event"].as_str(), line["step"].as_u64()),
        (Some("resumed"), Some(7))
    );
}
