//! The server over loopback, told as stories. Every server listens on a port of its own and stops when its test ends;
//! whoever waits, waits for an event, with one deadline.

#![forbid(unsafe_code)]

mod architecture;
mod client_program;
mod documents;
mod edits;
mod errors;
mod harness;
mod limits;
mod messages;
mod mirror;
mod moderation;
mod passwords;
#[path = "../support/paths.rs"]
mod paths;
#[path = "../support/port.rs"]
mod port;
#[path = "../support/processes.rs"]
mod processes;
mod protocol_doc;
mod raw;
mod server_program;
