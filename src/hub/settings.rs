//! What the environment says about the hub, by the names of the Python library (huggingface_hub
//! 2.4), with its precedence.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::repo::{Repo, RepoKind};
use crate::files;

/// The hub's own address.
const ENDPOINT: &str = "https://huggingface.co";
/// The first pause before another try; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(300);

/// The longest file with a token that is read.
const LONGEST_TOKEN: u64 = 1 << 16;

/// Where the hub is, where its files are kept, and who asks.
#[derive(Clone)]
pub struct Settings {
    /// Without a slash at its end.
    pub endpoint: String,
    pub cache: PathBuf,
    /// Never printed.
    pub token: Option<String>,
    /// No connection is opened.
    pub offline: bool,
    /// None is opened for a dataset.
    pub offline_datasets: bool,
    pub pause: Duration,
    /// What is wrong with the settings; told when the hub is needed, for most studies have no use
    /// for it.
    pub problem: Option<String>,
}

impl Settings {
    /// Reads the variables; `offline` holds whatever they say.
    ///
    /// - The endpoint: `HF_ENDPOINT`, else the hub itself.
    /// - The cache: `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `HF_HOME/hub`,
    ///   `XDG_CACHE_HOME/huggingface/hub`, `~/.cache/huggingface/hub`, the first that is set.
    /// - The token: `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`, the file that `HF_TOKEN_PATH` names, the
    ///   file `token` in `HF_HOME`; none with `HF_HUB_DISABLE_IMPLICIT_TOKEN`.
    /// - Offline: `HF_HUB_OFFLINE`, else `TRANSFORMERS_OFFLINE`; for datasets
    ///   `HF_DATASETS_OFFLINE`, too.
    pub fn from_environment(offline: bool) -> Self {
        Self::from_variables(offline, &|name| std::env::var(name).ok()).unwrap_or_else(|error| {
            Self {
                endpoint: ENDPOINT.to_owned(),
                cache: PathBuf::new(),
                token: None,
                offline: true,
                offline_datasets: true,
                pause: PAUSE,
                problem: Some(error.to_string()),
            }
        })
    }

    fn from_variables(offline: bool, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let set = |name: &str| {
            variable(name)
                .filter(|value| !value.trim().is_empty())
                .map(|value| value.trim().to_owned())
        };
        let is_true =
            |value: String| ["1", "on", "yes", "true"].contains(&value.to_lowercase().as_str());
        let user = set("HOME").or_else(|| set("USERPROFILE"));
        let folder = |name: &str| set(name).map(|path| expanded(&path, user.as_deref(), variable));
        let home = folder("HF_HOME")
            .or_else(|| folder("XDG_CACHE_HOME").map(|cache| cache.join("huggingface")))
            .or_else(|| {
                user.as_deref()
                    .map(|user| Path::new(user).join(".cache/huggingface"))
            });
        let cache = folder("HF_HUB_CACHE")
            .or_else(|| folder("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| home.as_ref().map(|home| home.join("hub")));
        let cache =
            cache.context("there is no place for what the hub gives: set HF_HOME to a folder")?;
        let endpoint = set("HF_ENDPOINT").map_or_else(
            || ENDPOINT.to_owned(),
            |given| given.trim_end_matches('/').to_owned(),
        );
        let address = url::Url::parse(&endpoint)
            .ok()
            .filter(|url| url.host().is_some() && ["http", "https"].contains(&url.scheme()));
        let address = address
            .context("HF_ENDPOINT is no address; write one such as https://huggingface.co")?;
        ensure!(
            address.username().is_empty() && address.password().is_none(),
            "HF_ENDPOINT holds a name or a password, which would end up in messages; leave it out \
             and set HF_TOKEN"
        );
        let token_file = folder("HF_TOKEN_PATH").or_else(|| home.map(|home| home.join("token")));
        let token = set("HF_TOKEN")
            .or_else(|| set("HUGGING_FACE_HUB_TOKEN"))
            .or_else(|| token_in(&token_file?))
            .filter(|_| !set("HF_HUB_DISABLE_IMPLICIT_TOKEN").is_some_and(is_true));
        ensure!(
            token
                .as_ref()
                .is_none_or(|token| token.bytes().all(|byte| byte.is_ascii_graphic())),
            "the hub's token (HF_TOKEN, HUGGING_FACE_HUB_TOKEN, or the file `token` in HF_HOME) \
             holds characters that no token has; set it again"
        );
        let says_offline = set("HF_HUB_OFFLINE").or_else(|| set("TRANSFORMERS_OFFLINE"));
        let offline = offline || says_offline.is_some_and(is_true);
        Ok(Self {
            endpoint,
            cache,
            token,
            offline,
            offline_datasets: offline || set("HF_DATASETS_OFFLINE").is_some_and(is_true),
            pause: PAUSE,
            problem: None,
        })
    }
}

impl Settings {
    /// Whether no connection is opened for a repo.
    pub(super) fn is_offline(&self, repo: &Repo) -> bool {
        match repo.kind {
            RepoKind::Model => self.offline,
            RepoKind::Dataset => self.offline || self.offline_datasets,
        }
    }
}

/// The token that a file holds, without the ends of lines that editors leave.
fn token_in(path: &Path) -> Option<String> {
    let text = files::read_text(path, LONGEST_TOKEN).ok()?;
    let token = text.replace(['\r', '\n'], "").trim().to_owned();
    (!token.is_empty()).then_some(token)
}

/// A path whose `~` is the user's folder, and in which `$NAME` and `${NAME}` are variables.
fn expanded(path: &str, user: Option<&str>, variable: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    let at_home = match (path.strip_prefix('~'), user) {
        (Some(rest), Some(user)) if rest.is_empty() || rest.starts_with('/') => {
            format!("{user}{rest}")
        }
        _ => path.to_owned(),
    };
    let (mut out, mut rest) = (String::new(), at_home.as_str());
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let named = match after
            .strip_prefix('{')
            .and_then(|after| after.split_once('}'))
        {
            Some((name, behind)) => Some((name, behind)),
            None => Some(after.split_at(after.find(|c| !is_name(c)).unwrap_or(after.len()))),
        };
        match named.and_then(|(name, behind)| Some((variable(name)?, behind))) {
            Some((value, behind)) => {
                out.push_str(&value);
                rest = behind;
            }
            // What is no variable stays.
            None => {
                out.push('$');
                rest = after;
            }
        }
    }
    PathBuf::from(out + rest)
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
