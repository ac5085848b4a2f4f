//! A pseudo-terminal with a program in it: the keys that go in, and the screen that a person would see.

use crate::support::process::{CLIENT_PATH, SERVER_PATH};
use crate::support::{Deadline, patience};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long nothing happens before a key is pressed again.
const KEY_RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// Counts the rings that a person would hear.
#[derive(Default)]
struct BellCounter(u32);

impl vt100::Callbacks for BellCounter {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.0 += 1;
    }
}

/// A terminal with a program in it.
pub struct PtyClient {
    /// Gone when the window was closed.
    master: Option<(Box<dyn MasterPty + Send>, Box<dyn Write + Send>)>,
    reader: Option<JoinHandle<()>>,
    closing: Arc<AtomicBool>,
    pub child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    screen_parser: vt100::Parser<BellCounter>,
    pub state_dir: TempDir,
}

impl PtyClient {
    /// A client of this server.
    pub fn new(name: &str, server: SocketAddr, columns: u16, rows: u16) -> Self {
        Self::with_options(&["--nome", name, &server.to_string()], columns, rows)
    }

    /// A client with these options.
    pub fn with_options(options: &[&str], columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new(CLIENT_PATH);
        command.args(options);
        Self::spawn(command, columns, rows)
    }

    /// A shell.
    pub fn shell() -> Self {
        let mut command = CommandBuilder::new("/bin/sh");
        command.arg("-i");
        let mut pty = Self::spawn(command, 80, 24);
        pty.wait_for_text("pronto>");
        pty
    }

    /// A server on a free port, with its history in memory.
    pub fn server(arguments: &[&str], columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new(SERVER_PATH);
        command.args(["--porta", "0", "--historico", "nenhum"]);
        command.args(arguments);
        Self::spawn(command, columns, rows)
    }

    fn spawn(mut command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let state_dir = TempDir::new().unwrap();
        let pair = native_pty_system()
            .openpty(pty_size(columns, rows))
            .unwrap();
        command.env_clear();
        for (key, value) in [
            ("TERM", "xterm-256color"),
            ("TZ", "UTC"),
            ("LANG", "C.UTF-8"),
            ("PS1", "pronto> "),
        ] {
            command.env(key, value);
        }
        command.env("XDG_STATE_HOME", state_dir.path());
        command.cwd(state_dir.path());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (sender, output) = channel();
        let closing = Arc::new(AtomicBool::new(false));
        let closed = closing.clone();
        let reader = std::thread::spawn(move || forward_output(reader, &sender, &closed));
        // A terminal that tells no size is drawn on as if it had the usual one.
        let seen = if rows == 0 { (24, 80) } else { (rows, columns) };
        let screen_parser =
            vt100::Parser::new_with_callbacks(seen.0, seen.1, 0, BellCounter::default());
        Self {
            master: Some((pair.master, keys)),
            reader: Some(reader),
            closing,
            child,
            output,
            screen_parser,
            state_dir,
        }
    }

    pub fn type_keys(&mut self, keys: &str) {
        self.type_bytes(keys.as_bytes());
    }

    pub fn type_bytes(&mut self, bytes: &[u8]) {
        let (_, keys) = self.master.as_mut().expect("an open window");
        keys.write_all(bytes).unwrap();
        keys.flush().unwrap();
    }

    /// Closes the window: the other side of the terminal is gone.
    pub fn close_window(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        // What this key makes the client draw wakes the reader, which then lets go.
        self.type_keys("x");
        self.reader
            .take()
            .expect("a window is closed once")
            .join()
            .unwrap();
        self.master = None;
    }

    /// What is on the screen, rows without the spaces at their ends.
    pub fn screen(&self) -> Vec<String> {
        let screen = self.screen_parser.screen();
        screen
            .rows(0, screen.size().1)
            .map(|row| row.trim_end().to_owned())
            .collect()
    }

    /// One cell of the screen.
    pub fn cell(&self, row: u16, column: u16) -> &vt100::Cell {
        self.screen_parser.screen().cell(row, column).unwrap()
    }

    /// How often the terminal was asked to ring.
    pub fn bells(&self) -> u32 {
        self.screen_parser.callbacks().0
    }

    pub fn is_full_screen(&self) -> bool {
        self.screen_parser.screen().alternate_screen()
    }

    pub fn has_bracketed_paste(&self) -> bool {
        self.screen_parser.screen().bracketed_paste()
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let deadline = Deadline::of_one_event();
        while !wanted(self) {
            match self.output.recv_timeout(deadline.left()) {
                Ok(bytes) => self.screen_parser.process(&bytes),
                Err(error) => panic!("{what}: {error}\n{}", self.screen().join("\n")),
            }
        }
    }

    /// Presses a key again and again until the screen is as wanted: one that comes too early does nothing.
    #[track_caller]
    pub fn press_until(&mut self, key: &str, what: &str, wanted: impl Fn(&Self) -> bool) {
        let deadline = Deadline::of_one_event();
        while !wanted(self) {
            assert!(!deadline.is_over(), "{what}\n{}", self.screen().join("\n"));
            self.type_keys(key);
            let again = Instant::now() + KEY_RETRY_INTERVAL;
            while !wanted(self)
                && let Ok(bytes) = self
                    .output
                    .recv_timeout(again.saturating_duration_since(Instant::now()))
            {
                self.screen_parser.process(&bytes);
            }
        }
    }

    /// Waits until a row holds this.
    #[track_caller]
    pub fn wait_for_text(&mut self, text: &str) {
        self.wait_until(text, |pty| {
            pty.screen().iter().any(|row| row.contains(text))
        });
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        let (master, _) = self.master.as_ref().expect("an open window");
        master.resize(pty_size(columns, rows)).unwrap();
        self.screen_parser.screen_mut().set_size(rows, columns);
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_raw(self.child.process_id().unwrap() as i32).unwrap()
    }

    /// From now on nothing reads what the program writes, though the window stays.
    pub fn stop_reading(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    /// Whether the keys arrive as whole lines, as a shell wants them.
    pub fn is_canonical(&self) -> bool {
        let (master, _) = self.master.as_ref().expect("an open window");
        format!(
            "{:?}",
            master.get_termios().expect("a terminal").local_flags
        )
        .contains("ICANON")
    }

    /// Waits for the end; gives back the exit code and lets the rest of the output be seen.
    pub fn wait_for_exit(&mut self) -> u32 {
        let code = self.child.wait().unwrap().exit_code();
        while let Ok(bytes) = self.output.recv_timeout(patience()) {
            self.screen_parser.process(&bytes);
        }
        code
    }
}

impl Drop for PtyClient {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes on what the terminal shows, until it ends or its window is closed.
fn forward_output(
    mut terminal: Box<dyn Read + Send>,
    output: &Sender<Vec<u8>>,
    closing: &AtomicBool,
) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = terminal.read(&mut buffer) {
        if output.send(buffer[..count].to_vec()).is_err() || closing.load(Ordering::SeqCst) {
            return;
        }
    }
}

fn pty_size(cols: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}
