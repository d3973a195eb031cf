//! The hub: a server on this machine that answers as it does, its faults, and studies that take
//! everything from it.

mod answers;
mod datasets;
mod exporting;
mod faults;
mod mirrors;
mod refusals;
mod sending;
mod server;
mod shelf;
mod studies;
mod tasks;
