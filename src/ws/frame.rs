//! WebSocket frames as bytes (RFC 6455, section 5): writes the server's own, and finds where frames end in a stream.
//!
//! The server writes a frame once, unmasked, into a buffer that many connections share; tungstenite would write it once
//! per connection. Headers are tungstenite's `FrameHeader` in both directions.
//! Knows bytes; never knows sockets or what the payloads mean.

use std::io::Cursor;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// The longest header: two bytes, eight of length, four of mask.
const MAX_HEADER_SIZE: usize = 14;
/// The opcode's part of a frame's first byte.
const OPCODE_MASK: u8 = 0x0F;

/// The kinds of frame that the server writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// UTF-8 text.
    Text,
    /// Bytes.
    Binary,
    /// The last frame of a connection.
    Close,
    /// Asks for a pong.
    Ping,
    /// Answers a ping.
    Pong,
}

impl From<Opcode> for OpCode {
    fn from(opcode: Opcode) -> Self {
        match opcode {
            Opcode::Text => Self::Data(Data::Text),
            Opcode::Binary => Self::Data(Data::Binary),
            Opcode::Close => Self::Control(Control::Close),
            Opcode::Ping => Self::Control(Control::Ping),
            Opcode::Pong => Self::Control(Control::Pong),
        }
    }
}

/// Appends one whole unmasked frame.
///
/// Control frames must have a payload of at most 125 bytes.
pub fn write(buffer: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    let header = FrameHeader {
        opcode: opcode.into(),
        ..FrameHeader::default()
    };
    buffer.reserve(MAX_HEADER_SIZE + payload.len());
    header
        .format(payload.len() as u64, buffer)
        .expect("a Vec takes all bytes");
    buffer.extend_from_slice(payload);
}

/// Appends a close frame; the reason is cut at 123 bytes, between characters.
pub fn write_close(buffer: &mut Vec<u8>, code: u16, reason: &str) {
    const MAX_REASON: usize = 123;
    let reason = &reason[..reason.floor_char_boundary(MAX_REASON)];
    let mut payload = Vec::with_capacity(2 + reason.len());
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(reason.as_bytes());
    write(buffer, Opcode::Close, &payload);
}

/// Whether these bytes begin a pong.
pub(crate) fn is_pong(bytes: &[u8]) -> bool {
    bytes
        .first()
        .is_some_and(|first| OpCode::from(first & OPCODE_MASK) == OpCode::Control(Control::Pong))
}

/// Follows a stream of frames, and knows at every byte whether a frame or a fragmented message is unfinished.
///
/// It does not validate frames: the reader of the same bytes does, and ends the connection.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    /// The bytes of an incomplete header.
    header: [u8; MAX_HEADER_SIZE],
    header_len: usize,
    /// Payload bytes still to come of the frame whose header is complete.
    payload_left: u64,
    /// Whether a data message has begun and its last fragment has not come.
    fragmented: bool,
}

impl Scanner {
    /// Follows the next bytes of the stream, and returns whether a message ended within them.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> bool {
        let mut ended = false;
        while !bytes.is_empty() {
            if self.payload_left > 0 {
                let skipped = self.payload_left.min(bytes.len() as u64);
                self.payload_left -= skipped;
                bytes = &bytes[skipped as usize..];
            } else {
                bytes = self.feed_header(bytes);
            }
            ended |= !self.unfinished();
        }
        ended
    }

    /// Whether anything is unfinished: a header, a frame, or a message without its last fragment.
    pub(crate) fn unfinished(&self) -> bool {
        self.header_len > 0 || self.payload_left > 0 || self.fragmented
    }

    /// Bytes that are certainly missing from the current frame: 0 exactly at the end of a frame.
    pub(crate) fn min_remaining(&self) -> u64 {
        if self.header_len > 0 {
            1
        } else {
            self.payload_left
        }
    }

    /// Takes bytes of a header, and returns those after it.
    fn feed_header<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let known = self.header_len;
        let end = MAX_HEADER_SIZE.min(known + bytes.len());
        self.header[known..end].copy_from_slice(&bytes[..end - known]);
        let mut cursor = Cursor::new(&self.header[..end]);
        match FrameHeader::parse(&mut cursor) {
            Ok(Some((header, payload_len))) => {
                let header_len = cursor.position() as usize;
                if let OpCode::Data(_) = header.opcode {
                    self.fragmented = !header.is_final;
                }
                self.header_len = 0;
                self.payload_left = payload_len;
                &bytes[header_len - known..]
            }
            Ok(None) => {
                // Fewer bytes than the longest header, so all of them are part of it.
                self.header_len = end;
                &[]
            }
            // An opcode that does not exist: no frame can follow.
            Err(_) => {
                self.header_len = 0;
                &[]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tungstenite::protocol::Role;
    use tungstenite::protocol::frame::Frame;
    use tungstenite::{Message, WebSocket};

    const FIN: u8 = 0x80;
    const CONTROL_BIT: u8 = 0x08;

    /// What a peer's tungstenite reads from these bytes.
    fn read_back(bytes: &[u8]) -> Message {
        struct Stream<'a>(&'a [u8]);
        impl std::io::Read for Stream<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                self.0.read(buffer)
            }
        }
        impl std::io::Write for Stream<'_> {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        WebSocket::from_raw_socket(Stream(bytes), Role::Client, None)
            .read()
            .unwrap()
    }

    #[test]
    fn frames_of_every_length_are_read_back_by_tungstenite() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            let text = "x".repeat(length);
            let mut bytes = Vec::new();
            write(&mut bytes, Opcode::Text, text.as_bytes());
            assert_eq!(read_back(&bytes), Message::text(text));
        }
    }

    #[test]
    fn close_reason_is_cut_between_characters() {
        let mut bytes = Vec::new();
        write_close(&mut bytes, 1013, &"ã".repeat(100));
        assert!(!is_pong(&bytes));
        let Message::Close(Some(close)) = read_back(&bytes) else {
            panic!("not a close frame")
        };
        assert_eq!(u16::from(close.code), 1013);
        assert_eq!(close.reason.as_str(), "ã".repeat(61));
    }

    fn frame() -> impl Strategy<Value = Vec<u8>> {
        let length = prop_oneof![0..200_usize, 65_500..65_600_usize];
        (0..4_u8, length, any::<bool>(), any::<bool>()).prop_map(|(kind, length, fin, masked)| {
            let payload = vec![7_u8; length];
            let mut frame = match kind {
                0 => Frame::message(payload, OpCode::Data(Data::Text), fin),
                1 => Frame::message(payload, OpCode::Data(Data::Continue), fin),
                2 => Frame::message(payload, OpCode::Data(Data::Binary), fin),
                _ => Frame::ping(payload[..length.min(125)].to_vec()),
            };
            if masked {
                frame.header_mut().mask = Some([1, 2, 3, 4]);
            }
            let mut bytes = Vec::new();
            frame.format(&mut bytes).unwrap();
            bytes
        })
    }

    proptest! {
        #[test]
        fn scanner_finds_every_boundary_for_any_chunking(
            frames in prop::collection::vec(frame(), 1..6),
            cuts in prop::collection::vec(1..3000_usize, 1..20),
        ) {
            let mut scanner = Scanner::default();
            let mut fragmented = false;
            for frame in frames {
                let mut rest = frame.as_slice();
                for cut in cuts.iter().cycle() {
                    let (now, later) = rest.split_at((*cut).min(rest.len()));
                    scanner.feed(now);
                    rest = later;
                    if rest.is_empty() {
                        break;
                    }
                    prop_assert!(scanner.unfinished() && scanner.min_remaining() > 0);
                }
                if frame[0] & CONTROL_BIT == 0 {
                    fragmented = frame[0] & FIN == 0;
                }
                prop_assert_eq!(scanner.min_remaining(), 0);
                prop_assert_eq!(scanner.unfinished(), fragmented);
            }
        }

        #[test]
        fn scanner_accepts_any_bytes(bytes in any::<Vec<u8>>()) {
            Scanner::default().feed(&bytes);
        }
    }
}
