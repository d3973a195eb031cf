//! `kdpipe generate MODEL --prompt TEXT`: text as it comes.

use super::args::{Common, GenerateArguments};
use super::{CommandResult, Exit, open_model, print, print_json, say};
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
    if length.saturating_add(count) > positions && !common.quiet {
        say(&format!(
            "note: {length} tokens and {count} new ones are more than the model's {positions} \
             positions; whenever they are full, it goes on from the last {} tokens alone",
            (positions / 2).max(1)
        ));
    }
    if common.json {
        let written = model.go_on(prompt, count, sampling, |_| {})?;
        print_json(&written)?;
        return Ok(Exit::Good);
    }
    if !common.quiet {
        print(prompt);
    }
    model.go_on(prompt, count, sampling, print)?;
    print("\n");
    Ok(Exit::Good)
}
