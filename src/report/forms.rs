//! The forms of a report beside its Markdown page.

use anyhow::Result;

use super::context::Context;
use super::figures::Figure;
use super::{html, json, latex};
use crate::record::layout::Layout;

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportForm {
    /// One page with everything in it.
    Html,
    /// The tables for a paper.
    Latex,
    /// For programs.
    Json,
}

impl ReportForm {
    const ALL: [Self; 3] = [Self::Html, Self::Latex, Self::Json];

    /// Its file in the study's folder.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Html => "report.html",
            Self::Latex => "report.tex",
            Self::Json => "report.json",
        }
    }

    /// Those that lie in the study's folder: once asked for, they are kept up to date.
    pub fn kept(layout: &Layout) -> Vec<Self> {
        let mut kept = Self::ALL.to_vec();
        kept.retain(|form| layout.root.join(form.file_name()).is_file());
        kept
    }

    /// The report in this form; `page` is its Markdown.
    ///
    /// # Errors
    /// None that a report can cause.
    pub(super) fn of(self, page: &str, figures: &[Figure], context: &Context) -> Result<Vec<u8>> {
        let text = match self {
            Self::Html => html::page(page, figures),
            Self::Latex => latex::tables(page, &context.study.name, &context.study.command),
            Self::Json => json::report_json(context)?,
        };
        Ok(text.into_bytes())
    }
}
