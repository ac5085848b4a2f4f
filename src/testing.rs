//! What only tests, benches, fuzz targets and examples need of the library, item by item.
//!
//! No module of the two programs uses it: what nothing uses beside this list is dead code.

pub use crate::chat::limits::{
    MAX_MALFORMED, MAX_ROOMS_PER_CONNECTION, REQUEST_BURST, REQUEST_RATE, TEXT_BURST_BYTES,
    TEXT_BYTES_PER_SECOND,
};
pub use crate::chat::{Chat, Effect, Event, Now};
pub use crate::fanout::outbox::{Outbox, Sink};
pub use crate::fanout::{ConnHandle, Fanout};
pub use crate::ids::{ClientAddr, ConnId, RoomId};
pub use crate::password_thread::{PasswordReply, PasswordRequest};
pub use crate::server::connection::STACK_SIZE;
pub use crate::server::http::{HeadError, RequestHead, Route, ServerHealth, read_head, route};
pub use crate::ws::frame::{Opcode, write as write_frame, write_close};
