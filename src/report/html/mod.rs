//! The page as HTML: one file, figures and all, that asks for nothing from outside.
//!
//! What it shows is what the Markdown page says. Its tables sort on a click on their head
//! ([`cell_value`]), its figures stand in the page ([`inline_svg`]).

mod cell_value;
mod inline_svg;
mod page_table;

use std::collections::BTreeSet;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Tag, TagEnd};

use self::inline_svg::inline_svg;
use self::page_table::table_html;
use super::figures::Figure;
use super::markdown_page::{PageEvents, end_of, events, plain_text, slug, table};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Nothing is fetched, whatever a template writes.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// Markup of a template that a page keeps; all other is shown as it is written.
const KEPT: [&str; 9] = [
    "<details>",
    "<details open>",
    "</details>",
    "<summary>",
    "</summary>",
    "<br>",
    "<br/>",
    "<!-- times -->",
    "<!-- /times -->",
];

/// Renders a Markdown page with its figures.
pub fn page(markdown: &str, figures: &[Figure]) -> String {
    let mut body = PageBody {
        figures,
        out: Vec::new(),
        slugs: BTreeSet::new(),
        title: None,
        sections: Vec::new(),
    };
    body.convert(&events(markdown));
    let mut content = String::new();
    pulldown_cmark::html::push_html(&mut content, body.out.into_iter());
    let title = escaped(body.title.as_deref().unwrap_or("report"));
    let content = with_contents(&content, &body.sections);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\" />\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{content}\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

/// Links to the sections, behind the title.
fn with_contents(content: &str, sections: &[(String, String)]) -> String {
    const END: &str = "</h1>\n";
    if sections.len() < 2 {
        return content.to_owned();
    }
    let links: Vec<String> = sections
        .iter()
        .map(|(id, words)| format!("<a href=\"#{}\">{}</a>", escaped(id), escaped(words)))
        .collect();
    let links = format!("<nav>{}</nav>\n", links.join(" "));
    match content.find(END) {
        Some(at) => {
            let (before, after) = content.split_at(at + END.len());
            format!("{before}{links}{after}")
        }
        None => format!("{links}{content}"),
    }
}

/// Text between tags, or in an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// A page on its way to HTML.
struct PageBody<'a> {
    figures: &'a [Figure],
    out: PageEvents<'a>,
    /// Ids of headings that are taken.
    slugs: BTreeSet<String>,
    title: Option<String>,
    /// Ids and words of the sections.
    sections: Vec<(String, String)>,
}

impl<'a> PageBody<'a> {
    fn convert(&mut self, events: &[Event<'a>]) {
        let mut at = 0;
        while at < events.len() {
            let end = end_of(events, at);
            let inside = events.get(at + 1..end).unwrap_or_default();
            at = match &events[at] {
                Event::Start(Tag::Paragraph) => match self.figure_of(inside) {
                    Some(figure) => self.figure(figure, events, end + 1),
                    None => self.one(&events[at], at),
                },
                Event::Start(Tag::Heading { level, .. }) => {
                    self.heading(*level, inside);
                    end + 1
                }
                Event::Start(Tag::Table(_)) => {
                    self.raw(table_html(&table(&events[at..=end])));
                    end + 1
                }
                Event::Start(Tag::Image { .. }) => {
                    self.image(&events[at], inside);
                    end + 1
                }
                other => self.one(other, at),
            };
        }
    }

    /// An event as it is, or made harmless; the place of the next.
    fn one(&mut self, event: &Event<'a>, at: usize) -> usize {
        match event {
            Event::Html(markup) => self.raw(kept_markup(markup)),
            Event::InlineHtml(markup) => {
                let markup = kept_markup(markup);
                self.out.push(Event::InlineHtml(markup.into()));
            }
            other => self.out.push(other.clone()),
        }
        at + 1
    }

    fn raw(&mut self, html: String) {
        self.out.push(Event::Html(CowStr::from(html)));
    }

    /// The figure that a paragraph consists of.
    fn figure_of(&self, paragraph: &[Event]) -> Option<&'a Figure> {
        match paragraph.first()? {
            image @ Event::Start(Tag::Image { .. })
                if end_of(paragraph, 0) + 1 == paragraph.len() =>
            {
                self.named(image)
            }
            _ => None,
        }
    }

    /// The figure that an image shows.
    fn named(&self, image: &Event) -> Option<&'a Figure> {
        let Event::Start(Tag::Image { dest_url, .. }) = image else {
            return None;
        };
        let mut figures = self.figures.iter();
        figures.find(|figure| figure.path() == dest_url.as_ref())
    }

    /// A figure, with the paragraph from `next` on as its caption where that is emphasised as a
    /// whole; the place behind both.
    fn figure(&mut self, figure: &Figure, events: &[Event<'a>], next: usize) -> usize {
        let is_start =
            |at: usize, tag: &Tag| matches!(&events.get(at), Some(Event::Start(own)) if own == tag);
        let end = end_of(events, next);
        let is_caption = is_start(next, &Tag::Paragraph)
            && is_start(next + 1, &Tag::Emphasis)
            && end_of(events, next + 1) + 1 == end;
        self.raw(format!(
            "<figure>\n{}\n",
            inline_svg(figure.name, &figure.svg)
        ));
        if !is_caption {
            self.raw("</figure>\n".to_owned());
            return next;
        }
        self.raw("<figcaption>".to_owned());
        for at in next + 2..end - 1 {
            self.one(&events[at], at);
        }
        self.raw("</figcaption>\n</figure>\n".to_owned());
        end + 1
    }

    /// An image inside a line: the figure, or its words alone where it lies elsewhere.
    fn image(&mut self, image: &Event<'a>, alternative: &[Event<'a>]) {
        match self.named(image) {
            Some(figure) => {
                let svg = inline_svg(figure.name, &figure.svg);
                self.out.push(Event::InlineHtml(svg.into()));
            }
            None => {
                let words = plain_text(alternative);
                self.out.push(Event::Text(format!("[{words}]").into()));
            }
        }
    }

    fn heading(&mut self, level: HeadingLevel, inside: &[Event<'a>]) {
        let words = plain_text(inside);
        let wanted = slug(&words);
        let mut id = wanted.clone();
        for number in 1.. {
            if self.slugs.insert(id.clone()) {
                break;
            }
            id = format!("{wanted}-{number}");
        }
        match level {
            HeadingLevel::H1 => {
                self.title.get_or_insert(words);
            }
            HeadingLevel::H2 => self.sections.push((id.clone(), words)),
            _ => {}
        }
        self.out.push(Event::Start(Tag::Heading {
            level,
            id: Some(id.into()),
            classes: Vec::new(),
            attrs: Vec::new(),
        }));
        self.convert(inside);
        self.out.push(Event::End(TagEnd::Heading(level)));
    }
}

/// A template's own markup: what [`KEPT`] lists stays, comments go, and the rest becomes text.
fn kept_markup(markup: &str) -> String {
    let mut out = String::with_capacity(markup.len());
    let mut rest = markup;
    while let Some(at) = rest.find(['<', '>', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(tag) = KEPT.iter().find(|tag| rest.starts_with(**tag)) {
            out.push_str(if tag.starts_with("<br") {
                "<br />"
            } else {
                tag
            });
            rest = &rest[tag.len()..];
        } else if rest.starts_with("<!--") {
            rest = rest.find("-->").map_or("", |end| &rest[end + 3..]);
        } else {
            out.push_str(match &rest[..1] {
                "<" => "&lt;",
                ">" => "&gt;",
                _ if is_entity(rest) => "&",
                _ => "&amp;",
            });
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

/// Whether a text begins with a character that is written by its name or number.
fn is_entity(text: &str) -> bool {
    text[1..].split_once(';').is_some_and(|(name, _)| {
        let name = name.strip_prefix('#').unwrap_or(name);
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
#[path = "../html_tests.rs"]
mod tests;
