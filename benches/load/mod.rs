//! What the benchmarks share: the server as a process of its own, and a crowd of people that costs little to simulate.
//!
//! Everything here looks at the server from outside, over loopback and through `/proc`, as any client would.

#![allow(dead_code, reason = "each benchmark uses its own part of this module")]

pub mod crowd;
pub mod peer;
pub mod process;
pub mod tally;
