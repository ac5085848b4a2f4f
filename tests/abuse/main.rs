//! Attacks on the real server while healthy people chat beside them: these lose nothing and receive nothing twice or out
//! of order, and afterwards the server's threads, descriptors and memory are back where they were.
//!
//! Figures are printed (`-- --nocapture`). `PAPO_PROVA_LONGA=1` attacks in full and checks the figures too: on a quiet
//! machine, with `--release` and `--test-threads 1`.

#![forbid(unsafe_code)]

mod background_chat;
mod churn;
mod floods;
mod garbage;
mod harness;
mod json;
mod raw_conn;
mod resource_limits;
mod slow_consumers;
mod slowloris;
#[path = "../support/mod.rs"]
mod support;
