use super::*;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);

/// A destination that takes each text only when the test lets it.
struct GatedOutput {
    started: Sender<()>,
    gate: Receiver<io::Result<()>>,
    taken: Sender<Vec<u8>>,
}

impl Destination for GatedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let _ = self.started.send(());
        // When the test is over, nothing is taken any more.
        self.gate.recv().unwrap_or(Ok(()))?;
        let _ = self.taken.send(bytes.to_vec());
        Ok(())
    }

    fn reopen(&mut self) {
        let _ = self.taken.send(b"reopened".to_vec());
    }
}

struct Harness {
    queue: OutputQueue,
    started: Receiver<()>,
    gate: Sender<io::Result<()>>,
    taken: Receiver<Vec<u8>>,
}

impl Harness {
    fn new() -> Self {
        let (gate, gate_receiver) = bounded(0);
        let (taken_sender, taken) = unbounded();
        let (started_sender, started) = unbounded();
        let output = GatedOutput {
            started: started_sender,
            gate: gate_receiver,
            taken: taken_sender,
        };
        Self {
            queue: OutputQueue::start("test", output, UtcOffset::UTC).unwrap(),
            started,
            gate,
            taken,
        }
    }

    fn push(&self, text: &str) {
        self.queue.push(text.into());
    }

    /// Lets the output take one text, and returns it.
    fn take(&self) -> String {
        self.gate.send_timeout(Ok(()), PATIENCE).unwrap();
        String::from_utf8(self.taken.recv_timeout(PATIENCE).unwrap()).unwrap()
    }

    /// Lets the output fail once.
    fn fail(&self) {
        let full = io::ErrorKind::StorageFull;
        self.gate.send_timeout(Err(full.into()), PATIENCE).unwrap();
    }
}

#[test]
fn lines_over_the_bound_are_dropped_and_counted_in_place() {
    let harness = Harness::new();
    harness.push("0\n");
    harness.started.recv_timeout(PATIENCE).unwrap();
    for number in 1..=MAX_TEXTS + 10 {
        harness.push(&format!("{number}\n"));
    }
    for number in 0..=MAX_TEXTS {
        assert_eq!(harness.take(), format!("{number}\n"));
    }
    let notice = harness.take();
    let words = " [WARN] Aqui 10 linhas se perderam, porque esta saída não as aceitava.\n";
    assert!(notice.ends_with(words), "{notice}");
    harness.push("depois\n");
    assert_eq!(harness.take(), "depois\n");
}

#[test]
fn queue_is_bounded_in_bytes_and_hovers_without_notices() {
    let mut state = State::default();
    let text = vec![b'x'; MAX_BYTES / 4];
    for _ in 0..4 {
        state.push(text.clone());
    }
    let waiting = |state: &State| state.waiting.len();
    assert_eq!(waiting(&state), 4);
    state.push(b"a\nb\n".to_vec());
    assert!(matches!(state.waiting.back(), Some(Item::Dropped(2))));
    // With a little room the losses go on: not until the half is free does a line get in again.
    state.waiting.pop_front();
    state.bytes -= text.len();
    state.push(b"c\n".to_vec());
    assert!(matches!(state.waiting.back(), Some(Item::Dropped(3))));
    state.waiting.drain(..2);
    state.bytes -= 2 * text.len();
    state.push(b"d\n".to_vec());
    assert_eq!(waiting(&state), 3);
    assert_eq!(state.bytes, text.len() + 2);
}

#[test]
fn failed_writes_are_counted_until_one_succeeds() {
    let harness = Harness::new();
    harness.push("um\n");
    harness.fail();
    harness.push("dois\n");
    harness.fail();
    harness.push("três\n");
    let notice = harness.take();
    assert!(notice.contains("Aqui 2 linhas se perderam"), "{notice}");
    assert_eq!(harness.take(), "três\n");
}

#[test]
fn end_waits_for_the_last_line_and_not_for_a_stopped_output() {
    let harness = Harness::new();
    assert!(harness.queue.wait_until_empty(Instant::now()));
    harness.push("última\n");
    assert!(!harness.queue.wait_until_empty(Instant::now()));
    let before = harness.queue.written();
    assert_eq!(harness.take(), "última\n");
    assert!(harness.queue.wait_until_empty(Instant::now() + PATIENCE));
    assert_eq!(harness.queue.written(), before + 1);
}

#[test]
fn reopening_needs_no_line() {
    let harness = Harness::new();
    harness.queue.reopen();
    let taken = harness.taken.recv_timeout(PATIENCE).unwrap();
    assert_eq!(taken, b"reopened");
}

#[test]
fn line_writer_gives_whole_lines() {
    let harness = Harness::new();
    let mut writer = LineWriter::new(harness.queue.clone());
    writer.write_all(b"agora ").unwrap();
    writer.write_all(b"[WARN] ").unwrap();
    assert!(harness.queue.wait_until_empty(Instant::now()));
    writeln!(writer, "cheio").unwrap();
    assert_eq!(harness.take(), "agora [WARN] cheio\n");
}
