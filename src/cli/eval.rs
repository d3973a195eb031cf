//! `kdpipe eval MODEL --text FILE`: perplexity with its protocol.

use super::args::{Common, EvalArguments};
use super::{CommandResult, Exit, open_model, print, print_json};

pub fn eval(arguments: &EvalArguments, common: &Common) -> CommandResult {
    let model = open_model(&arguments.model, common)?;
    let score = model.score(&arguments.text, arguments.context, arguments.stride)?;
    if common.json {
        print_json(&score)?;
        return Ok(Exit::Good);
    }
    let value = |found: Option<f64>, name: &str| match (found, score.absent.get(name)) {
        (Some(found), _) => format!("{found:.4}"),
        (None, Some(why)) => format!("–  ({why})"),
        (None, None) => "–".to_owned(),
    };
    let mut text = format!(
        "perplexity       {}\nword perplexity  {}\nbits per byte    {}\nnats per token   {:.6}\n",
        value(score.perplexity, "perplexity"),
        value(score.word_perplexity, "word_perplexity"),
        value(score.bits_per_byte, "bits_per_byte"),
        score.nll_nats
    );
    if !common.quiet {
        let special = if score.special_tokens > 0 {
            format!("{} of them special, ", score.special_tokens)
        } else {
            String::new()
        };
        text += &format!(
            "\n{} of {} tokens scored ({special}{} words, {} bytes), context {}, stride {}, \
             tokenizer {}\n",
            score.scored_tokens,
            score.tokens,
            score.words,
            score.bytes,
            score.context,
            score.stride,
            score.tokenizer.get(..12).unwrap_or(&score.tokenizer)
        );
    }
    print(&text);
    Ok(Exit::Good)
}
