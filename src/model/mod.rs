//! GPT-2, sized at run time: the architecture, its initialisation, and its weights under Hugging
//! Face's names.
//!
//! Order of use: [`Config`] → [`Gpt2::random`] or [`Gpt2::from_weights`], or a folder by
//! [`ModelFolder`] → [`Gpt2::from_checkpoint`], → [`Gpt2::forward`]. Nothing here knows of
//! losses, optimizers, or that a teacher exists.

mod config;
mod config_json;
mod floats;
mod folder;
#[cfg(test)]
mod folder_tests;
mod forward;
mod gpt2;
mod init;
mod likelihood;
mod names;
mod place;
mod reading;
mod token_ids;
mod weights;

pub use config::Config;
pub use floats::le_bytes;
pub use folder::ModelFolder;
pub use forward::{HiddenStates, KeptAttention, ToKeep};
pub use gpt2::{Attention, Block, Gpt2, Linear, Mlp, Norm, Reader, decays};
pub use likelihood::{Window, score_windows, validation_nll, windows};
pub use place::{read_config, weight_files};
pub use reading::{ReadingModel, reading};
pub use token_ids::TokenIds;
pub use weights::{Array, Weights};
