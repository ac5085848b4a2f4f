//! Somebody at a terminal: the real client (or the real server), the keys and the screen.

use crate::paths::new_path;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long anybody waits for anything.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// How long nothing happens before a key is pressed again.
const AGAIN: Duration = Duration::from_millis(500);

/// The program that all of this is about.
pub const CLIENTE: &str = env!("CARGO_BIN_EXE_cliente");

/// Counts the rings that a person would hear.
#[derive(Default)]
struct Bells(u32);

impl vt100::Callbacks for Bells {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.0 += 1;
    }
}

/// A terminal with a program in it.
pub struct Seat {
    /// Gone when the window was closed.
    master: Option<(Box<dyn MasterPty + Send>, Box<dyn Write + Send>)>,
    reader: Option<JoinHandle<()>>,
    closing: Arc<AtomicBool>,
    pub child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    terminal: vt100::Parser<Bells>,
    pub home: PathBuf,
}

impl Seat {
    /// Somebody who talks.
    pub fn new(name: &str, server: SocketAddr, columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new(CLIENTE);
        command.args(["--nome", name, &server.to_string()]);
        Self::with(command, columns, rows)
    }

    /// A terminal with a shell in it, as everybody has.
    pub fn shell() -> Self {
        let mut command = CommandBuilder::new("/bin/sh");
        command.arg("-i");
        let mut seat = Self::with(command, 80, 24);
        seat.sees("pronto>");
        seat
    }

    /// Somebody who starts a server that keeps nothing, on a port that is free.
    pub fn of_the_host(arguments: &[&str], columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_servidor"));
        command.args(["--porta", "0", "--historico", "nenhum"]);
        command.args(arguments);
        Self::with(command, columns, rows)
    }

    fn with(mut command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let home = new_path("terminal");
        std::fs::create_dir(&home).unwrap();
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        command.env_clear();
        for (key, value) in [
            ("TERM", "xterm-256color"),
            ("TZ", "UTC"),
            ("LANG", "C.UTF-8"),
            ("PS1", "pronto> "),
        ] {
            command.env(key, value);
        }
        command.env("XDG_STATE_HOME", &home);
        command.cwd(&home);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (sender, output) = channel();
        let closing = Arc::new(AtomicBool::new(false));
        let closed = closing.clone();
        let reader = std::thread::spawn(move || watch(reader, &sender, &closed));
        // A terminal that tells no size is drawn on as if it had the usual one.
        let seen = if rows == 0 { (24, 80) } else { (rows, columns) };
        let terminal = vt100::Parser::new_with_callbacks(seen.0, seen.1, 0, Bells::default());
        Self {
            master: Some((pair.master, keys)),
            reader: Some(reader),
            closing,
            child,
            output,
            terminal,
            home,
        }
    }

    pub fn types(&mut self, keys: &str) {
        self.types_bytes(keys.as_bytes());
    }

    pub fn types_bytes(&mut self, bytes: &[u8]) {
        let (_, keys) = self.master.as_mut().expect("an open window");
        keys.write_all(bytes).unwrap();
        keys.flush().unwrap();
    }

    /// Closes the window: nobody holds the other side of the terminal any more.
    pub fn closes_the_window(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        // What this key makes the client draw wakes the one who reads, and who lets go.
        self.types("x");
        self.reader
            .take()
            .expect("a window is closed once")
            .join()
            .unwrap();
        self.master = None;
    }

    /// What is on the screen, rows without the spaces at their ends.
    pub fn screen(&self) -> Vec<String> {
        let screen = self.terminal.screen();
        screen
            .rows(0, screen.size().1)
            .map(|row| row.trim_end().to_owned())
            .collect()
    }

    /// One cell of the screen.
    pub fn cell(&self, row: u16, column: u16) -> &vt100::Cell {
        self.terminal.screen().cell(row, column).unwrap()
    }

    /// How often the terminal was asked to ring.
    pub fn bells(&self) -> u32 {
        self.terminal.callbacks().0
    }

    pub fn is_full_screen(&self) -> bool {
        self.terminal.screen().alternate_screen()
    }

    pub fn takes_pastes(&self) -> bool {
        self.terminal.screen().bracketed_paste()
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn waits(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let until = Instant::now() + DEADLINE;
        while !wanted(self) {
            match self
                .output
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(bytes) => self.terminal.process(&bytes),
                Err(error) => panic!("{what}: {error}\n{}", self.screen().join("\n")),
            }
        }
    }

    /// Presses a key until the screen is as wanted: again and again, as people do while nothing happens, because a key
    /// that comes before there is anything for it to do does nothing.
    #[track_caller]
    pub fn presses(&mut self, key: &str, what: &str, wanted: impl Fn(&Self) -> bool) {
        let until = Instant::now() + DEADLINE;
        while !wanted(self) {
            assert!(
                Instant::now() < until,
                "{what}\n{}",
                self.screen().join("\n")
            );
            self.types(key);
            let again = Instant::now() + AGAIN;
            while !wanted(self)
                && let Ok(bytes) = self
                    .output
                    .recv_timeout(again.saturating_duration_since(Instant::now()))
            {
                self.terminal.process(&bytes);
            }
        }
    }

    /// Waits until a row holds this.
    #[track_caller]
    pub fn sees(&mut self, text: &str) {
        self.waits(text, |seat| {
            seat.screen().iter().any(|row| row.contains(text))
        });
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        let (master, _) = self.master.as_ref().expect("an open window");
        master.resize(size(columns, rows)).unwrap();
        self.terminal.screen_mut().set_size(rows, columns);
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_raw(self.child.process_id().unwrap() as i32).unwrap()
    }

    /// Nobody reads what the terminal shows any more, though its window stays.
    pub fn looks_away(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    /// Whether the keys arrive as whole lines, as a shell wants them.
    pub fn gathers_lines(&self) -> bool {
        let (master, _) = self.master.as_ref().expect("an open window");
        format!(
            "{:?}",
            master.get_termios().expect("a terminal").local_flags
        )
        .contains("ICANON")
    }

    /// Waits for the end; gives back the exit code and lets the rest of the output be seen.
    pub fn ends(&mut self) -> u32 {
        let code = self.child.wait().unwrap().exit_code();
        while let Ok(bytes) = self.output.recv_timeout(DEADLINE) {
            self.terminal.process(&bytes);
        }
        code
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// Passes on what the terminal shows, until it ends or its window is closed.
fn watch(mut terminal: Box<dyn Read + Send>, output: &Sender<Vec<u8>>, closing: &AtomicBool) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = terminal.read(&mut buffer) {
        if output.send(buffer[..count].to_vec()).is_err() || closing.load(Ordering::SeqCst) {
            return;
        }
    }
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}
