//! Bytes on sockets: what no well-behaved client sends, and what the server answers.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// A handshake as a program sends it.
pub const HANDSHAKE: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A request for the page.
pub const GET_PAGE: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// First bytes of frames.
pub const TEXT: u8 = 0x81;
pub const TEXT_FIRST: u8 = 0x01;
pub const CONTINUATION: u8 = 0x00;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8A;

const TIMEOUT: Duration = Duration::from_secs(90);

/// The token of a person, made of the name.
pub fn token_for(name: &str) -> String {
    let digits: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits:0>32}")
}

/// One frame with a mask of zeros.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    write_frame(&mut frame, first, payload);
    frame
}

/// Appends one frame with a mask of zeros.
pub fn write_frame(bytes: &mut Vec<u8>, first: u8, payload: &[u8]) {
    bytes.push(first);
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | short as u8),
        medium @ 126..=0xFFFF => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(payload);
}

/// The first byte of the server's next frame, its payload, and the length of the whole.
pub fn next_frame(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (header, length) = match *bytes.get(1)? {
        126 => (
            4,
            u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?) as usize,
        ),
        127 => (
            10,
            u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize,
        ),
        short => (2, usize::from(short)),
    };
    let end = header + length;
    Some((bytes[0], bytes.get(header..end)?, end))
}

/// A handshake and, right behind it, an `enter`.
pub fn handshake_and_enter(name: &str) -> Vec<u8> {
    let token = token_for(name);
    let enter = format!(r#"{{"type":"enter","name":"{name}","token":"{token}"}}"#);
    [HANDSHAKE.as_bytes(), &frame(TEXT, enter.as_bytes())].concat()
}

/// A socket with a receive buffer as small as the system allows: what is not read waits on the server's side.
pub fn connect_with_small_buffer(address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.set_recv_buffer_size(2048)?;
    socket.connect(&address.into())?;
    Ok(socket.into())
}

/// Opens a socket and sends these bytes.
pub fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    // A server that refuses early may close before everything is sent.
    let _ = socket.write_all(bytes);
    socket
}

/// Everything that the server sends until it closes.
pub fn read_all(mut socket: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = socket.read_to_end(&mut bytes);
    bytes
}

/// Sends these bytes and no more; gives back the text that the server sends until it closes.
pub fn request(address: SocketAddr, bytes: &[u8]) -> String {
    String::from_utf8_lossy(&read_all(send(address, bytes))).into_owned()
}

/// The same with the writing side closed, as frames.
pub fn round_trip(address: SocketAddr, bytes: &[u8]) -> RawResponse {
    let socket = send(address, bytes);
    let _ = socket.shutdown(Shutdown::Write);
    RawResponse::parse(&read_all(socket))
}

/// What the server sent on one connection.
#[derive(Debug, Default)]
pub struct RawResponse {
    /// Of the HTTP answer; 0 when there was none.
    pub status: u16,
    /// The texts, in order.
    pub texts: Vec<String>,
    pub pongs: usize,
    pub close: Option<u16>,
}

impl RawResponse {
    /// Takes the bytes apart; a frame that is cut off at the end is left out.
    pub fn parse(received: &[u8]) -> Self {
        let mut response = Self::default();
        let line = String::from_utf8_lossy(&received[..received.len().min(12)]).into_owned();
        response.status = line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.parse().ok())
            .unwrap_or(0);
        let head = received
            .windows(4)
            .position(|end| end == b"\r\n\r\n")
            .map_or(received.len(), |end| end + 4);
        let mut rest = if response.status == 101 {
            &received[head..]
        } else {
            &[]
        };
        while let Some((first, payload, length)) = next_frame(rest) {
            match first {
                TEXT => {
                    let text = String::from_utf8(payload.to_vec());
                    response.texts.push(text.expect("a text frame is UTF-8"));
                }
                CLOSE => {
                    let code = payload.get(..2);
                    let code = code.map(|code| u16::from_be_bytes([code[0], code[1]]));
                    response.close = Some(code.unwrap_or(1005));
                }
                PONG => response.pongs += 1,
                PING => {}
                other => panic!("the server never sends frames that begin with {other:#x}"),
            }
            rest = &rest[length..];
        }
        response
    }

    /// How many texts hold these characters.
    pub fn count(&self, part: &str) -> usize {
        self.texts.iter().filter(|text| text.contains(part)).count()
    }

    /// The close code and the `bye` of a connection that the server ended.
    pub fn close_and_bye(&self) -> (Option<u16>, Option<String>) {
        let bye = self
            .texts
            .last()
            .filter(|text| text.contains(r#""type":"bye""#));
        let code = bye.and_then(|text| text.split(r#""code":""#).nth(1)?.split('"').next());
        (self.close, code.map(Into::into))
    }
}
