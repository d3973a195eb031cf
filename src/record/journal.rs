//! The journal of an unfinished run: one record a step, appended as the run goes.
//!
//! A record is its length, a checksum, and its content; a torn one at the end, and whatever follows a broken one, is dropped on opening.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use sha2::{Digest, Sha256};

use super::evaluation::Values;
use crate::files::{Append, write_atomically};

/// Values of steps, ascending.
#[derive(Debug)]
pub struct Journal {
    file: Append,
}

/// A step and its values.
pub type Row = (u64, Values);

/// Bytes before a record's content: length (u32) and the first 8 bytes of the content's sha256.
const HEAD: usize = 12;
/// No record is longer.
const LONGEST: usize = 1 << 20;

impl Journal {
    /// Opens a journal to go on at `step`: rows of that step and later ones, and whatever is torn, are dropped. The file is written anew, so that a process which still holds the old one
    /// open appends to nothing that is read again.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn open(path: &Path, step: u64) -> Result<Self> {
        let mut bytes = Vec::new();
        for (number, values) in read_rows(path)?.into_iter().filter(|(number, _)| *number < step) {
            bytes.extend(encode(number, &values)?);
        }
        write_atomically(path, &bytes)?;
        Ok(Self { file: Append::open(path, bytes.len() as u64)? })
    }

    /// Appends the values of a step.
    ///
    /// # Errors
    /// What the disk says.
    pub fn append(&mut self, step: u64, values: &Values) -> Result<()> {
        self.file.append(&encode(step, values)?)
    }

    /// Makes everything appended so far durable.
    ///
    /// # Errors
    /// What the disk says.
    pub fn sync(&mut self) -> Result<()> {
        self.file.sync()
    }
}

/// Every whole row of a journal; none where there is no file.
///
/// # Errors
/// A file that is there and cannot be read.
pub fn read_rows(path: &Path) -> Result<Vec<Row>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => bail!("cannot read {}: {error}", PathBuf::from(path).display()),
    };
    let mut rows: Vec<Row> = Vec::new();
    let mut rest = bytes.as_slice();
    while let Some((row, after)) = decode(rest) {
        if rows.last().is_some_and(|(step, _)| *step >= row.0) {
            break;
        }
        rows.push(row);
        rest = after;
    }
    Ok(rows)
}

fn encode(step: u64, values: &Values) -> Result<Vec<u8>> {
    let mut content = step.to_le_bytes().to_vec();
    for (name, value) in values {
        let length = u16::try_from(name.len())?;
        content.extend(length.to_le_bytes());
        content.extend(name.as_bytes());
        content.extend(value.to_bits().to_le_bytes());
    }
    if content.len() > LONGEST {
        bail!("a step has {} bytes of values, more than a journal takes", content.len());
    }
    let mut record = (content.len() as u32).to_le_bytes().to_vec();
    record.extend(&Sha256::digest(&content)[..8]);
    record.extend(content);
    Ok(record)
}

/// The first record, and what follows it; nothing if it is not whole.
fn decode(bytes: &[u8]) -> Option<(Row, &[u8])> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let content = bytes.get(HEAD..HEAD.checked_add(length)?)?;
    if bytes[4..HEAD] != Sha256::digest(content)[..8] {
        return None;
    }
    let step = u64::from_le_bytes(content.get(..8)?.try_into().ok()?);
    let mut values = Values::new();
    let mut rest = &content[8..];
    while !rest.is_empty() {
        let length = u16::from_le_bytes(rest.get(..2)?.try_into().ok()?) as usize;
        let name = std::str::from_utf8(rest.get(2..2 + length)?).ok()?;
        let bits = u64::from_le_bytes(rest.get(2 + length..10 + length)?.try_into().ok()?);
        values.insert(name.to_owned(), f64::from_bits(bits));
        rest = &rest[10 + length..];
    }
    Some(((step, values), &bytes[HEAD + length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(step: u64) -> Values {
        Values::from([("loss".to_owned(), 1.0 / (step + 1) as f64), ("lr".to_owned(), f64::NAN.min(step as f64))])
    }

    fn written(path: &Path, steps: u64) {
        let mut journal = Journal::open(path, 0).unwrap();
        (0..steps).for_each(|step| journal.append(step, &values(step)).unwrap());
        journal.sync().unwrap();
    }

    #[test]
    fn a_journal_torn_at_any_byte_keeps_its_whole_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        written(&path, 5);
        let whole = std::fs::read(&path).unwrap();
        let one = whole.len() / 5;
        for length in 0..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let rows = read_rows(&path).unwrap();
            assert_eq!(rows.len(), length / one, "{length} bytes");
            assert!(rows.iter().all(|(step, row)| *row == values(*step)));
        }
    }

    #[test]
    fn a_flipped_bit_ends_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        written(&path, 4);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2 + 3;
        bytes[middle] ^= 4;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(read_rows(&path).unwrap().len(), 2);
    }

    #[test]
    fn going_on_at_a_step_drops_what_came_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        written(&path, 6);
        let mut journal = Journal::open(&path, 3).unwrap();
        journal.append(3, &values(3)).unwrap();
        let steps: Vec<u64> = read_rows(&path).unwrap().into_iter().map(|(step, _)| step).collect();
        assert_eq!(steps, [0, 1, 2, 3]);
    }
}
