//! The real `cliente` (and the banner of the real `servidor`) in a pseudo-terminal: keys go in, and an emulated terminal
//! says what a person would see. Whoever waits, waits for the screen to show something, with one deadline.

#![cfg(unix)]
#![forbid(unsafe_code)]

mod banner;
mod exit;
mod harness;
mod hostile;
#[path = "../support/paths.rs"]
mod paths;
mod pipes;
#[path = "../support/port.rs"]
mod port;
mod pty;
mod talking;
mod unusual_terminals;
