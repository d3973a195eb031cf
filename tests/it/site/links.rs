//! Where the links of the site's pages lead.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{pages_folder, text_of};

/// A page of the site.
pub struct SitePage {
    /// Its path in the folder of pages.
    pub name: String,
    links: Vec<String>,
    anchors: BTreeSet<String>,
}

/// All pages of the table of contents.
pub fn pages() -> Vec<SitePage> {
    let summary = SitePage::of("SUMMARY.md", text_of(&pages_folder().join("SUMMARY.md")));
    let named = summary.links.iter();
    named
        .map(|name| SitePage::of(name, text_of(&pages_folder().join(name))))
        .collect()
}

impl SitePage {
    pub fn of(name: &str, text: String) -> Self {
        let (mut links, mut anchors) = (Vec::new(), BTreeSet::new());
        let mut heading: Option<(Option<String>, String)> = None;
        let options = Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES;
        for event in Parser::new_ext(&text, options) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    links.push(dest_url.into_string());
                }
                Event::Start(Tag::Heading { id, level, .. }) => {
                    assert!(
                        level <= HeadingLevel::H4,
                        "{name}: a heading below the fourth level"
                    );
                    heading = Some((id.map(|id| id.into_string()), String::new()));
                }
                Event::End(TagEnd::Heading(_)) => {
                    let (id, words) = heading.take().expect("a heading that begins");
                    anchors.insert(id.unwrap_or_else(|| slug(&words)));
                }
                Event::Text(words) | Event::Code(words) => {
                    if let Some((_, all)) = &mut heading {
                        all.push_str(&words);
                    }
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    let ids = html.split("id=\"").skip(1);
                    anchors.extend(ids.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
                    let links_of = html.split("href=\"").skip(1);
                    links.extend(
                        links_of.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())),
                    );
                }
                _ => {}
            }
        }
        let name = name.to_owned();
        Self {
            name,
            links,
            anchors,
        }
    }

    /// Links of the page that lead nowhere on the site.
    pub fn faults(&self, pages: &[Self]) -> Vec<String> {
        let folder = Path::new(&self.name).parent().unwrap_or(Path::new(""));
        let fault = |link: &String| {
            if link.contains("://") {
                return None;
            }
            if link.starts_with('/') {
                return Some(format!("{link} is no relative path"));
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => Some(self.name.clone()),
                path => within(&folder.join(path)),
            };
            let Some(target) = target else {
                return Some(format!("{link} leads out of the site"));
            };
            match pages.iter().find(|page| page.name == target) {
                Some(page) if anchor.is_empty() || page.anchors.contains(anchor) => None,
                Some(page) => Some(format!("{} has no heading #{anchor}", page.name)),
                None if target.ends_with(".md") => Some(format!("{target} is no page")),
                None if pages_folder().join(&target).is_file() => None,
                None => Some(format!("there is no {target}")),
            }
        };
        let faults = self.links.iter().filter_map(fault);
        faults
            .map(|fault| format!("{}: {fault}", self.name))
            .collect()
    }
}

/// The path without `..`, where it stays in the folder of pages.
fn within(path: &Path) -> Option<String> {
    let mut told = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => told.push(name),
            Component::CurDir => {}
            _ => {
                if !told.pop() {
                    return None;
                }
            }
        }
    }
    Some(told.to_string_lossy().replace('\\', "/"))
}

/// The id that mdBook gives a heading, which is GitHub's too.
fn slug(words: &str) -> String {
    let kept = words.trim().chars().filter_map(|c| match c {
        ' ' | '-' => Some('-'),
        '_' => Some('_'),
        c if c.is_alphanumeric() => Some(c.to_ascii_lowercase()),
        _ => None,
    });
    kept.collect()
}
