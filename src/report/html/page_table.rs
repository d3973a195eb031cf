//! A table of the page, whose heads sort it.

use std::fmt::Write;

use pulldown_cmark::Alignment;

use super::cell_value::cell_value;
use super::kept_markup;
use crate::report::markdown_page::{PageEvents, PageTable, plain_text};
use pulldown_cmark::{CowStr, Event};

/// The table; one with heads and more than one row sorts.
pub fn table_html(table: &PageTable) -> String {
    let has_heads = table.head.iter().any(|head| !plain_text(head).is_empty());
    let sorts = has_heads && table.rows.len() > 1;
    let class = match (sorts, has_heads) {
        (true, _) => " class=\"sortable\"",
        (false, true) => "",
        (false, false) => " class=\"plain\"",
    };
    let mut html = format!("<div class=\"table\"><table{class}>\n");
    let numbers: Vec<bool> = (0..table.head.len())
        .map(|column| is_numeric(table, column))
        .collect();
    if has_heads {
        html.push_str("<thead><tr>");
        for (column, head) in table.head.iter().enumerate() {
            let kind = if sorts && numbers[column] {
                " data-kind=\"number\""
            } else {
                ""
            };
            let words = cell_html(head);
            let words = if sorts {
                format!("<button type=\"button\">{words}</button>")
            } else {
                words
            };
            let align = alignment(table, column);
            let _ = write!(html, "<th scope=\"col\"{align}{kind}>{words}</th>");
        }
        html.push_str("</tr></thead>\n");
    }
    html.push_str("<tbody>\n");
    for row in &table.rows {
        html.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let value = (sorts && numbers.get(column).copied().unwrap_or_default())
                .then(|| cell_value(&plain_text(cell)))
                .flatten();
            let value =
                value.map_or_else(String::new, |value| format!(" data-v=\"{}\"", js(value)));
            let align = alignment(table, column);
            let _ = write!(html, "<td{align}{value}>{}</td>", cell_html(cell));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
    html
}

/// Whether most cells of a column that hold anything hold a number.
fn is_numeric(table: &PageTable, column: usize) -> bool {
    let texts = table.rows.iter().filter_map(|row| row.get(column));
    let texts: Vec<String> = texts
        .map(|cell| plain_text(cell).trim().to_owned())
        .filter(|text| !text.is_empty() && text != "–")
        .collect();
    let numbers = texts.iter().filter(|text| cell_value(text).is_some());
    2 * numbers.count() > texts.len()
}

/// A number as the script reads it.
fn js(value: f64) -> String {
    if value.is_infinite() {
        format!("{}Infinity", if value < 0.0 { "-" } else { "" })
    } else {
        format!("{value:e}")
    }
}

fn alignment(table: &PageTable, column: usize) -> &'static str {
    match table.alignments.get(column) {
        Some(Alignment::Right) => " class=\"r\"",
        Some(Alignment::Center) => " class=\"c\"",
        Some(Alignment::Left | Alignment::None) | None => "",
    }
}

fn cell_html(cell: &PageEvents) -> String {
    let harmless = cell.iter().map(|event| match event {
        Event::Html(markup) | Event::InlineHtml(markup) => {
            Event::InlineHtml(CowStr::from(kept_markup(markup)))
        }
        other => other.clone(),
    });
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, harmless);
    html
}
