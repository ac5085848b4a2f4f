//! Bytes that well-behaved clients would never send, and what the server answers to them.

/// A handshake as a program sends it.
pub const HANDSHAKE: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// First bytes of frames.
pub const TEXT: u8 = 0x81;
pub const TEXT_FIRST: u8 = 0x01;
pub const CONTINUATION: u8 = 0x00;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8A;

/// One frame with a mask of zeros.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..=125 => frame.push(0x80 | short as u8),
        medium @ 126..=0xFFFF => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// The handshake and, right behind it, the words with which somebody enters.
pub fn handshake_and_enter(name: &str) -> Vec<u8> {
    let token = name.replace(' ', "_") + "-0123456789abcdef";
    let enter = format!(r#"{{"type":"enter","name":"{name}","token":"{token}"}}"#);
    [HANDSHAKE.as_bytes(), &frame(TEXT, enter.as_bytes())].concat()
}

/// What the server said on one connection.
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
    /// Takes apart what was heard; a frame that is cut off at the end is left out.
    pub fn parse(heard: &[u8]) -> Self {
        let mut answer = Self::default();
        let text = String::from_utf8_lossy(&heard[..heard.len().min(12)]).into_owned();
        answer.status = text
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.parse().ok())
            .unwrap_or(0);
        let head = heard
            .windows(4)
            .position(|end| end == b"\r\n\r\n")
            .map_or(heard.len(), |end| end + 4);
        let mut rest = if answer.status == 101 {
            &heard[head..]
        } else {
            &[]
        };
        while let Some((first, payload, length)) = next_frame(rest) {
            match first & 0x0F {
                1 => answer.texts.push(
                    String::from_utf8(payload.to_vec()).expect("what the server says is text"),
                ),
                8 => {
                    answer.close = Some(
                        payload
                            .get(..2)
                            .map_or(1005, |code| u16::from_be_bytes([code[0], code[1]])),
                    )
                }
                10 => answer.pongs += 1,
                9 => {}
                other => panic!("the server never sends frames of the kind {other}"),
            }
            rest = &rest[length..];
        }
        answer
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

/// The first byte of the next frame of the server's, its payload, and the length of the whole.
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
    Some((
        bytes[0],
        bytes.get(header..header + length)?,
        header + length,
    ))
}
