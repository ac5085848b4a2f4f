//! The wire protocol, version 1: one JSON object per WebSocket text frame, its kind in `type`.
//!
//! The two enums are named for their sender. A [`ClientMessage`] is valid: it was checked completely when it was parsed.
//! What the server refuses is a [`Refusal`]: a code for programs, a sentence for people.
//! Knows names, texts and numbers; never knows sockets, threads, clocks or storage.

mod broken_json;
mod client;
mod credentials;
mod decode;
mod error;
mod fields;
mod moderation;
mod scalar;
mod server;

pub use client::{
    ClientMessage, ClientRequest, Edit, Enter, Erase, FetchHistory, Join, Leave, PageRequest,
    Rename, ResumePoint, Say, Search, SetRoomPassword, Token, Typing, Whisper,
};
pub use credentials::{Credentials, Password};
pub use decode::MAX_TEXT;
pub use error::{ErrorCode, Refusal};
pub use moderation::{EraseRecent, ModerationAction};
pub use server::{ByeCode, Entry, Limits, Member, Renamed, RoomInfo, RoomState, ServerMessage};

/// The version of the protocol, sent in `welcome`.
pub const PROTOCOL: u32 = 1;
/// Longest frame and longest message that a client may send, in bytes: 4,000 characters of four bytes, JSON escapes
/// and the other fields fit.
pub const MAX_FRAME: usize = 65_536;
/// Most entries that one `history`, `search` or `joined` carries.
pub const MAX_PAGE: usize = 200;
/// Most people that `joined` lists.
pub const MAX_MEMBERS: usize = 500;
/// Most rooms that `rooms` lists.
pub const MAX_ROOMS_LISTED: usize = 500;
/// How often a client should expect a frame, in milliseconds: the server pings a connection that is idle for so long.
pub const HEARTBEAT_MS: u64 = 20_000;
