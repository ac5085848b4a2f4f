//! Nobody gets in anybody's way: every attack here really happens to the real server, and the test proves that it did,
//! while healthy people chat beside it, lose nothing, and hear nothing twice or out of place. Afterwards the server's
//! threads, descriptors and memory are back where they were.
//!
//! What was measured is printed (`cargo test --test resistance -- --nocapture`). The short form makes attacks that fit
//! beside other tests and fails on no time that depends on the machine's mood; `PAPO_PROVA_LONGA=1` makes them in full
//! and checks the figures too: run it on a quiet machine, with `--release` and `--test-threads 1`.

#![forbid(unsafe_code)]

mod background_chat;
mod churn;
mod client;
mod floods;
mod frames;
mod garbage;
mod harness;
mod json;
#[path = "../support/paths.rs"]
mod paths;
#[path = "../support/processes.rs"]
mod processes;
mod raw_conn;
mod resource_limits;
mod slow_consumers;
mod slowloris;
