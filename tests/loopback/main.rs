//! The server over loopback, told as stories. Every server listens on a port of its own and stops when its test ends;
//! whoever waits, waits for an event, with one deadline.

#![forbid(unsafe_code)]

mod amending;
mod architecture;
mod binaries;
mod cliente;
mod conversation;
mod errors;
mod host;
mod limits;
mod mirror;
mod passwords;
#[path = "../common/paths.rs"]
mod paths;
#[path = "../common/port.rs"]
mod port;
#[path = "../common/processes.rs"]
mod processes;
mod raw;
mod stage;
