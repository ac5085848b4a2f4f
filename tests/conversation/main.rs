//! The server over loopback: what clients say and hear, the programs as processes, the documents and the code's shape.
//!
//! Every server listens on a port of its own and stops with its test. Tests wait for events, each with one deadline.

#![forbid(unsafe_code)]

mod architecture;
mod client_program;
mod documents;
mod edits;
mod entering;
mod errors;
mod faulty_history;
mod limits;
mod messages;
mod mirror;
mod moderation;
mod outputs;
mod passwords;
mod protocol_doc;
mod raw_sockets;
mod request_ids;
mod server_program;
mod signals;
#[path = "../support/mod.rs"]
mod support;
