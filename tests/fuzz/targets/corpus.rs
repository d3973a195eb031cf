//! A token cache of any bytes is streams of known tokens, or an error, or not there.
#![no_main]

mod folder;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = folder::put("corpus", bytes);
    if let Ok(Some(prepared)) = kdpipe::data::cache::open(&path, "00000000000000000000000000000000") {
        for split in [&prepared.train, &prepared.validation, &prepared.test] {
            assert!(split.tokens().iter().all(|&token| (token as usize) < prepared.vocabulary));
            for index in 0..split.documents.len() {
                let _ = split.document(index);
            }
        }
    }
});
