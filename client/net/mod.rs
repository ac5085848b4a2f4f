//! The connection to the server: address, token, WebSocket, and the session that reconnects.

pub mod address;
pub mod connection;
pub mod session;
pub mod token;
