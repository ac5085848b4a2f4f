//! **Papo**: a real-time chat that one person starts with one command.
//!
//! `servidor` (`src/main.rs`) and `cliente` (`client/main.rs`) share this library. The modules below are in reading order,
//! and imports never point to a later group: a test keeps the exact order. The map with the threads, the life of a
//! message and the invariants is `docs/ARCHITECTURE.md`.

#![forbid(unsafe_code)]
#![warn(missing_docs, unreachable_pub)]

// Values.
mod ids;
pub mod name;
pub mod os_error;
pub mod platform;
pub mod pt;
pub mod rate;
mod stats;
pub mod text;

// The language.
pub mod auth;
pub mod protocol;

// One connection.
mod admission;
pub mod ws;

// The chat.
mod chat;
mod fanout;
pub mod history;
mod hub;
mod password_thread;

// The server around it, and the command lines.
pub mod cli;
pub mod config;
pub mod server;

#[doc(hidden)]
pub mod testing;
