//! An echo server on the chat's own `ws` and `outbox` code, so that WebSocket conformance suites can be run against it.
//!
//! `cargo run --release --example eco -- 9001 --sem-orcamento` takes messages of up to 64 MiB and sends each back. Without
//! `--sem-orcamento` the chat's byte rate applies, which makes a suite's large messages slow.

use papo::server::Policy;
use papo::testing::{
    HeadError, Opcode, Outbox, Route, ServerHealth, read_head, route, write_close, write_frame,
};
use papo::ws::{
    ByteRate, Incoming, LimitedReader, MessageReader, ReadError, ReadLimits, SharedSocket,
};
use rustix::event::{PollFd, PollFlags, poll};
use std::cell::RefCell;
use std::io::{self, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest message, in bytes: what conformance suites send at most.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;
/// The chat's own budget.
const CHAT_BYTE_RATE: ByteRate = ByteRate {
    per_second: 64 * 1024,
    burst: 256 * 1024,
};

fn main() -> io::Result<()> {
    let mut port = 9001;
    let mut byte_rate = Some(CHAT_BYTE_RATE);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--sem-orcamento" => byte_rate = None,
            number => match number.parse() {
                Ok(number) => port = number,
                Err(_) => {
                    eprintln!("Uso: eco [PORTA] [--sem-orcamento]");
                    std::process::exit(2);
                }
            },
        }
    }
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    println!("Eco em ws://{}/", listener.local_addr()?);
    for socket in listener.incoming() {
        let socket = Arc::new(socket?);
        socket.set_nodelay(true)?;
        std::thread::Builder::new()
            .stack_size(papo::testing::STACK_SIZE)
            .spawn(move || {
                if let Err(error) = echo(&socket, byte_rate) {
                    eprintln!("{error}");
                }
            })?;
    }
    Ok(())
}

/// Does the handshake and sends back each message, until the peer has closed.
fn echo(socket: &Arc<TcpStream>, byte_rate: Option<ByteRate>) -> io::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(5);
    let (head, rest) = match read_head(&mut SharedSocket(socket.clone()), deadline) {
        Ok(read) => read,
        Err(HeadError::Refused(refusal)) => return (&**socket).write_all(&refusal.to_bytes()),
        Err(HeadError::Gone(error)) => return Err(error),
    };
    match route(&head, &Policy::default(), &ServerHealth::default()) {
        Route::Respond(response) => return (&**socket).write_all(&response.to_bytes()),
        Route::Upgrade(response, _) => (&**socket).write_all(&response.to_bytes())?,
    }
    let out = Out {
        socket: socket.clone(),
        outbox: Rc::default(),
    };
    let limited = LimitedReader::new(
        SharedSocket(socket.clone()),
        ReadLimits {
            byte_rate,
            ..ReadLimits::default()
        },
    );
    let mut reader = MessageReader::accept(limited, rest, MAX_MESSAGE, out.clone());
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match reader.read() {
            Ok(Incoming::Text(text)) => write_frame(&mut bytes, Opcode::Text, text.as_bytes()),
            Ok(Incoming::Binary(binary)) => write_frame(&mut bytes, Opcode::Binary, &binary),
            Ok(Incoming::Pong) => continue,
            Err(ReadError::Violation(code, reason)) => {
                write_close(&mut bytes, code, reason);
                out.send(&bytes)?;
                return socket.shutdown(Shutdown::Write);
            }
            Err(ReadError::Closed(_)) => return socket.shutdown(Shutdown::Write),
            Err(ReadError::Lost(_) | ReadError::Stalled) => return Ok(()),
        }
        out.send(&bytes)?;
    }
}

/// The writing side: one outbox, emptied before anything else is read.
#[derive(Clone)]
struct Out {
    socket: Arc<TcpStream>,
    outbox: Rc<RefCell<Outbox>>,
}

impl Out {
    fn send(&self, frames: &[u8]) -> io::Result<()> {
        let mut outbox = self.outbox.borrow_mut();
        outbox.send(&*self.socket, frames, Instant::now())?;
        while !outbox.is_empty() {
            poll(&mut [PollFd::new(&*self.socket, PollFlags::OUT)], None)?;
            outbox.flush(&*self.socket, Instant::now())?;
        }
        Ok(())
    }
}

impl Write for Out {
    fn write(&mut self, frame: &[u8]) -> io::Result<usize> {
        self.send(frame)?;
        Ok(frame.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
