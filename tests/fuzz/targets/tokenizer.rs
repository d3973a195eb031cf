#![no_main]

#[path = "../checks.rs"]
mod checks;

// libFuzzer's hook ends the process at every panic, at those that are caught, too. One that is not
// caught ends it still.
libfuzzer_sys::fuzz_target!(init: drop(std::panic::take_hook()), |bytes| checks::tokenizer(bytes));
