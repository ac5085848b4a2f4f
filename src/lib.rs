//! **Papo**: a real-time chat that one person starts with one command.
//!
//! Two programs share this library: `servidor` (`src/main.rs`) and `cliente` (`client/main.rs`). The page in `html/`
//! speaks the same protocol. The groups of modules below are in reading order. Imports point one way, never to a later
//! group; a test reads them and keeps the exact order.
//!
//! ```text
//!  page, cliente   conn-N, a thread each                 hub, one thread                     history
//!  ┌────────┐      ┌───────────────────────────┐ HubInput┌──────────────────────┐ Request    ┌─────────┐
//!  │ socket │─────▶│ server::http: the request │────────▶│ chat: people, rooms, │───────────▶│ numbers │
//!  │        │bytes │ ws: bytes → texts         │ bounded │       rules          │            │ and     │
//!  │        │      │ protocol: text → message  │         │ fanout: rooms → one  │◀───────────│ stores  │
//!  │        │      └───────────────────────────┘         │       send per socket│ Reply      └─────────┘
//!  │        │◀───────────────────────────────────────────└──────────────────────┘
//!  └────────┘                      frames
//! ```
//!
//! 1. **One owner.** Only the hub's thread changes people and rooms; all other threads send it inputs.
//! 2. **The hub never waits** for a socket, a disk or a slow consumer.
//! 3. **One writer per socket.** After the upgrade only the hub's thread writes; a connection's thread only reads.
//! 4. **Stored before shown.** A message is shown and acknowledged only after the history has stored it.
//! 5. **Numbers only rise**, and the last one that a client has is enough to catch up.

#![forbid(unsafe_code)]
#![warn(missing_docs, unreachable_pub)]

// Values.
mod ids;
pub mod name;
pub mod os_error;
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

// The server around it, and the command lines.
pub mod cli;
pub mod config;
pub mod server;

#[doc(hidden)]
pub mod testing;
