//! Somebody at a terminal: the real client, the keys and the screen.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long anybody waits for anything.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Counts the rings that a person would hear.
#[derive(Default)]
struct Bells(u32);

impl vt100::Callbacks for Bells {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.0 += 1;
    }
}

/// A terminal with a client in it.
pub struct Seat {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    pub child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    terminal: vt100::Parser<Bells>,
    home: PathBuf,
}

impl Seat {
    pub fn new(name: &str, server: SocketAddr, columns: u16, rows: u16) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = format!("papo-terminal-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let home = std::env::temp_dir().join(folder);
        std::fs::create_dir(&home).unwrap();
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_cliente"));
        command.args(["--nome", name, &server.to_string()]);
        command.env_clear();
        for (key, value) in [("TERM", "xterm-256color"), ("TZ", "UTC"), ("LANG", "C.UTF-8")] {
            command.env(key, value);
        }
        command.env("XDG_STATE_HOME", &home);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let terminal = vt100::Parser::new_with_callbacks(rows, columns, 0, Bells::default());
        Self { master: pair.master, keys, child, output, terminal, home }
    }

    pub fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// What is on the screen, rows without the spaces at their ends.
    pub fn screen(&self) -> Vec<String> {
        let screen = self.terminal.screen();
        screen.rows(0, screen.size().1).map(|row| row.trim_end().to_owned()).collect()
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
            match self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.terminal.process(&bytes),
                Err(error) => panic!("{what}: {error}\n{}", self.screen().join("\n")),
            }
        }
    }

    /// Waits until a row holds this.
    #[track_caller]
    pub fn sees(&mut self, text: &str) {
        self.waits(text, |seat| seat.screen().iter().any(|row| row.contains(text)));
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.master.resize(size(columns, rows)).unwrap();
        self.terminal.screen_mut().set_size(rows, columns);
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_raw(self.child.process_id().unwrap() as i32).unwrap()
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

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}
