//! What the benchmarks share: the server as a process of its own, and a crowd of people that costs little to simulate.
//!
//! Sees the server only from outside, over loopback and through `/proc`.

#![allow(dead_code, reason = "each benchmark uses its own part of this module")]

pub mod client;
pub mod crowd;
pub mod disk;
pub mod peer;
#[path = "../../tests/support/proc.rs"]
pub mod proc;
pub mod process;
#[path = "../../tests/support/raw.rs"]
pub mod raw;
pub mod stacks;
pub mod tally;
pub mod text;
