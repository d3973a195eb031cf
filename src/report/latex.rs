//! The tables of the page for a paper: LaTeX with booktabs, numbers as the page has them.

use std::fmt::Write;

use pulldown_cmark::{Alignment, Event, HeadingLevel, Tag, TagEnd};

use super::markdown_page::{PageEvents, PageTable, end_of, events, plain_text, slug, table};

/// The section of the page that ends what a paper needs.
const APPENDIX: &str = "appendix";

/// What stands before the tables.
const PREAMBLE: &str = "\
% The document needs, before \\begin{document}:
%   \\usepackage{booktabs}
%   \\usepackage{graphicx}
% (graphicx makes tables that are wider than the text as wide as it). Letters beyond ASCII in names
% need a LaTeX of 2018 or newer; those of other scripts LuaLaTeX or XeLaTeX, and a font with them.
";

/// Every table of the page with heads, up to its appendix, as a float with the heading of its
/// section as the caption.
pub fn tables(markdown: &str, study: &str, command: &str) -> String {
    let mut tex = format!(
        "% Tables of the study {}, by `{}`.\n%\n{PREAMBLE}",
        one_line(study),
        one_line(command)
    );
    let events = events(markdown);
    let (mut heading, mut count, mut at) = (String::new(), 0, 0);
    while at < events.len() {
        let end = end_of(&events, at);
        match &events[at] {
            Event::Start(Tag::Heading { level, .. }) => {
                (heading, count) = (plain_text(&events[at..=end]), 0);
                // A study may be called so.
                if *level > HeadingLevel::H1 && slug(&heading) == APPENDIX {
                    break;
                }
                at = end;
            }
            Event::Start(Tag::Table(_)) => {
                let table = table(&events[at..=end]);
                if table.head.iter().any(|head| !plain_text(head).is_empty()) {
                    count += 1;
                    tex.push_str(&float(&table, &heading, count));
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    tex
}

/// Text inside a comment.
fn one_line(text: &str) -> String {
    let kept = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    kept.collect()
}

/// A table with its caption; `number` tells those of one section apart.
fn float(table: &PageTable, heading: &str, number: usize) -> String {
    let columns: String = table
        .alignments
        .iter()
        .map(|alignment| match alignment {
            Alignment::Right => 'r',
            Alignment::Center => 'c',
            Alignment::Left | Alignment::None => 'l',
        })
        .collect();
    let label: String = slug(heading)
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    // Tables of one section have one heading.
    let (counted, number) = match number {
        1 => (String::new(), String::new()),
        number => (format!(" ({number})"), format!("-{number}")),
    };
    let mut tex = format!(
        "\n\\begin{{table}}[htbp]\n  \\centering\n  \\small\n  \\caption{{{}{counted}}}\n  \
         \\label{{tab:{label}{number}}}\n  \
         \\resizebox{{\\ifdim\\width>\\textwidth\\textwidth\\else\\width\\fi}}{{!}}{{%\n  \
         \\begin{{tabular}}{{@{{}}{columns}@{{}}}}\n    \
         \\toprule\n    {} \\\\\n    \\midrule\n",
        escaped(heading),
        row(&table.head)
    );
    for cells in &table.rows {
        let _ = writeln!(tex, "    {} \\\\", row(cells));
    }
    tex.push_str("    \\bottomrule\n  \\end{tabular}}\n\\end{table}\n");
    tex
}

fn row(cells: &[PageEvents]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| inline(cell)).collect();
    let row = cells.join(" & ");
    // Behind \\ and \toprule a bracket or a star would be taken as an argument.
    if row.trim_start().starts_with(['[', '*']) {
        format!("{{}}{row}")
    } else {
        row
    }
}

/// A cell in LaTeX's words.
fn inline(cell: &[Event]) -> String {
    let mut tex = String::new();
    for event in cell {
        match event {
            Event::Text(text) => tex.push_str(&escaped(text)),
            Event::Code(code) => {
                let _ = write!(tex, "\\texttt{{{}}}", escaped(code));
            }
            Event::Start(Tag::Strong) => tex.push_str("\\textbf{"),
            Event::Start(Tag::Emphasis) => tex.push_str("\\emph{"),
            Event::End(TagEnd::Strong | TagEnd::Emphasis) => tex.push('}'),
            Event::SoftBreak | Event::HardBreak => tex.push(' '),
            _ => {}
        }
    }
    tex
}

/// Text that LaTeX prints as it is, mathematical signs and raised digits among it.
fn escaped(text: &str) -> String {
    let mut tex = String::with_capacity(text.len());
    let mut raised = String::new();
    for c in text.chars() {
        if let Some(digit) = raised_digit(c) {
            raised.push(digit);
            continue;
        }
        flush(&mut tex, &mut raised);
        match sign(c) {
            Some(sign) => tex.push_str(sign),
            None if c.is_control() => tex.push(' '),
            None => tex.push(c),
        }
    }
    flush(&mut tex, &mut raised);
    tex
}

fn flush(tex: &mut String, raised: &mut String) {
    if !raised.is_empty() {
        let _ = write!(tex, "$^{{{raised}}}$");
        raised.clear();
    }
}

fn raised_digit(c: char) -> Option<char> {
    let at = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻".chars().position(|raised| raised == c)?;
    "0123456789-".chars().nth(at)
}

/// A character that LaTeX takes for something else, or that its fonts have as mathematics alone.
fn sign(c: char) -> Option<&'static str> {
    Some(match c {
        '\\' => "\\textbackslash{}",
        '{' => "\\{",
        '}' => "\\}",
        '$' => "\\$",
        '&' => "\\&",
        '#' => "\\#",
        '_' => "\\_",
        '%' => "\\%",
        '~' => "\\textasciitilde{}",
        '^' => "\\textasciicircum{}",
        '<' => "$<$",
        '>' => "$>$",
        '|' => "$|$",
        '"' => "\\char34{}",
        '−' => "$-$",
        '×' => "$\\times$",
        '·' => "$\\cdot$",
        '±' => "$\\pm$",
        '→' => "$\\to$",
        '∞' => "$\\infty$",
        '≤' => "$\\leq$",
        '≥' => "$\\geq$",
        '≈' => "$\\approx$",
        '‖' => "$\\Vert$",
        '∇' => "$\\nabla$",
        'α' => "$\\alpha$",
        'δ' => "$\\delta$",
        'Δ' => "$\\Delta$",
        'λ' => "$\\lambda$",
        'τ' => "$\\tau$",
        'σ' => "$\\sigma$",
        '–' => "--",
        '—' => "---",
        '…' => "\\ldots{}",
        '↵' => " ",
        '\u{a0}' => "~",
        _ => return None,
    })
}

#[cfg(test)]
#[path = "latex_tests.rs"]
mod tests;
