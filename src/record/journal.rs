//! Rows of values as they come, in a file whose torn end is recognised: the source of
//! `metrics.parquet` and `timings.parquet`.
//!
//! After a line that names the format, a record is: its length (u32), the step (u64), the number of
//! values (u32), per value the length of its name (u16), the name and the bits of the number (u64),
//! and the first eight bytes of the sha256 of step and values. All little endian. The first record
//! that is not whole ends the journal.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::evaluation::MetricValues;
use super::metrics::MetricsRow;
use crate::digest;
use crate::files::{self, Append};

const HEAD: &[u8] = b"kdpipe journal 1\n";
const SUM: usize = 8;
/// A record longer than this is damage.
const LONGEST: usize = 1 << 20;
/// A journal longer than this is damage: some ten million steps.
const LIMIT: u64 = 8 << 30;

/// An append-only list of rows. What was appended is durable after [`Journal::sync`].
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Append,
    /// Step and end of every record.
    records: Vec<(u64, u64)>,
    /// Bytes of a torn end that were dropped when it was opened.
    pub dropped: u64,
}

impl Journal {
    /// Opens a journal, made where it is missing, and drops a torn end.
    ///
    /// The file is written anew, so that a process which still has the old one open (it was
    /// stopped, and its run taken over) writes into nothing, and so that every byte is durable.
    ///
    /// # Errors
    /// Anything the disk refuses, and a file that is no journal of this version.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = if path.exists() {
            files::read_limited(path, LIMIT)?
        } else {
            Vec::new()
        };
        if !bytes.starts_with(HEAD) && !HEAD.starts_with(&bytes) {
            bail!(
                "{} is not a journal of this version; remove it to start over",
                path.display()
            );
        }
        let mut end = HEAD.len();
        let records: Vec<(u64, u64)> = whole_records(&bytes)
            .map(|(step, _, length)| {
                end += length;
                (step, end as u64)
            })
            .collect();
        let kept = bytes.get(..end).unwrap_or(HEAD);
        files::write_atomically(path, kept)?;
        let file = Append::open(path, kept.len() as u64)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            records,
            dropped: bytes.len().saturating_sub(kept.len()) as u64,
        })
    }

    /// Appends a row. Steps never go back; a step may have several rows.
    ///
    /// # Errors
    /// Anything the disk refuses, and a step before the last one.
    pub fn append(&mut self, step: u64, values: &MetricValues) -> Result<()> {
        if let Some(last) = self.last_step()
            && step < last
        {
            bail!(
                "{} has step {last} already where step {step} was to be added",
                self.path.display()
            );
        }
        self.file.append(&encode(step, values)?)?;
        self.records.push((step, self.file.length()));
        Ok(())
    }

    /// Makes what was appended durable.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn sync(&mut self) -> Result<()> {
        self.file.sync()
    }

    /// Drops everything after the first `length` bytes, which must be the end of a record.
    pub(super) fn truncate_to(&mut self, length: u64) -> Result<()> {
        let kept = self.records.partition_point(|&(_, end)| end <= length);
        if self.end(kept) != length {
            bail!(
                "{} has no row that ends at byte {length}",
                self.path.display()
            );
        }
        self.keep(kept)
    }

    /// Drops all rows.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn clear(&mut self) -> Result<()> {
        self.keep(0)
    }

    fn keep(&mut self, kept: usize) -> Result<()> {
        self.file.truncate(self.end(kept))?;
        self.records.truncate(kept);
        Ok(())
    }

    fn end(&self, records: usize) -> u64 {
        records
            .checked_sub(1)
            .map_or(HEAD.len() as u64, |last| self.records[last].1)
    }

    pub fn last_step(&self) -> Option<u64> {
        self.records.last().map(|&(step, _)| step)
    }

    /// The sha256 of its first `length` bytes, by which a checkpoint knows them again; none where
    /// it is shorter.
    pub(super) fn fingerprint(&self, length: u64) -> Result<Option<String>> {
        let bytes = files::read_limited(&self.path, LIMIT)?;
        Ok(bytes.get(..length as usize).map(digest::sha256))
    }

    pub(super) fn length(&self) -> u64 {
        self.file.length()
    }

    /// All rows in order.
    ///
    /// # Errors
    /// A file that cannot be read, or was changed by something else.
    pub fn read(&self) -> Result<Vec<MetricsRow>> {
        let bytes = files::read_limited(&self.path, LIMIT)?;
        let mut at = HEAD.len();
        let mut rows = Vec::with_capacity(self.records.len());
        for _ in &self.records {
            let (step, values, length) = bytes.get(at..).and_then(record).with_context(|| {
                format!("{} was damaged while it was in use", self.path.display())
            })?;
            rows.push((step, values));
            at += length;
        }
        Ok(rows)
    }
}

/// The rows of a journal that another process may be writing to: those that are whole by now, none
/// where there is no journal. Nothing is changed.
pub(super) fn rows_so_far(path: &Path) -> Vec<MetricsRow> {
    let Ok(bytes) = files::read_limited(path, LIMIT) else {
        return Vec::new();
    };
    if !bytes.starts_with(HEAD) {
        return Vec::new();
    }
    whole_records(&bytes)
        .map(|(step, values, _)| (step, values))
        .collect()
}

/// Step, values and length of the records after the head, up to the first that is not whole, or
/// goes back.
fn whole_records(bytes: &[u8]) -> impl Iterator<Item = (u64, MetricValues, usize)> {
    let mut at = HEAD.len();
    let mut last = 0;
    std::iter::from_fn(move || {
        let found = bytes.get(at..).and_then(record)?;
        if found.0 < last {
            return None;
        }
        at += found.2;
        last = found.0;
        Some(found)
    })
}

fn encode(step: u64, values: &MetricValues) -> Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    bytes.extend(step.to_le_bytes());
    bytes.extend((values.len() as u32).to_le_bytes());
    for (name, value) in values {
        bytes.extend(
            u16::try_from(name.len())
                .context("the name of a value is too long")?
                .to_le_bytes(),
        );
        bytes.extend(name.as_bytes());
        bytes.extend(value.to_bits().to_le_bytes());
    }
    let length = bytes.len() - 4;
    if length > LONGEST {
        bail!("the row of step {step} is too long for the journal");
    }
    bytes[..4].copy_from_slice(&(length as u32).to_le_bytes());
    let sum = Sha256::digest(&bytes[4..]);
    bytes.extend(&sum[..SUM]);
    Ok(bytes)
}

/// The record at the start of `bytes` and its length; nothing where it is not whole.
fn record(bytes: &[u8]) -> Option<(u64, MetricValues, usize)> {
    let length = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
    if length > LONGEST {
        return None;
    }
    let content = bytes.get(4..4 + length)?;
    if bytes.get(4 + length..4 + length + SUM)? != &Sha256::digest(content)[..SUM] {
        return None;
    }
    let mut rest = content;
    let mut take = |count: usize| {
        let (taken, left) = rest.split_at_checked(count)?;
        rest = left;
        Some(taken)
    };
    let step = u64::from_le_bytes(take(8)?.try_into().ok()?);
    let count = u32::from_le_bytes(take(4)?.try_into().ok()?);
    let mut values = MetricValues::new();
    for _ in 0..count {
        let name = u16::from_le_bytes(take(2)?.try_into().ok()?);
        let name = std::str::from_utf8(take(usize::from(name))?)
            .ok()?
            .to_owned();
        values.insert(
            name,
            f64::from_bits(u64::from_le_bytes(take(8)?.try_into().ok()?)),
        );
    }
    Some((step, values, 4 + length + SUM))
}
