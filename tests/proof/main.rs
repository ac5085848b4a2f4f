//! The proof that nothing said is ever lost, doubled or out of place: whatever happens to the server, the network or the
//! disk, every client in the end holds the same log, and the log holds everything that was acknowledged.
//!
//! The clients here do what the protocol asks of a client and no more; the experiments differ in what is broken around
//! them. Random moments come from dice whose seed is printed when a proof fails; `PAPO_PROVA_SEMENTE` throws the same
//! dice again, and `PAPO_PROVA_LONGA=1` makes ten times as many kills and schedules.

#![forbid(unsafe_code)]

mod client;
mod crash;
mod cut;
mod disk;
mod line;
mod model;
#[path = "../common/paths.rs"]
mod paths;
#[path = "../common/port.rs"]
mod port;
mod proxy;
mod restart;
mod stage;
mod transcript;
mod verdict;
