//! `kdpipe generate MODEL --prompt TEXT`: text as it comes.

use std::io::Write;

use super::args::{Common, GenerateArguments};
use super::{CommandResult, Exit, open_model, print, print_json};
use crate::eval::Sampling;

pub fn generate(arguments: &GenerateArguments, common: &Common) -> CommandResult {
    let model = open_model(&arguments.model, common)?;
    let GenerateArguments {
        ref prompt,
        max_new_tokens: count,
        greedy,
        temperature,
        top_k,
        top_p,
        seed,
        ..
    } = *arguments;
    let sampling = if greedy {
        Sampling::Greedy
    } else {
        Sampling::Random {
            temperature,
            top_k: top_k.filter(|&k| k > 0),
            top_p,
            seed,
        }
    };
    let (length, positions) = (model.length(prompt)?, model.positions());
    if length + count > positions && !common.quiet {
        eprintln!(
            "note: {length} tokens and {count} new ones are more than the model's {positions} \
             positions; whenever they are full, it goes on from the last {} tokens alone",
            (positions / 2).max(1)
        );
    }
    if common.json {
        let written = model.go_on(prompt, count, sampling, |_| {})?;
        print_json(&written)?;
        return Ok(Exit::Good);
    }
    if !common.quiet {
        print(prompt);
    }
    let mut out = std::io::stdout().lock();
    // A reader that went away is no error.
    model.go_on(prompt, count, sampling, |text| {
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    })?;
    let _ = out.write_all(b"\n");
    Ok(Exit::Good)
}
