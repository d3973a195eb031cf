//! What the environment says about the hub, by the names of the Python library.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hf_hub::Cache;

/// The hub's own address.
const ENDPOINT: &str = "https://huggingface.co";
/// The first pause before another try; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(300);

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
    pub pause: Duration,
    /// What is wrong with the settings; told when the hub is needed, for most studies have no use
    /// for it.
    pub problem: Option<String>,
}

impl Settings {
    /// Reads `HF_ENDPOINT`, `HF_HUB_CACHE` (else `HF_HOME/hub`, else `~/.cache/huggingface/hub`),
    /// `HF_TOKEN` (else the file `token` in `HF_HOME`) and `HF_HUB_OFFLINE`; `offline` holds
    /// whatever that says.
    pub fn from_environment(offline: bool) -> Self {
        Self::from_variables(offline, &|name| std::env::var(name).ok()).unwrap_or_else(|error| {
            Self {
                endpoint: ENDPOINT.to_owned(),
                cache: PathBuf::new(),
                token: None,
                offline: true,
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
        let user = set("HOME").or_else(|| set("USERPROFILE"));
        let folder = |name: &str| set(name).map(|path| at_home(&path, user.as_deref()));
        let home = folder("HF_HOME")
            .or_else(|| folder("XDG_CACHE_HOME").map(|cache| cache.join("huggingface")))
            .or_else(|| {
                user.as_deref()
                    .map(|user| Path::new(user).join(".cache/huggingface"))
            });
        let cache = folder("HF_HUB_CACHE").or_else(|| home.as_ref().map(|home| home.join("hub")));
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
        let token = set("HF_TOKEN").or_else(|| Cache::new(home?.join("hub")).token());
        ensure!(
            token
                .as_ref()
                .is_none_or(|token| token.bytes().all(|byte| byte.is_ascii_graphic())),
            "the hub's token (HF_TOKEN, or the file `token` in HF_HOME) holds characters that no \
             token has; set it again"
        );
        let says_offline = set("HF_HUB_OFFLINE").is_some_and(|value| {
            ["1", "on", "yes", "true"].contains(&value.to_lowercase().as_str())
        });
        Ok(Self {
            endpoint,
            cache,
            token,
            offline: offline || says_offline,
            pause: PAUSE,
            problem: None,
        })
    }
}

/// A path whose `~` is the user's folder.
fn at_home(path: &str, user: Option<&str>) -> PathBuf {
    match (path.strip_prefix("~/"), user) {
        (Some(rest), Some(user)) => Path::new(user).join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
