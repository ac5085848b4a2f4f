//! One visitor's life, on a thread of its own: a request, perhaps a page and goodbye; or a handshake, then reading until
//! the end.
//!
//! After the upgrade this thread only reads. What it understands it tells the hub; what tungstenite wants to answer by
//! itself it hands to the hub, because only the hub's thread writes.
//!
//! Knows this one visitor; never knows other visitors, or what is stored.

use crate::admission::{Admission, PendingPermit};
use crate::auth::random_token;
use crate::fanout::ConnHandle;
use crate::hub::HubInput;
use crate::ids::{ClientAddr, ConnId};
use crate::os_error::describe;
use crate::protocol::{
    ByeCode, ClientMessage, Enter, ErrorCode, MAX_FRAME, Refusal, ServerMessage,
};
use crate::server::http;
use crate::server::http::{HeadError, OriginTrust, Policy, Response, Route};
use crate::stats::Stats;
use crate::ws::{
    ByteRate, Incoming, LimitedReader, MessageReader, ReadError, ReadLimits, SharedSocket,
    TimedRead,
};
use crossbeam_channel::Sender;
use std::io::{self, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Stack of a connection's thread, in bytes. Only what is touched becomes memory; with much less, hostile input could
/// end the process instead of the connection.
pub const STACK_SIZE: usize = 256 * 1024;
/// How long a request's head, the handshake included, may take in all.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a message may stay unfinished.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a peer may go on sending after it was answered.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(500);
/// Bytes that are read and dropped from such a peer; a fast one sends this much in the time that it has.
const MAX_DRAIN_BYTES: usize = 64 * 1024 * 1024;

/// What all connections of a server have in common.
pub struct ServerContext {
    /// Who may connect, and from which pages.
    pub policy: Policy,
    /// Counts who is inside.
    pub admission: Arc<Admission>,
    /// Where the hub listens.
    pub inputs: Sender<HubInput>,
    /// How many bytes a peer may send.
    pub byte_rate: Option<ByteRate>,
    /// Figures for `/saude`.
    pub stats: Arc<Stats>,
    /// When the server started.
    pub started_at: Instant,
    /// The number of the next connection.
    pub next_conn_id: AtomicU64,
}

/// Serves one accepted socket, which may stand in the door, until it is over.
pub fn serve(
    socket: Arc<TcpStream>,
    address: IpAddr,
    pending_permit: PendingPermit,
    context: &ServerContext,
) {
    if let Some(upgraded) = handshake(&socket, address, pending_permit, context) {
        run_websocket(socket, ClientAddr::from_ip(address), upgraded, context);
    }
}

/// What is known of a visitor after the upgrade.
struct Upgraded {
    /// What was read beyond the request.
    rest: Vec<u8>,
    pending_permit: PendingPermit,
    trust: OriginTrust,
}

/// Answers a request, or upgrades the connection.
// On a frame of its own, because the pages that a thread's stack once touched stay with it while it lives.
#[inline(never)]
fn handshake(
    socket: &Arc<TcpStream>,
    address: IpAddr,
    pending_permit: PendingPermit,
    context: &ServerContext,
) -> Option<Upgraded> {
    let deadline = Instant::now() + HEAD_TIMEOUT;
    let (head, rest) = match http::read_head(&mut SharedSocket(socket.clone()), deadline) {
        Ok(read) => read,
        Err(HeadError::Refused(refusal)) => {
            respond(socket, &refusal, deadline);
            return None;
        }
        Err(HeadError::Gone(error)) => {
            log::debug!("Nenhum pedido de {address} ({}).", describe(&error));
            return None;
        }
    };
    match http::route(&head, &context.policy, &context.stats, context.started_at) {
        Route::Respond(response) => {
            respond(socket, &response, deadline);
            None
        }
        Route::Upgrade(response, trust) => {
            match write_all(socket, &response.to_bytes(), deadline) {
                Ok(()) => Some(Upgraded {
                    rest,
                    pending_permit,
                    trust,
                }),
                Err(error) => {
                    log::debug!(
                        "A conexão de {address} caiu no começo ({}).",
                        describe(&error)
                    );
                    None
                }
            }
        }
    }
}

/// Sends an answer and closes, without cutting off what the peer has not read yet.
fn respond(socket: &Arc<TcpStream>, response: &Response, deadline: Instant) {
    let sent = write_all(
        socket,
        &response.to_bytes(),
        deadline.max(Instant::now() + DRAIN_TIMEOUT),
    );
    if sent.is_err() || socket.shutdown(Shutdown::Write).is_err() {
        return;
    }
    // Closing while the peer still sends would make the kernel reset the connection, answer and all.
    let until = Instant::now() + DRAIN_TIMEOUT;
    let mut reader = LimitedReader::new(SharedSocket(socket.clone()), ReadLimits::default());
    drain(&mut reader, until);
}

/// Reads and drops what a peer still sends, for a moment.
fn drain(reader: &mut LimitedReader<SharedSocket>, until: Instant) {
    let mut scratch = [0; 2048];
    let mut left = MAX_DRAIN_BYTES;
    while left > 0 {
        let time = until.saturating_duration_since(Instant::now());
        if time.is_zero() || reader.source().set_read_timeout(Some(time)).is_err() {
            return;
        }
        match reader.read_unlimited(&mut scratch) {
            Ok(read @ 1..) => left = left.saturating_sub(read),
            _ => return,
        }
    }
}

fn write_all(mut socket: &TcpStream, bytes: &[u8], deadline: Instant) -> io::Result<()> {
    let left = deadline
        .saturating_duration_since(Instant::now())
        .max(Duration::from_millis(1));
    socket.set_write_timeout(Some(left))?;
    socket.write_all(bytes)
}

/// The upgraded part of the visit.
#[inline(never)]
fn run_websocket(
    socket: Arc<TcpStream>,
    address: ClientAddr,
    upgraded: Upgraded,
    context: &ServerContext,
) {
    let Upgraded {
        rest,
        pending_permit,
        trust,
    } = upgraded;
    let conn = ConnId(context.next_conn_id.fetch_add(1, Ordering::Relaxed));
    let handle = Arc::new(ConnHandle::new(
        conn,
        address,
        socket.clone(),
        Some(pending_permit),
        Instant::now(),
    ));
    if context
        .inputs
        .send(HubInput::Connected(handle.clone()))
        .is_err()
    {
        return;
    }
    // From here on the hub knows the connection, and must hear of its end whatever happens, a panic included.
    let mut notify = NotifyOnDrop {
        conn,
        inputs: &context.inputs,
        clean_close: false,
    };
    let mut reader = new_reader(socket, rest, &handle, context);
    let end = read_loop(&mut reader, &handle, trust, context);
    if let Some(end) = &end {
        log::debug!("A conexão {} acabou: {end}.", conn.0);
    }
    match end {
        Some(ReadError::Closed(code)) => {
            notify.clean_close = code == 1000;
            // The others hear of it now; the hub sends the reply to the close and shuts the writing side.
            drop(notify);
            drain(reader.input_mut(), Instant::now() + DRAIN_TIMEOUT);
        }
        Some(ReadError::Violation(code, text)) => {
            request_close(&mut reader, conn, code, text, context)
        }
        Some(ReadError::Stalled) => request_close(
            &mut reader,
            conn,
            1008,
            "A mensagem não chegou inteira a tempo.",
            context,
        ),
        Some(ReadError::Lost(_)) => {}
        // The hub said goodbye while the peer still spoke; unread words would make the kernel reset the connection,
        // goodbye and all.
        None => drain(reader.input_mut(), Instant::now() + 2 * DRAIN_TIMEOUT),
    }
}

/// A reader of what comes after the handshake.
#[inline(never)]
fn new_reader(
    socket: Arc<TcpStream>,
    rest: Vec<u8>,
    handle: &ConnHandle,
    context: &ServerContext,
) -> Box<MessageReader<SharedSocket, ControlOut>> {
    let limits = ReadLimits {
        byte_rate: context.byte_rate,
        message_timeout: Some(MESSAGE_TIMEOUT),
        last_seen: Some(handle.last_seen.clone()),
    };
    let control_out = ControlOut {
        conn: handle.id,
        inputs: context.inputs.clone(),
    };
    Box::new(MessageReader::accept(
        LimitedReader::new(SharedSocket(socket), limits),
        rest,
        MAX_FRAME,
        control_out,
    ))
}

/// Reads and tells the hub. `None` means that the hub said goodbye, or is gone.
fn read_loop(
    reader: &mut MessageReader<SharedSocket, ControlOut>,
    handle: &ConnHandle,
    trust: OriginTrust,
    context: &ServerContext,
) -> Option<ReadError> {
    loop {
        let input = match reader.read() {
            Ok(Incoming::Text(text)) => decode(handle, trust, &context.policy, &text)?,
            Ok(Incoming::Pong) => continue,
            Ok(Incoming::Binary(_)) => {
                return Some(ReadError::Violation(1003, "Aqui só se conversa em texto."));
            }
            Err(end) => return Some(end),
        };
        // What follows a request for a room speaks of that room: it must find it open.
        let opens_room = matches!(
            &input,
            HubInput::Request(_, ClientMessage::Enter(_) | ClientMessage::Join(_))
        );
        context.inputs.send(input).ok()?;
        if opens_room && !handle.bulk.wait_until_empty() {
            return None;
        }
    }
}

/// What one text frame tells the hub. `None` means that the connection is over.
fn decode(
    handle: &ConnHandle,
    trust: OriginTrust,
    policy: &Policy,
    text: &str,
) -> Option<HubInput> {
    let mut message = match ClientMessage::parse(text) {
        Ok(ClientMessage::Enter(Enter { local_key: key, .. }))
            if trust == OriginTrust::NeedsKey && !policy.accepts_local_page_key(key.as_deref()) =>
        {
            return Some(HubInput::Malformed(
                handle.id,
                Refusal::new(ErrorCode::LocalKeyRequired),
            ));
        }
        Ok(message) => message,
        Err(refusal) => return Some(HubInput::Malformed(handle.id, refusal)),
    };
    if message.is_bulk() && !handle.bulk.acquire() {
        return None;
    }
    // Waits for a place in the window; there is none when the connection is over.
    if message.id().is_some() && !handle.in_flight.acquire() {
        return None;
    }
    if let ClientMessage::Enter(Enter {
        token: token @ None,
        ..
    }) = &mut message
    {
        match random_token() {
            Ok(random) => *token = Some(random),
            Err(_) => log::error!("O sistema não tem números aleatórios para dar."),
        }
    }
    Some(HubInput::Request(handle.id, message))
}

/// Asks the hub to say goodbye to somebody who broke the rules, and waits a moment for them to close.
fn request_close(
    reader: &mut MessageReader<SharedSocket, ControlOut>,
    conn: ConnId,
    code: u16,
    text: &str,
    context: &ServerContext,
) {
    let bye = ServerMessage::Bye {
        code: ByeCode::Protocol,
        text: text.into(),
        retry_after_ms: None,
    };
    if context
        .inputs
        .send(HubInput::CloseWith(conn, code, bye))
        .is_ok()
    {
        drain(reader.input_mut(), Instant::now() + DRAIN_TIMEOUT);
    }
}

/// Tells the hub that the connection is over, when dropped.
struct NotifyOnDrop<'a> {
    conn: ConnId,
    inputs: &'a Sender<HubInput>,
    clean_close: bool,
}

impl Drop for NotifyOnDrop<'_> {
    fn drop(&mut self) {
        // Without a hub there is nobody to tell.
        let _ = self
            .inputs
            .send(HubInput::Disconnected(self.conn, self.clean_close));
    }
}

/// Hands tungstenite's own frames to the hub.
struct ControlOut {
    conn: ConnId,
    inputs: Sender<HubInput>,
}

impl Write for ControlOut {
    fn write(&mut self, frame: &[u8]) -> io::Result<usize> {
        let reply = HubInput::ControlFrame(self.conn, frame.to_vec());
        self.inputs
            .send(reply)
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(frame.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
