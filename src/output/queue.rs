//! A bounded queue of lines and the thread that writes them.
//!
//! Adding a line never waits: what does not fit is dropped and counted, and when there is room again a line says how many
//! are missing. Knows lines and bytes; never knows what they say.

use super::logging::timestamp;
use papo::platform;
use papo::pt::group_thousands;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;
use time::UtcOffset;

/// Most texts that wait.
const MAX_TEXTS: usize = 4096;
/// Most bytes that wait.
const MAX_BYTES: usize = 1024 * 1024;

/// Where a queue's lines go. Only the queue's thread waits for it.
pub(super) trait Destination: Send + 'static {
    /// Writes all of it, however long that takes.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Opens it again at its path, if it has one.
    fn reopen(&mut self) {}
}

/// The producers' side of a queue.
#[derive(Clone)]
pub(super) struct OutputQueue {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Item>,
    /// Bytes of all waiting texts.
    bytes: usize,
    reopen: bool,
    /// The thread is writing what it took last.
    writing: bool,
    /// How much the thread has dealt with.
    written: u64,
}

/// A place in the queue.
enum Item {
    /// One or more whole lines.
    Text(Vec<u8>),
    /// So many lines were dropped here.
    Dropped(u64),
}

/// What the thread does next.
enum Task {
    Write(Item),
    Reopen,
}

impl OutputQueue {
    /// Starts the thread of this destination. It ends with the program.
    pub(super) fn start(
        name: &str,
        destination: impl Destination,
        offset: UtcOffset,
    ) -> io::Result<Self> {
        let queue = Self {
            shared: Arc::default(),
        };
        let shared = queue.shared.clone();
        let mut writer = Writer {
            destination,
            offset,
            lost: 0,
            torn: false,
        };
        let run = move || {
            platform::allow_background_output();
            loop {
                match shared.next_task() {
                    Task::Reopen => writer.destination.reopen(),
                    Task::Write(item) => writer.deliver(item),
                }
            }
        };
        thread::Builder::new().name(name.into()).spawn(run)?;
        Ok(queue)
    }

    /// Adds one or more whole lines, or drops them.
    pub(super) fn push(&self, text: Vec<u8>) {
        self.shared.lock().push(text);
        self.shared.changed.notify_all();
    }

    /// Reopens the destination as soon as the thread is free.
    pub(super) fn reopen(&self) {
        self.shared.lock().reopen = true;
        self.shared.changed.notify_all();
    }

    /// Waits until everything is written; false if it was not until then.
    pub(super) fn wait_until_empty(&self, deadline: Instant) -> bool {
        let timeout = deadline.saturating_duration_since(Instant::now());
        let state = self.shared.lock();
        let busy = |state: &mut State| state.writing || !state.waiting.is_empty();
        let waited = self.shared.changed.wait_timeout_while(state, timeout, busy);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// How much has been dealt with: a number that grows while the destination takes lines.
    pub(super) fn written(&self) -> u64 {
        self.shared.lock().written
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for something to do.
    fn next_task(&self) -> Task {
        let mut state = self.lock();
        if state.writing {
            state.writing = false;
            state.written += 1;
            self.changed.notify_all();
        }
        let idle = |state: &mut State| !state.reopen && state.waiting.is_empty();
        let waited = self.changed.wait_while(state, idle);
        state = waited.unwrap_or_else(PoisonError::into_inner);
        state.writing = true;
        if std::mem::take(&mut state.reopen) {
            return Task::Reopen;
        }
        let item = state.waiting.pop_front().expect("it is not empty");
        if let Item::Text(text) = &item {
            state.bytes -= text.len();
        }
        Task::Write(item)
    }
}

impl State {
    fn push(&mut self, text: Vec<u8>) {
        // After a loss it must drain to a half: a queue that is always nearly full would be full of notices.
        let share = match self.waiting.back() {
            Some(Item::Dropped(_)) => 2,
            _ => 1,
        };
        let fits =
            self.waiting.len() < MAX_TEXTS / share && self.bytes + text.len() <= MAX_BYTES / share;
        match self.waiting.back_mut() {
            _ if fits => {
                self.bytes += text.len();
                self.waiting.push_back(Item::Text(text));
            }
            Some(Item::Dropped(count)) => *count += count_lines(&text),
            _ => self.waiting.push_back(Item::Dropped(count_lines(&text))),
        }
    }
}

/// The thread's side of a queue.
struct Writer<D> {
    destination: D,
    /// Of the times in its notices.
    offset: UtcOffset,
    /// Lines that were dropped or could not be written, and that no notice has counted yet.
    lost: u64,
    /// The last write failed, perhaps in the middle of a line.
    torn: bool,
}

impl<D: Destination> Writer<D> {
    fn deliver(&mut self, item: Item) {
        let text = match item {
            Item::Text(text) => text,
            Item::Dropped(count) => {
                self.lost += count;
                Vec::new()
            }
        };
        if self.lost > 0 && self.write(&self.loss_notice()) {
            self.lost = 0;
        }
        // As long as not even the notice can be written, the text can't be either.
        if !text.is_empty() && (self.lost > 0 || !self.write(&text)) {
            self.lost += count_lines(&text);
        }
    }

    fn write(&mut self, bytes: &[u8]) -> bool {
        let written = self.destination.write(bytes);
        self.torn = written.is_err();
        written.is_ok()
    }

    fn loss_notice(&self) -> Vec<u8> {
        let line_end = if self.torn { "\n" } else { "" };
        let time = timestamp(self.offset);
        let lines = match self.lost {
            1 => "1 linha se perdeu".to_owned(),
            lost => format!("{} linhas se perderam", group_thousands(lost)),
        };
        format!("{line_end}{time} [WARN] Aqui {lines}, porque esta saída não as aceitava.\n").into()
    }
}

fn count_lines(text: &[u8]) -> u64 {
    let ends = text.iter().filter(|byte| **byte == b'\n').count();
    ends.max(1) as u64
}

/// Gives whole lines to a queue.
pub(super) struct LineWriter {
    queue: OutputQueue,
    line: Vec<u8>,
}

impl LineWriter {
    pub(super) fn new(queue: OutputQueue) -> Self {
        Self {
            queue,
            line: Vec::new(),
        }
    }
}

impl Write for LineWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if self.line.ends_with(b"\n") {
            self.queue.push(std::mem::take(&mut self.line));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
