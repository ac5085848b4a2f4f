//! The proof that nothing said is ever lost, doubled or out of place: whatever happens to the server, the network or the
//! disk, every client in the end holds the same log, and the log holds everything that was acknowledged.
//!
//! The clients here do what the protocol asks of a client and no more; the experiments differ in what is broken around
//! them. Random moments come from rng whose seed is printed when a proof fails; `PAPO_PROVA_SEMENTE` throws the same
//! rng again, and `PAPO_PROVA_LONGA=1` makes ten times as many kills and schedules.

#![forbid(unsafe_code)]

mod consistency;
mod crash;
mod faulty_network;
mod faulty_proxy;
mod full_disk;
mod harness;
mod log_entry;
mod model;
#[path = "../support/paths.rs"]
mod paths;
#[path = "../support/port.rs"]
mod port;
mod reconnecting_client;
mod restart;
mod transcript;
