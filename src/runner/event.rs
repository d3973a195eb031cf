//! What happens while a study runs, for whoever shows it.

use std::collections::BTreeMap;

use crate::hub::News;

/// One thing that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// Something that takes a while begins: reading, tokenizing.
    Stage(&'a str),
    /// So many bytes of a file of the hub are here.
    Download {
        file: &'a str,
        done: u64,
        total: u64,
    },
    /// Something the user should know and need not act on.
    Notice(&'a str),
    /// So many runs of the grid need nothing any more.
    Skipped { runs: usize },
    /// So many more need nothing since another process finished them.
    DoneByOthers { runs: usize },
    /// A training begins: the teacher's, or a group's; some of its steps may be done already.
    Training {
        title: &'a str,
        runs: usize,
        /// Whether they are runs of the grid.
        is_of_grid: bool,
        step: u64,
        steps: u64,
    },
    /// A step of it is done. Values are those of the first run that advanced, which is named.
    Step {
        step: u64,
        run: &'a str,
        values: &'a BTreeMap<String, f64>,
        tokens: u64,
        seconds: f64,
    },
    /// It is over.
    Trained,
    /// Models are evaluated; this share of the work is done.
    Evaluation { title: &'a str, share: f64 },
    /// That is over, or was stopped.
    Evaluated,
    /// A run is finished and evaluated.
    Finished {
        id: &'a str,
        label: &'a str,
        nll: f64,
        perplexity: Option<f64>,
    },
    /// A run stopped at numbers that are not finite, or hopeless; it is recorded as that. Its last
    /// checkpoint was after so many steps.
    Diverged {
        id: &'a str,
        label: &'a str,
        step: u64,
        last_good: Option<u64>,
        reason: &'a str,
    },
    /// A run could not be done; it is tried again the next time.
    Failed {
        id: &'a str,
        label: &'a str,
        error: &'a str,
    },
    /// Another process holds the run.
    Held {
        id: &'a str,
        label: &'a str,
        owner: &'a str,
    },
}

/// An observer's ear for the news of the hub.
pub fn news_to(observer: &dyn Observer) -> impl Fn(&News) + Sync {
    move |news: &News| match news {
        News::Bytes { file, done, total } => observer.event(&Event::Download {
            file,
            done: *done,
            total: *total,
        }),
        News::Waiting { file, owner } => observer.event(&Event::Stage(&format!(
            "waiting for {file}, which {owner} fetches"
        ))),
        News::Again { reason } => {
            observer.event(&Event::Notice(&format!("{reason}; trying again")))
        }
        News::FromCache { reason } => observer.event(&Event::Notice(reason)),
    }
}

/// Hears what happens, from any thread.
pub trait Observer: Sync {
    fn event(&self, event: &Event);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event) {}
}
