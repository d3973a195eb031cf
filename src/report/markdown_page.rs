//! The Markdown of a report, taken apart: what the forms made of it share.

use pulldown_cmark::{Alignment, Event, Options, Parser, Tag, TagEnd};

/// A page as the events of its parser, in order.
pub type PageEvents<'a> = Vec<Event<'a>>;

/// A table of a page; cells are pieces of a page themselves.
#[derive(Debug, Clone)]
pub struct PageTable<'a> {
    pub alignments: Vec<Alignment>,
    pub head: Vec<PageEvents<'a>>,
    pub rows: Vec<Vec<PageEvents<'a>>>,
}

/// Reads a page: CommonMark with tables, as the report's template is written.
pub fn events(markdown: &str) -> PageEvents<'_> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES).collect()
}

/// The text of a piece of a page, without its markup.
pub fn plain_text(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        match event {
            Event::Text(words) | Event::Code(words) => text.push_str(words),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
    }
    text
}

/// Where the element ends that begins at `start`: the place of its last event.
pub fn end_of(events: &[Event], start: usize) -> usize {
    let mut depth = 0usize;
    for (at, event) in events.iter().enumerate().skip(start) {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    events.len().saturating_sub(1)
}

/// The table whose events these are, from its start to its end.
pub fn table<'a>(events: &[Event<'a>]) -> PageTable<'a> {
    let mut table = PageTable {
        alignments: Vec::new(),
        head: Vec::new(),
        rows: Vec::new(),
    };
    let mut cell: Option<PageEvents> = None;
    let mut row: Vec<PageEvents> = Vec::new();
    for event in events {
        match event {
            Event::Start(Tag::Table(alignments)) => table.alignments = alignments.clone(),
            Event::Start(Tag::TableHead | Tag::TableRow) => row = Vec::new(),
            Event::Start(Tag::TableCell) => cell = Some(Vec::new()),
            Event::End(TagEnd::TableCell) => row.extend(cell.take()),
            Event::End(TagEnd::TableHead) => table.head = std::mem::take(&mut row),
            Event::End(TagEnd::TableRow) => table.rows.push(std::mem::take(&mut row)),
            other => {
                if let Some(cell) = &mut cell {
                    cell.push(other.clone());
                }
            }
        }
    }
    table
}

/// The name by which a heading is linked, as GitHub gives it: lower case, words joined by hyphens.
pub fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || matches!(c, '-' | '_') => Some(c),
        _ => None,
    });
    kept.collect()
}
