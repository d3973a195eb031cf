//! Event files read back, by the same few rules.

use std::collections::BTreeMap;
use std::path::Path;

use super::wire::masked_checksum;

/// A record of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum ReadEvent {
    Version(String),
    Start,
    /// Tags of what is no scalar.
    About(Vec<String>),
    Step(u64, BTreeMap<String, f32>),
}

/// All events of the one file in a folder, both checksums of each record looked at.
pub fn events(folder: &Path) -> Vec<ReadEvent> {
    let mut found = super::files_in(folder);
    found.retain(|path| path.metadata().unwrap().len() > 0);
    assert_eq!(found.len(), 1, "one file a run: {found:?}");
    let bytes = std::fs::read(&found[0]).unwrap();
    let mut rest = &bytes[..];
    let mut events = Vec::new();
    while !rest.is_empty() {
        let sum = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        assert_eq!(sum(8), masked_checksum(&rest[..8]));
        assert_eq!(sum(12 + length), masked_checksum(&rest[12..12 + length]));
        events.push(event(&rest[12..12 + length]));
        rest = &rest[16 + length..];
    }
    events
}

/// A field: its number with its content, eight bytes at most for a number.
type Field<'a> = (u64, &'a [u8], u64);

fn fields(mut bytes: &[u8]) -> Vec<Field<'_>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let (length, value) = match key & 7 {
            0 => (0, varint(&mut bytes)),
            1 => (8, 0),
            2 => (varint(&mut bytes) as usize, 0),
            5 => (4, 0),
            kind => panic!("a field of kind {kind}"),
        };
        let (content, rest) = bytes.split_at(length);
        bytes = rest;
        found.push((key >> 3, content, value));
    }
    found
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn event(bytes: &[u8]) -> ReadEvent {
    let all = fields(bytes);
    assert_eq!((all[0].0, all[1].0, all.len()), (1, 2, 3), "time and step");
    let wall = f64::from_le_bytes(all[0].1.try_into().unwrap());
    assert!(wall > 1.6e9, "{wall}");
    match all[2] {
        (3, version, _) => ReadEvent::Version(text(version)),
        (7, log, _) => {
            assert_eq!(fields(log), [(1, &[][..], 1)]);
            ReadEvent::Start
        }
        (5, summary, _) => {
            let mut tags = Vec::new();
            let mut values = BTreeMap::new();
            for (_, value, _) in fields(summary) {
                let value = fields(value);
                let tag = text(value[0].1);
                match value[1] {
                    (2, number, _) => {
                        let number = f32::from_le_bytes(number.try_into().unwrap());
                        assert_eq!(values.insert(tag, number), None);
                    }
                    _ => tags.push(tag),
                }
            }
            if tags.is_empty() {
                ReadEvent::Step(all[1].2, values)
            } else {
                ReadEvent::About(tags)
            }
        }
        other => panic!("{other:?}"),
    }
}
