//! The footer of a parquet file, walked before the decoder reads it. The decoder takes memory for
//! as many parts as a list claims and goes as deep as the schema does, and neither the want of
//! memory nor the end of the stack can be caught.
//!
//! The decoder reads a known field by its number, whatever type the file gives it, and skips an
//! unknown one by its type. A known field of another type is therefore refused: both would go on at
//! different places.

use anyhow::{Result, bail, ensure};

use super::thrift::{BINARY, BYTE, FALSE, I16, I32, I64, LIST, Reader, STRUCT, TRUE};

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
    (10, Form::Struct(LOGICAL_TYPE)),
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

/// Walks a footer (`FileMetaData` of parquet.thrift) to its end.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let reader = Reader {
        bytes,
        at: 0,
        what: "its footer",
    };
    Walk {
        reader,
        children: Vec::new(),
    }
    .fields(FILE)
}

struct Walk<'a> {
    reader: Reader<'a>,
    /// Of each element of the schema.
    children: Vec<i32>,
}

impl Walk<'_> {
    fn fields(&mut self, known: Fields) -> Result<()> {
        let mut last = 0;
        while let Some((id, kind)) = self.reader.field(&mut last)? {
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
            Form::Struct(_) => kind == STRUCT,
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
mod tests {
    use super::*;
    use crate::table::{Column, Table, to_parquet};

    /// The footer of a file.
    fn footer(file: &[u8]) -> &[u8] {
        let end = file.len() - 8;
        let length = u32::from_le_bytes(file[end..end + 4].try_into().unwrap()) as usize;
        &file[end - length..end]
    }

    fn refusal(bytes: &[u8]) -> String {
        check(bytes).unwrap_err().to_string()
    }

    #[test]
    fn footers_of_this_program_pass_and_every_cut_is_refused() {
        let table = Table::new()
            .with("step", Column::U64((0..9).collect()))
            .with(
                "loss",
                Column::Sparse((0..9).map(|i| (i > 3).then_some(0.5)).collect()),
            )
            .with(
                "name",
                Column::Text((0..9).map(|i| format!("n{i}")).collect()),
            );
        let file = to_parquet(&table).unwrap();
        let footer = footer(&file);
        check(footer).unwrap();
        for cut in 0..footer.len() {
            assert!(check(&footer[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_list_longer_than_its_footer_is_refused() {
        // Groups: 4,294,967,295 of them.
        assert_eq!(
            refusal(&[0x49, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00]),
            "its footer claims 4294967295 parts in 1 bytes"
        );
        // As many as there are bytes, but each takes more than one.
        let mut empty = vec![0x49, 0xfc, 0x64];
        empty.extend([0; 101]);
        assert_eq!(refusal(&empty), "its footer claims 100 parts in 101 bytes");
    }

    #[test]
    fn a_field_that_the_decoder_would_read_otherwise_is_refused() {
        // The list of groups as a text, the number of rows as a list, a list of truths in a field
        // that is skipped, a negative number of a field.
        assert_eq!(
            refusal(&[0x48, 0x00, 0x00]),
            "its footer has a field 4 of another type than the format says"
        );
        assert_eq!(
            refusal(&[0x39, 0x05, 0x00]),
            "its footer has a field 3 of another type than the format says"
        );
        assert_eq!(
            refusal(&[0x49, 0x15, 0x00]),
            "its footer has a list of another type than the format says"
        );
        assert_eq!(
            refusal(&[0xa9, 0x21, 0x01, 0x01, 0x00]),
            "its footer has a list of a type that there is not"
        );
        assert_eq!(
            refusal(&[0x09, 0x01, 0x00]),
            "its footer has a field with a number that there is not"
        );
        assert_eq!(
            refusal(&[0x09, 0x80, 0x80, 0x04, 0x00]),
            "its footer has a field with a number that there is not"
        );
    }

    #[test]
    fn a_schema_may_be_as_deep_as_people_write_them() {
        let schema = |depth: usize| {
            let mut bytes = vec![0x29, 0xfc, u8::try_from(depth).unwrap()];
            // Required, without a name, one child.
            (1..depth).for_each(|_| bytes.extend([0x35, 0x00, 0x18, 0x00, 0x15, 0x02, 0x00]));
            // A number of its own.
            bytes.extend([0x15, 0x04, 0x25, 0x00, 0x18, 0x00, 0x00, 0x00]);
            bytes
        };
        check(&schema(60)).unwrap();
        assert_eq!(refusal(&schema(90)), "its schema is nested too deeply");
        // Branches do not add up.
        assert!(
            check_depth(
                &[200]
                    .into_iter()
                    .chain((0..200).flat_map(|_| [1, 0]))
                    .collect::<Vec<i32>>()
            )
            .is_ok()
        );
    }
}
