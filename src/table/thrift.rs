//! Thrift's compact protocol, as far as the headers of parquet need it: page headers to read their
//! sizes, and what [`super::footer`] walks.

use anyhow::{Context, Result, bail};

/// Headers with long statistics are longer than a few bytes, but not longer than this.
pub(super) const LONGEST_HEADER: u64 = 1 << 16;

/// What the header of a page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageHeader {
    pub uncompressed: u64,
    pub compressed: u64,
    /// Of data pages: the number of values, absent ones included.
    pub values: u64,
    pub is_data: bool,
}

/// Reads the page header (`PageHeader` of parquet.thrift) at the start of `bytes`, and its length.
pub(super) fn page(bytes: &[u8]) -> Result<(PageHeader, usize)> {
    let mut reader = ThriftReader {
        bytes,
        at: 0,
        what: "a page header",
    };
    let mut page = PageHeader {
        uncompressed: 0,
        compressed: 0,
        values: 0,
        is_data: false,
    };
    let mut last = 0;
    while let Some((id, kind)) = reader.field(&mut last)? {
        match (id, kind) {
            (2, I32) => page.uncompressed = reader.size()?,
            (3, I32) => page.compressed = reader.size()?,
            // DataPageHeader and DataPageHeaderV2 both begin with the number of values.
            (5 | 8, STRUCT) => {
                page.is_data = true;
                let mut inner = 0;
                while let Some((id, kind)) = reader.field(&mut inner)? {
                    if (id, kind) == (1, I32) {
                        page.values = reader.size()?;
                    } else {
                        reader.skip(kind, 0)?;
                    }
                }
            }
            _ => reader.skip(kind, 0)?,
        }
    }
    Ok((page, reader.at))
}

pub(super) const TRUE: u8 = 1;
pub(super) const FALSE: u8 = 2;
pub(super) const BYTE: u8 = 3;
pub(super) const I16: u8 = 4;
pub(super) const I32: u8 = 5;
pub(super) const I64: u8 = 6;
const DOUBLE: u8 = 7;
pub(super) const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
const SET: u8 = 10;
pub(super) const STRUCT: u8 = 12;

pub(super) struct ThriftReader<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
    /// What it reads, for errors.
    pub what: &'static str,
}

impl ThriftReader<'_> {
    fn byte(&mut self) -> Result<u8> {
        let byte = *self
            .bytes
            .get(self.at)
            .with_context(|| format!("{} is cut short", self.what))?;
        self.at += 1;
        Ok(byte)
    }

    /// Seven bits a byte, the lowest first.
    pub fn number(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        bail!("a number in {} has no end", self.what)
    }

    /// A number with sign (zigzag) that must be a size.
    fn size(&mut self) -> Result<u64> {
        let raw = self.number()?;
        if raw & 1 == 1 || raw >> 1 > i32::MAX as u64 {
            bail!("a size in {} is negative or too large", self.what);
        }
        Ok(raw >> 1)
    }

    /// The next field's number and type; nothing at the end of the struct.
    pub fn field(&mut self, last: &mut u64) -> Result<Option<(u64, u8)>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Ok(None);
        }
        let number = if byte >> 4 == 0 {
            let raw = self.number()?;
            // A number with sign; the format has no negative ones.
            if raw & 1 == 1 { u64::MAX } else { raw >> 1 }
        } else {
            *last + u64::from(byte >> 4)
        };
        if number > i16::MAX as u64 {
            bail!("{} has a field with a number that there is not", self.what);
        }
        *last = number;
        Ok(Some((number, byte & 0x0f)))
    }

    /// How many elements a list has, and of which type.
    pub fn list(&mut self) -> Result<(u64, u8)> {
        let head = self.byte()?;
        Ok((
            if head >> 4 == 15 {
                self.number()?
            } else {
                u64::from(head >> 4)
            },
            head & 0x0f,
        ))
    }

    pub fn skip(&mut self, kind: u8, depth: usize) -> Result<()> {
        if depth > 8 {
            bail!("{} is nested too deeply", self.what);
        }
        match kind {
            TRUE | FALSE => {}
            BYTE => self.at += 1,
            I16 | I32 | I64 => drop(self.number()?),
            DOUBLE => self.at += 8,
            BINARY => {
                let length = self.number()?;
                self.at = usize::try_from(length)
                    .ok()
                    .and_then(|length| self.at.checked_add(length))
                    .with_context(|| format!("a text in {} has no end", self.what))?;
            }
            LIST | SET => {
                let (count, kind) = self.list()?;
                // The format gives a boolean in a list a byte of its own, and the decoder none. No
                // header has such a list.
                if matches!(kind, TRUE | FALSE) && count > 0 {
                    bail!("{} has a list of a type that there is not", self.what);
                }
                for _ in 0..count {
                    self.skip(kind, depth + 1)?;
                    if self.at > self.bytes.len() {
                        bail!("{} is cut short", self.what);
                    }
                }
            }
            STRUCT => {
                let mut last = 0;
                while let Some((_, kind)) = self.field(&mut last)? {
                    self.skip(kind, depth + 1)?;
                }
            }
            _ => bail!("{} has a field of an unknown type", self.what),
        }
        if self.at > self.bytes.len() {
            bail!("{} is cut short", self.what);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "thrift_tests.rs"]
mod tests;
