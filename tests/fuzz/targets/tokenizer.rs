//! A tokenizer.json of any bytes is refused, or gives back every text.
#![no_main]

use kdpipe::data::Tokenizer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(json) = String::from_utf8(bytes.to_vec()) else { return };
    if let Ok(tokenizer) = Tokenizer::from_json(json) {
        let text = "It's 12 o'clock,\n  naïve — <|endoftext|> 日本\u{200d} ok";
        let tokens = tokenizer.encode(text).expect("a plain text");
        assert_eq!(tokenizer.decode(&tokens), text);
    }
});
