//! **Papo**: a real-time chat that one person can start with one command.
//!
//! Two programs share this library: `servidor` (`src/main.rs`) and `cliente` (`client/main.rs`). The page in `html/`
//! speaks the same language. Reading in the order of the modules below, one meets the language first, then one
//! connection, then all of them together.
//!
//! ```text
//!  page / cliente                                        one thread, sole owner and sole writer
//!  ┌────────┐ bytes ┌── connection (a thread each) ──┐ Input ┌────────── exchange ──────────┐ Job  ┌─ history ─┐
//!  │ socket │──────▶│ http: head, page or handshake   │──────▶│ hub: people, rooms, rules     │─────▶│ numbers,   │
//!  │        │       │ socket: guard → tungstenite     │bounded│ delivery: rooms' buffers,     │◀─────│ stores     │
//!  │        │◀──────┼─────────────────────────────────┼───────│ outboxes, one send per socket │Answer└───────────┘
//!  └────────┘       │ protocol: text → checked message│       └───────────────────────────────┘
//!                   └─────────────────────────────────┘
//! ```
//!
//! The rules of the house:
//!
//! 1. **One owner.** Only the hub changes people and rooms; everybody else sends it events.
//! 2. **The hub never waits** for a socket, a disk or a slow reader.
//! 3. **One writer per socket.** After the upgrade only the hub's thread writes; a connection's thread only reads.
//! 4. **Stored before shown.** A message is shown and acknowledged only after the history has it.
//! 5. **Numbers only rise**, and the last one seen is enough to catch up.
//!
//! Dependencies point one way: a module may use those of the groups before its own, and a test that reads the `use`
//! lines keeps the exact order.

// The ground floor.
pub mod cli;
pub mod ids;
pub mod name;
pub mod os_error;
pub mod pt;
pub mod rate;
pub mod stats;
pub mod text;

// The language.
pub mod auth;
pub mod protocol;

// One connection.
pub mod admission;
pub mod ws;

// All of them together.
pub mod chat;
pub mod fanout;
pub mod history;
pub mod hub;

// The server around them.
pub mod config;
pub mod server;
