//! The footer of a parquet file, walked before the decoder reads it. The decoder takes memory for
//! as many parts as a list claims and goes as deep as the schema does, and neither the want of
//! memory nor the end of the stack can be caught.
//!
//! The decoder reads a known field by its number, whatever type the file gives it, and skips an
//! unknown one by its type. A known field of another type is therefore refused: both would go on at
//! different places.

use anyhow::{Result, bail, ensure};

use super::thrift::{BINARY, BYTE, FALSE, I16, I32, I64, LIST, STRUCT, TRUE, ThriftReader};

/// Footers of files with thousands of groups have a few megabytes.
pub(super) const LONGEST: u64 = 1 << 26;
/// How deep a schema may be.
const DEPTH: usize = 64;

/// What a field holds.
enum Form {
    Number,
    /// The number of an element's children in the schema.
    Children,
    Truth,
    Byte,
    Text,
    Struct(Fields),
    Numbers,
    Texts,
    /// Structs, and the fewest bytes that one of them takes.
    Structs(Fields, u64),
    /// The elements of the schema, each followed by its children.
    Schema,
    /// One of the fields of [`LOGICAL_TYPE`], or one that came later.
    LogicalType,
}

/// Fields by their numbers in parquet.thrift; what is not listed there is skipped by the decoder,
/// too.
type Fields = &'static [(u64, Form)];

const FILE: Fields = &[
    (1, Form::Number),
    (2, Form::Schema),
    (3, Form::Number),
    (4, Form::Structs(GROUP, 7)),
    (5, Form::Structs(KEY_VALUE, 3)),
    (6, Form::Text),
    (7, Form::Structs(COLUMN_ORDER, 3)),
];
const ELEMENT: Fields = &[
    (1, Form::Number),
    (2, Form::Number),
    (3, Form::Number),
    (4, Form::Text),
    (5, Form::Children),
    (6, Form::Number),
    (7, Form::Number),
    (8, Form::Number),
    (9, Form::Number),
    (10, Form::LogicalType),
];
/// Name, repetition, and a type or children.
const LEAST_ELEMENT: u64 = 7;
const LOGICAL_TYPE: Fields = &[
    (1, Form::Struct(EMPTY)),
    (2, Form::Struct(EMPTY)),
    (3, Form::Struct(EMPTY)),
    (4, Form::Struct(EMPTY)),
    (5, Form::Struct(DECIMAL)),
    (6, Form::Struct(EMPTY)),
    (7, Form::Struct(TIME)),
    (8, Form::Struct(TIME)),
    (10, Form::Struct(INTEGER)),
    (11, Form::Struct(EMPTY)),
    (12, Form::Struct(EMPTY)),
    (13, Form::Struct(EMPTY)),
    (14, Form::Struct(EMPTY)),
    (15, Form::Struct(EMPTY)),
];
const EMPTY: Fields = &[];
const DECIMAL: Fields = &[(1, Form::Number), (2, Form::Number)];
const TIME: Fields = &[(1, Form::Truth), (2, Form::Struct(TIME_UNIT))];
const TIME_UNIT: Fields = &[
    (1, Form::Struct(EMPTY)),
    (2, Form::Struct(EMPTY)),
    (3, Form::Struct(EMPTY)),
];
const INTEGER: Fields = &[(1, Form::Byte), (2, Form::Truth)];
const GROUP: Fields = &[
    (1, Form::Structs(CHUNK, 13)),
    (2, Form::Number),
    (3, Form::Number),
    (4, Form::Structs(SORTING, 5)),
    (5, Form::Number),
    (6, Form::Number),
    (7, Form::Number),
];
const SORTING: Fields = &[(1, Form::Number), (2, Form::Truth), (3, Form::Truth)];
const CHUNK: Fields = &[
    (1, Form::Text),
    (2, Form::Number),
    (3, Form::Struct(COLUMN)),
    (4, Form::Number),
    (5, Form::Number),
    (6, Form::Number),
    (7, Form::Number),
];
const COLUMN: Fields = &[
    (1, Form::Number),
    (2, Form::Numbers),
    (3, Form::Texts),
    (4, Form::Number),
    (5, Form::Number),
    (6, Form::Number),
    (7, Form::Number),
    (9, Form::Number),
    (10, Form::Number),
    (11, Form::Number),
    (12, Form::Struct(STATISTICS)),
    (14, Form::Number),
    (15, Form::Number),
];
const STATISTICS: Fields = &[
    (1, Form::Text),
    (2, Form::Text),
    (3, Form::Number),
    (4, Form::Number),
    (5, Form::Text),
    (6, Form::Text),
    (7, Form::Truth),
    (8, Form::Truth),
];
const KEY_VALUE: Fields = &[(1, Form::Text), (2, Form::Text)];
const COLUMN_ORDER: Fields = &[(1, Form::Struct(EMPTY)), (2, Form::Struct(EMPTY))];

/// Walks a footer (`FileMetaData` of parquet.thrift) to its end, and gives the places of logical
/// types that the decoder does not know (VARIANT, GEOMETRY, GEOGRAPHY and what will come): it
/// refuses the whole file for one of them, whatever column has it.
pub(super) fn check(bytes: &[u8]) -> Result<Vec<usize>> {
    let reader = ThriftReader {
        bytes,
        at: 0,
        what: "its footer",
    };
    let mut walk = FooterWalk {
        reader,
        children: Vec::new(),
        place: 0,
        unknown_types: Vec::new(),
    };
    walk.fields(FILE)?;
    Ok(walk.unknown_types)
}

/// Leaves out the logical types at `places`, which [`check`] gave, by giving their fields a number
/// that the decoder skips: columns that nobody asks for are then no hindrance, and have the type
/// that their values are stored in.
pub(super) fn leave_out(bytes: &mut [u8], places: &[usize]) {
    const SKIPPED: u64 = 11;
    for &place in places {
        if bytes[place] >> 4 != 0 {
            // The distance from the field before, which is ten at most.
            bytes[place] += 1 << 4;
            continue;
        }
        // A number by itself, with sign, which keeps its length.
        let mut number = SKIPPED << 1;
        for byte in &mut bytes[place + 1..] {
            let is_last = *byte < 0x80;
            *byte = (number & 0x7f) as u8 | if is_last { 0 } else { 0x80 };
            number >>= 7;
            if is_last {
                break;
            }
        }
    }
}

struct FooterWalk<'a> {
    reader: ThriftReader<'a>,
    /// Of each element of the schema.
    children: Vec<i32>,
    /// Where the field in hand begins.
    place: usize,
    /// Where fields begin with a logical type that is not listed.
    unknown_types: Vec<usize>,
}

impl FooterWalk<'_> {
    fn fields(&mut self, known: Fields) -> Result<()> {
        let mut last = 0;
        loop {
            self.place = self.reader.at;
            let Some((id, kind)) = self.reader.field(&mut last)? else {
                break;
            };
            match known.iter().find(|(number, _)| *number == id) {
                Some((_, form)) => self.value(id, kind, form)?,
                None => self.reader.skip(kind, 0)?,
            }
        }
        Ok(())
    }

    fn value(&mut self, id: u64, kind: u8, form: &Form) -> Result<()> {
        let fits = match form {
            Form::Number | Form::Children => is_number(kind),
            Form::Truth => matches!(kind, TRUE | FALSE),
            Form::Byte => kind == BYTE,
            Form::Text => kind == BINARY,
            Form::Struct(_) | Form::LogicalType => kind == STRUCT,
            Form::Numbers | Form::Texts | Form::Structs(..) | Form::Schema => kind == LIST,
        };
        ensure!(
            fits,
            "its footer has a field {id} of another type than the format says"
        );
        match form {
            Form::Number | Form::Truth | Form::Byte | Form::Text => self.reader.skip(kind, 0)?,
            Form::Children => {
                let raw = self.reader.number()?;
                // As the decoder does, which takes what is left of a number that is too large.
                let number = (raw >> 1) as i32 ^ -((raw & 1) as i32);
                if let Some(last) = self.children.last_mut() {
                    *last = number;
                }
            }
            Form::Struct(fields) => self.fields(fields)?,
            Form::LogicalType => self.logical_type()?,
            Form::Numbers => {
                for _ in 0..self.count(1, is_number)? {
                    self.reader.number()?;
                }
            }
            Form::Texts => {
                for _ in 0..self.count(1, |kind| kind == BINARY)? {
                    self.reader.skip(BINARY, 0)?;
                }
            }
            Form::Structs(fields, least) => {
                for _ in 0..self.count(*least, |kind| kind == STRUCT)? {
                    self.fields(fields)?;
                }
            }
            Form::Schema => {
                self.children.clear();
                for _ in 0..self.count(LEAST_ELEMENT, |kind| kind == STRUCT)? {
                    self.children.push(0);
                    self.fields(ELEMENT)?;
                }
                check_depth(&self.children)?;
            }
        }
        Ok(())
    }

    fn logical_type(&mut self) -> Result<()> {
        let (place, mut last, mut is_known) = (self.place, 0, false);
        while let Some((id, kind)) = self.reader.field(&mut last)? {
            match LOGICAL_TYPE.iter().find(|(number, _)| *number == id) {
                Some((_, form)) => {
                    is_known = true;
                    self.value(id, kind, form)?;
                }
                None => self.reader.skip(kind, 0)?,
            }
        }
        self.unknown_types.extend((!is_known).then_some(place));
        Ok(())
    }

    /// The number of a list's elements, which the rest of the footer has room for.
    fn count(&mut self, least: u64, fits: impl Fn(u8) -> bool) -> Result<u64> {
        let (count, kind) = self.reader.list()?;
        let left = (self.reader.bytes.len() - self.reader.at) as u64;
        // A root has no repetition.
        ensure!(
            count <= left / least + 1,
            "its footer claims {count} parts in {left} bytes"
        );
        ensure!(
            count == 0 || fits(kind),
            "its footer has a list of another type than the format says"
        );
        Ok(count)
    }
}

fn is_number(kind: u8) -> bool {
    matches!(kind, I16 | I32 | I64)
}

/// Refuses a schema that is too deep, from the numbers of children in order.
fn check_depth(children: &[i32]) -> Result<()> {
    let mut open: Vec<i32> = Vec::new();
    for &count in children {
        while open.last() == Some(&0) {
            open.pop();
        }
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        if count > 0 {
            open.push(count);
        }
        if open.len() > DEPTH {
            bail!("its schema is nested too deeply");
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "footer_tests.rs"]
mod tests;
