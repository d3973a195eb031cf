//! Tests of event files: frames and checksums against known ones, steps and values against what was
//! written.

use super::read::{ReadEvent, events};
use super::wire::{Message, framed, masked_checksum};
use super::*;

fn row(step: u64, values: &[(&str, f64)]) -> EventRow {
    EventRow {
        step,
        seconds: Some(0.25),
        values: values
            .iter()
            .map(|&(name, value)| (name.to_owned(), value))
            .collect(),
    }
}

fn summary() -> RunSummary {
    RunSummary {
        text: "a run".to_owned(),
        settings: BTreeMap::from([
            ("arm".to_owned(), "kl".to_owned()),
            ("seed".to_owned(), "0".to_owned()),
        ]),
    }
}

fn steps(folder: &Path) -> Vec<u64> {
    let steps = events(folder).into_iter().filter_map(|event| match event {
        ReadEvent::Step(step, _) => Some(step),
        _ => None,
    });
    steps.collect()
}

#[test]
fn checksums_are_those_of_rfc_3720_with_the_mask_of_tensorflow() {
    // The examples of RFC 3720, B.4, and the check value of the catalogue of such sums.
    let unmasked = |bytes: &[u8]| {
        masked_checksum(bytes)
            .wrapping_sub(0xa282_ead8)
            .rotate_left(15)
    };
    assert_eq!(unmasked(b"123456789"), 0xe306_9283);
    assert_eq!(unmasked(&[0; 32]), 0x8a91_36aa);
    assert_eq!(unmasked(&[0xff; 32]), 0x62a8_ab43);
    let up: Vec<u8> = (0..32).collect();
    assert_eq!(unmasked(&up), 0x46dd_794e);
}

#[test]
fn a_record_is_the_bytes_that_tensorboard_writes() {
    // From tensorboard 2.21: RecordWriter(file).write(Event(wall_time=1.5, step=300,
    // file_version="brain.Event:2").SerializeToString()).
    let message = wire::event(1.5, 300).text(3, "brain.Event:2");
    let hex: String = framed(&message)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, EVENT_OF_TENSORBOARD);
}

const EVENT_OF_TENSORBOARD: &str =
    "1b000000000000001a0d9e1309000000000000f83f10ac021a0d627261696e2e4576656e743a320a8dc5e4";

#[test]
fn numbers_are_cut_into_seven_bits() {
    let bytes = |value| framed(&Message::new().number(1, value))[12..].to_vec();
    assert_eq!(bytes(1)[..2], [8, 1]);
    assert_eq!(bytes(300)[..3], [8, 0xac, 2]);
    assert_eq!(bytes(u64::MAX).len(), 1 + 10 + 4);
}

#[test]
fn a_file_holds_its_version_a_start_the_run_and_every_step() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("arm=kl seed=0");
    let rows = [
        row(0, &[("term.kl", 2.5), ("lr", 1e-4)]),
        row(1, &[("validation.nll", f64::NAN)]),
    ];
    assert!(!has_events(&run, &summary(), &rows));
    let mut file = EventFile::begin(&run, &summary(), &rows[..1]).unwrap();
    assert_eq!(steps(&run), [0]);
    // A part of a run is not all of it, and another run of the same name is none of it.
    assert!(!has_events(&run, &summary(), &rows));
    file.add(&rows[1]).unwrap();
    assert!(has_events(&run, &summary(), &rows));
    let other = RunSummary {
        text: summary().text.replace('a', "b"),
        ..summary()
    };
    assert!(!has_events(&run, &other, &rows));
    let found = events(&run);
    assert_eq!(found[0], ReadEvent::Version("brain.Event:2".to_owned()));
    assert_eq!(found[1], ReadEvent::Start);
    assert_eq!(
        found[2],
        ReadEvent::About(vec![
            "spec/text_summary".to_owned(),
            "_hparams_/session_start_info".to_owned()
        ])
    );
    let values = |pairs: &[(&str, f32)]| -> BTreeMap<String, f32> {
        pairs.iter().map(|&(tag, n)| (tag.to_owned(), n)).collect()
    };
    assert_eq!(
        found[3],
        ReadEvent::Step(
            0,
            values(&[("term/kl", 2.5), ("lr", 1e-4), ("seconds", 0.25)])
        )
    );
    let ReadEvent::Step(1, last) = &found[4] else {
        panic!("{found:?}")
    };
    assert!(last["validation/nll"].is_nan());
    assert_eq!(found.len(), 5);
}

#[test]
fn whoever_goes_on_writes_the_file_anew_and_no_step_is_there_twice() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<EventRow> = (0..6).map(|step| row(step, &[("loss", 1.0)])).collect();
    let mut file = EventFile::begin(folder.path(), &summary(), &[]).unwrap();
    rows[..4].iter().for_each(|row| file.add(row).unwrap());
    let first = files_in(folder.path()).remove(0);
    // Killed; its checkpoint was after two steps.
    let mut again = EventFile::begin(folder.path(), &summary(), &rows[..2]).unwrap();
    let mut both = files_in(folder.path());
    both.sort();
    assert_eq!((both.len(), &both[0]), (2, &first));
    assert_eq!(std::fs::read(&first).unwrap(), b"", "for those who read it");
    let second = both.remove(1);
    assert!(
        second.file_name() > first.file_name(),
        "{second:?} comes later than {first:?}, within a second too"
    );
    // The first one was only stopped, and writes into nothing.
    file.add(&rows[4]).unwrap();
    rows[2..].iter().for_each(|row| again.add(row).unwrap());
    assert_eq!(steps(folder.path()), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_folder_is_named_as_its_run_is_labelled_as_far_as_a_disk_takes_it() {
    assert_eq!(folder_name("arm=kl seed=0", "0a1b"), "arm=kl seed=0");
    assert_eq!(
        folder_name("teacher.path=a/b c seed=0", "0a1b"),
        "teacher.path=a_b c seed=0 0a1b"
    );
    assert_eq!(folder_name("../x", "0a1b"), "_x 0a1b");
    assert_eq!(folder_name("", "0a1b"), "0a1b");
    let long = folder_name(&"ä".repeat(200), "0a1b");
    assert!(long.len() < 200 && long.ends_with(" 0a1b"), "{long}");
}
