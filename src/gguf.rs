//! GGUF, the file format of llama.cpp, version 3: keys with values, then named tensors.
//!
//! ```text
//! 0   magic "GGUF"      4   version, u32     8   tensors, u64     16  keys, u64
//! 24  the keys: name, type (u32), value; the tensors: name, dimensions (u32), their lengths (u64
//!     each, the fastest first), type (u32), offset of the data (u64)
//! …   zeros up to a multiple of 32; the tensors' data, each from a multiple of 32 on
//! ```
//!
//! All numbers are little-endian; a text is its length (u64) and its bytes. Tensors are f32 here.

use std::io::{self, Write};

/// The version that is written.
const VERSION: u32 = 3;
/// Data begins at multiples of it, where no key says otherwise.
const ALIGNMENT: u64 = 32;
/// The type of a tensor of f32.
const F32: u32 = 0;

/// A value of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyValue {
    U32(u32),
    I32s(Vec<i32>),
    F32(f32),
    Bool(bool),
    Text(String),
    Texts(Vec<String>),
}

/// A tensor of f32: its name, and its lengths from the slowest to the fastest, as row-major arrays
/// have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    pub name: String,
    pub shape: Vec<usize>,
}

impl TensorInfo {
    fn bytes(&self) -> u64 {
        4 * self
            .shape
            .iter()
            .map(|&length| length as u64)
            .product::<u64>()
    }
}

/// Writes a file from front to back. The values of each tensor are asked for when its turn comes.
///
/// # Errors
/// What writing gives.
///
/// # Panics
/// Values that are not as many as the tensor's shape says.
pub fn write(
    out: &mut dyn Write,
    keys: &[(String, KeyValue)],
    tensors: &[TensorInfo],
    values: &mut dyn FnMut(usize) -> Vec<f32>,
) -> io::Result<()> {
    let mut head = Vec::new();
    head.extend_from_slice(b"GGUF");
    head.extend_from_slice(&VERSION.to_le_bytes());
    head.extend_from_slice(&(tensors.len() as u64).to_le_bytes());
    head.extend_from_slice(&(keys.len() as u64).to_le_bytes());
    for (key, value) in keys {
        add_text(&mut head, key);
        add_value(&mut head, value);
    }
    let mut offset = 0;
    for tensor in tensors {
        add_text(&mut head, &tensor.name);
        head.extend_from_slice(&(tensor.shape.len() as u32).to_le_bytes());
        for &length in tensor.shape.iter().rev() {
            head.extend_from_slice(&(length as u64).to_le_bytes());
        }
        head.extend_from_slice(&F32.to_le_bytes());
        head.extend_from_slice(&u64::to_le_bytes(offset));
        offset += tensor.bytes().next_multiple_of(ALIGNMENT);
    }
    out.write_all(&head)?;
    pad(out, head.len() as u64)?;
    for (index, tensor) in tensors.iter().enumerate() {
        let values = values(index);
        assert_eq!(
            4 * values.len() as u64,
            tensor.bytes(),
            "values of {}",
            tensor.name
        );
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        out.write_all(&bytes)?;
        pad(out, bytes.len() as u64)?;
    }
    Ok(())
}

fn pad(out: &mut dyn Write, length: u64) -> io::Result<()> {
    let zeros = length.next_multiple_of(ALIGNMENT) - length;
    out.write_all(&vec![0; zeros as usize])
}

fn add_text(head: &mut Vec<u8>, text: &str) {
    head.extend_from_slice(&(text.len() as u64).to_le_bytes());
    head.extend_from_slice(text.as_bytes());
}

/// The number of a value's type.
fn kind(value: &KeyValue) -> u32 {
    match value {
        KeyValue::U32(_) => 4,
        KeyValue::F32(_) => 6,
        KeyValue::Bool(_) => 7,
        KeyValue::Text(_) => 8,
        KeyValue::I32s(_) | KeyValue::Texts(_) => 9,
    }
}

fn add_value(head: &mut Vec<u8>, value: &KeyValue) {
    head.extend_from_slice(&kind(value).to_le_bytes());
    let mut list = |kind: u32, length: usize| {
        head.extend_from_slice(&kind.to_le_bytes());
        head.extend_from_slice(&(length as u64).to_le_bytes());
    };
    match value {
        KeyValue::U32(number) => head.extend_from_slice(&number.to_le_bytes()),
        KeyValue::F32(number) => head.extend_from_slice(&number.to_le_bytes()),
        KeyValue::Bool(truth) => head.push((*truth).into()),
        KeyValue::Text(text) => add_text(head, text),
        KeyValue::I32s(numbers) => {
            list(5, numbers.len());
            let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
            head.extend(bytes);
        }
        KeyValue::Texts(texts) => {
            list(8, texts.len());
            texts.iter().for_each(|text| add_text(head, text));
        }
    }
}

#[cfg(test)]
#[path = "gguf_tests.rs"]
mod tests;
