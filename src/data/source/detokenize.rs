//! Undoing WikiText's tokenisation, line by line.
//!
//! WikiText puts spaces around punctuation and writes `@-@`, `@,@`, `@.@` for a hyphen, comma or
//! point inside a word or number. A model of plain English (the pretrained GPT-2) reads that as
//! noise. The rules, in this order, on the space-separated words of every line:
//!
//! 1. `@-@`, `@,@`, `@.@` become `-`, `,`, `.` joined to both neighbours: `custom @-@ made` →
//!    `custom-made`.
//! 2. A heading's marks are joined and set off: ` = = Life = = ` → `== Life ==`.
//! 3. `. , ; : ! ? % ) ] }` and `…`, and the endings `'s 't 're 've 'm 'll 'd n't`, join the word
//!    before them; a run of points `. . .` too.
//! 4. `( [ {`, `$`, `£`, `€` and `#` join the word after them.
//! 5. `"` opens and closes in turn within a line: the first joins what follows, the second what
//!    precedes. A lone `'` likewise, but where none is open and it follows a word in s (`the
//!    players ' room`) with no second one on the line, it is a possessive and joins that word.
//! 6. Spaces at the ends of a line go, and inside a line one space is between words.
//!
//! Ends of lines stay as they are. Every line is by itself, so a text may be cut at ends of lines.
//! What was lost in the tokenisation (the sort of quotes, a dash's spaces) stays lost.

/// The text with WikiText's tokenisation undone; see the module for the rules.
pub fn wikitext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        join_line(line, &mut out);
    }
    out
}

const JOIN_LEFT: [&str; 20] = [
    ".", ",", ";", ":", "!", "?", "%", ")", "]", "}", "…", "...", "'s", "'t", "'re", "'ve", "'m",
    "'ll", "'d", "n't",
];
const JOIN_RIGHT: [&str; 7] = ["(", "[", "{", "$", "£", "€", "#"];

fn join_line(line: &str, out: &mut String) {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let marks = heading_marks(&words);
    if marks > 0 {
        let mark = "=".repeat(marks);
        out.push_str(&mark);
        out.push(' ');
        join_words(&words[marks..words.len() - marks], out);
        out.push(' ');
        out.push_str(&mark);
    } else {
        join_words(&words, out);
    }
}

/// The number of `=` on either side of a heading, 0 for another line.
fn heading_marks(words: &[&str]) -> usize {
    let leading = words.iter().take_while(|word| **word == "=").count();
    let trailing = words.iter().rev().take_while(|word| **word == "=").count();
    if leading == trailing && leading * 2 < words.len() {
        leading
    } else {
        0
    }
}

fn join_words(words: &[&str], out: &mut String) {
    let mut glue = true;
    let (mut double_open, mut single_open) = (false, false);
    for (index, &word) in words.iter().enumerate() {
        let (text, left, right) = match word {
            "@-@" => ("-", true, true),
            "@,@" => (",", true, true),
            "@.@" => (".", true, true),
            "\"" => {
                double_open = !double_open;
                (word, !double_open, double_open)
            }
            "'" => {
                let later = words[index + 1..].contains(&"'");
                let after_s = index > 0 && words[index - 1].ends_with('s');
                if single_open || (after_s && !later) {
                    single_open = false;
                    (word, true, false)
                } else {
                    single_open = later;
                    (word, false, later)
                }
            }
            _ => (word, JOIN_LEFT.contains(&word), JOIN_RIGHT.contains(&word)),
        };
        if !glue && !left {
            out.push(' ');
        }
        out.push_str(text);
        glue = right;
    }
}

#[cfg(test)]
#[path = "detokenize_tests.rs"]
mod tests;
