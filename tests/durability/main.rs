//! No message is lost, doubled or out of order, whatever happens to the server, the network or the disk: in the end every
//! client holds the same log, and the log holds everything that was acknowledged, or all are told that it went back.
//!
//! A failing test prints the seed of its random numbers; `PAPO_PROVA_SEMENTE` uses it again, and `PAPO_PROVA_LONGA=1`
//! makes ten times as many kills and schedules.

#![forbid(unsafe_code)]

mod checkpoints;
mod clocks;
mod consistency;
mod copying;
mod crash;
mod failed_sync;
mod faulty_network;
mod full_disk;
mod harness;
mod history_limit;
mod identity;
mod log_entry;
mod log_harness;
mod migration;
mod model;
mod moderation;
mod overwriting;
mod reconnecting_client;
mod restart;
mod restoring;
mod rollback;
mod stalled_disk;
mod storm;
#[path = "../support/mod.rs"]
mod support;
mod transcript;
