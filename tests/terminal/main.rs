//! The real `cliente`, and the banner of the real `servidor`, in a pseudo-terminal: keys go in, and an emulated terminal
//! tells what a person would see.
//!
//! Tests wait for the screen to show something, each time with one deadline.

#![cfg(unix)]
#![forbid(unsafe_code)]

mod banner;
mod exit;
mod hostile;
mod pipes;
mod pty;
mod stopped_server;
#[path = "../support/mod.rs"]
mod support;
mod talking;
mod unavailable;
mod unusual_terminals;
