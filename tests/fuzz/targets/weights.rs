//! A model folder of any bytes is a model that can be run, or an error. The first four bytes give the length of config.json, the rest is model.safetensors.
#![no_main]

mod folder;

use kdpipe::model::{Checkpoint, Gpt2};
use kdpipe::ops::native;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return };
    let length = (u32::from_le_bytes(*length) as usize).min(rest.len());
    let config = folder::put("model/config.json", &rest[..length]);
    folder::put("model/model.safetensors", &rest[length..]);
    if let Ok(checkpoint) = Checkpoint::open(config.parent().expect("its folder")) {
        let _ = Gpt2::from_checkpoint(&native(), &checkpoint);
    }
});
