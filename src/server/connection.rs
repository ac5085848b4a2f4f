//! One connection's thread: answers one HTTP request, or upgrades it and then reads messages until the end.
//!
//! After the upgrade it only reads: messages and tungstenite's own control frames go to the hub, the only writer.
//!
//! Knows this one connection; never knows other connections, or what is stored.

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
use crate::server::http::{HeadError, OriginTrust, Policy, Response, Route, ServerHealth};
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

/// Stack of a connection's thread, in bytes. Only touched pages cost memory; with a much smaller stack, hostile input
/// could end the process instead of the connection.
pub const STACK_SIZE: usize = 256 * 1024;
/// How long the whole head of a request may take to arrive, a handshake included.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a message may stay unfinished.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to read and drop what a peer sends after the response.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(500);
/// Most bytes to read and drop; a fast peer sends this much within [`DRAIN_TIMEOUT`].
const MAX_DRAIN_BYTES: usize = 64 * 1024 * 1024;

/// What all connections of a server have in common.
pub(crate) struct ServerContext {
    /// Which names and origins are accepted.
    pub policy: Policy,
    /// Counts the connections.
    pub admission: Arc<Admission>,
    /// The hub's queue.
    pub inputs: Sender<HubInput>,
    /// How many bytes a peer may send; `None` is without limit.
    pub byte_rate: Option<ByteRate>,
    /// For `/saude`.
    pub health: ServerHealth,
    /// The number of the next connection.
    pub next_conn_id: AtomicU64,
}

/// Serves one accepted socket until it is closed.
pub(crate) fn serve(
    socket: Arc<TcpStream>,
    address: IpAddr,
    pending_permit: PendingPermit,
    context: &ServerContext,
) {
    if let Some(upgraded) = handshake(&socket, address, pending_permit, context) {
        run_websocket(socket, ClientAddr::from_ip(address), upgraded, context);
    }
}

/// A connection after its handshake.
struct Upgraded {
    /// What was read beyond the request's head.
    rest: Vec<u8>,
    pending_permit: PendingPermit,
    trust: OriginTrust,
}

/// Answers a request, or upgrades the connection.
// Not inlined: a thread keeps the stack pages that it once touched, so this frame must not lie below the read loop.
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
    match http::route(&head, &context.policy, &context.health) {
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

/// Sends a response and closes the socket such that the peer can still read it.
fn respond(socket: &Arc<TcpStream>, response: &Response, deadline: Instant) {
    let sent = write_all(
        socket,
        &response.to_bytes(),
        deadline.max(Instant::now() + DRAIN_TIMEOUT),
    );
    if sent.is_err() || socket.shutdown(Shutdown::Write).is_err() {
        return;
    }
    // Closing with unread bytes would make the kernel reset the connection, and the response would be lost.
    let until = Instant::now() + DRAIN_TIMEOUT;
    let mut reader = LimitedReader::new(SharedSocket(socket.clone()), ReadLimits::default());
    drain(&mut reader, until);
}

/// Reads and drops what a peer still sends, until the given time.
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

/// Registers the connection with the hub and reads until the end.
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
    // From here on the hub knows the connection, and must learn of its end, also after a panic.
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
            // Before draining, so that the hub replies to the close and the others see the departure at once.
            drop(notify);
            drain(reader.input_mut(), Instant::now() + DRAIN_TIMEOUT);
        }
        Some(ReadError::Violation(code, text)) => {
            request_close(&mut reader, conn, code, text, context);
        }
        Some(ReadError::Stalled) => request_close(
            &mut reader,
            conn,
            1008,
            "A mensagem não chegou inteira a tempo.",
            context,
        ),
        Some(ReadError::Lost(_)) => {}
        // The hub sent a `bye`; closing with unread bytes would make the kernel reset the connection, and lose it.
        None => drain(reader.input_mut(), Instant::now() + 2 * DRAIN_TIMEOUT),
    }
}

/// The reader of the messages after the handshake.
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

/// Reads messages and passes them to the hub. `None` means that the hub closes the connection, or is gone.
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
        // The next message may name this room and must find it open.
        let opens_room = match &input {
            HubInput::Request(_, request) => request.message.opens_room(),
            _ => false,
        };
        context.inputs.send(input).ok()?;
        if opens_room && !handle.bulk.wait_until_empty() {
            return None;
        }
    }
}

/// Turns one text message into the hub's input. `None` means that the connection is over.
fn decode(
    handle: &ConnHandle,
    trust: OriginTrust,
    policy: &Policy,
    text: &str,
) -> Option<HubInput> {
    let mut request = match ClientMessage::parse(text) {
        Ok(request) => request,
        Err(refusal) => return Some(HubInput::Malformed(handle.id, refusal)),
    };
    if let ClientMessage::Enter(enter) = &request.message
        && trust == OriginTrust::NeedsKey
        && !policy.accepts_local_page_key(enter.local_key.as_deref())
    {
        let refusal = Refusal {
            id: request.id().map(str::to_owned),
            ..Refusal::new(ErrorCode::LocalKeyRequired)
        };
        return Some(HubInput::Malformed(handle.id, refusal));
    }
    if request.message.is_bulk() && !handle.bulk.acquire() {
        return None;
    }
    // False when the connection is over.
    if request.message.id().is_some() && !handle.in_flight.acquire() {
        return None;
    }
    if let ClientMessage::Enter(Enter {
        token: token @ None,
        ..
    }) = &mut request.message
    {
        match random_token() {
            Ok(random) => *token = Some(random),
            Err(_) => log::error!("O sistema não tem números aleatórios para dar."),
        }
    }
    Some(HubInput::Request(handle.id, request))
}

/// Asks the hub to close the connection after a violation, and drains it for a moment.
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

/// When dropped, tells the hub that the connection is over.
struct NotifyOnDrop<'a> {
    conn: ConnId,
    inputs: &'a Sender<HubInput>,
    clean_close: bool,
}

impl Drop for NotifyOnDrop<'_> {
    fn drop(&mut self) {
        // An error means that the hub is gone.
        let _ = self
            .inputs
            .send(HubInput::Disconnected(self.conn, self.clean_close));
    }
}

/// Passes tungstenite's own control frames to the hub.
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
