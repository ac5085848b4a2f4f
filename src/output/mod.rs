//! What the running server writes: banner, log lines, panics and its last line.
//!
//! A terminal can be stopped (Ctrl+S), a pipe full, a disk slow. Each output has a bounded queue and a thread of its own,
//! so no other thread ever waits for one. Knows streams; never knows what happens in the server.

mod log_file;
mod logging;
mod queue;

pub use logging::{init_logging, report_panics};

use log_file::LogFile;
use papo::os_error::describe;
use papo::platform::{self, FileId, StandardStream};
use queue::{Destination, LineWriter, OutputQueue};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
use time::UtcOffset;

/// How long the end of the program waits for an output that takes nothing.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);
/// How long it waits for one that takes little.
const MAX_FLUSH: Duration = Duration::from_secs(5);

/// The outputs of a running server.
#[derive(Clone)]
pub struct Outputs {
    stdout: OutputQueue,
    stderr: OutputQueue,
    /// `None` when log lines go to standard error.
    log: Option<OutputQueue>,
    /// Of the times in log lines; UTC where the time zone is unknown.
    offset: UtcOffset,
}

impl Outputs {
    /// Opens the outputs and starts their threads. An error is the sentence to print.
    pub fn start(log_file: Option<&Path>) -> Result<Self, String> {
        // It can be read only while there is one thread.
        let offset = UtcOffset::current_local_offset().unwrap_or(UtcOffset::UTC);
        let log_file = log_file.map(open_log_file).transpose()?;
        let no_resources = |error: io::Error| {
            format!(
                "O sistema não deu o que o servidor precisa para escrever ({}). Feche outros programas e tente de novo.",
                describe(&error)
            )
        };
        Self::start_threads(log_file, offset).map_err(no_resources)
    }

    fn start_threads(log_file: Option<LogFile>, offset: UtcOffset) -> io::Result<Self> {
        let out = StandardStream::Output.open()?;
        let err = StandardStream::Error.open()?;
        // On one terminal or in one pipe the order must hold, so it has one thread.
        let shared = FileId::of(&out)? == FileId::of(&err)?;
        let stdout = OutputQueue::start("stdout", out, offset)?;
        let stderr = if shared {
            stdout.clone()
        } else {
            OutputQueue::start("stderr", err, offset)?
        };
        let log = log_file.map(|file| OutputQueue::start("log", file, offset));
        Ok(Self {
            stdout,
            stderr,
            log: log.transpose()?,
            offset,
        })
    }

    /// Writes to standard output.
    pub fn print(&self, text: &str) {
        self.stdout.push(text.into());
    }

    /// Writes a sentence to standard error.
    pub fn print_error(&self, sentence: &str) {
        self.stderr.push(format!("{sentence}\n").into());
    }

    /// A writer for log lines.
    fn log_writer(&self) -> LineWriter {
        LineWriter::new(self.log.as_ref().unwrap_or(&self.stderr).clone())
    }

    /// Writes to standard error, and to the log file if there is one.
    fn print_everywhere(&self, text: &str) {
        self.stderr.push(text.into());
        if let Some(log) = &self.log {
            log.push(text.into());
        }
    }

    /// Opens the log file again at its path, for instance after it was renamed.
    pub fn reopen_log(&self) {
        if let Some(log) = &self.log {
            log.reopen();
        }
    }

    /// Waits until everything is written, but not for an output that takes nothing for a second.
    pub fn finish(&self) {
        let end = Instant::now() + MAX_FLUSH;
        let mut before = None;
        while before != Some(self.progress()) && Instant::now() < end {
            before = Some(self.progress());
            let deadline = Instant::now() + FLUSH_TIMEOUT;
            if self.queues().all(|queue| queue.wait_until_empty(deadline)) {
                return;
            }
        }
    }

    /// A number that grows with each line that is written.
    fn progress(&self) -> u64 {
        self.queues().map(OutputQueue::written).sum()
    }

    fn queues(&self) -> impl Iterator<Item = &OutputQueue> {
        [&self.stdout, &self.stderr].into_iter().chain(&self.log)
    }
}

impl Destination for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        platform::write_fully(self, bytes)
    }
}

fn open_log_file(path: &Path) -> Result<LogFile, String> {
    LogFile::open(path).map_err(|error| {
        let path = path.display();
        format!(
            "Não consegui escrever os registros em {path} ({}). Escolha outro arquivo: servidor --log papo.log",
            describe(&error)
        )
    })
}
