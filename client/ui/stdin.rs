//! The input threads: keys of a terminal or lines of standard input, and the signals of job control.
//!
//! Knows where input comes from; never knows what it means.

use crate::ui::UiInput;
use crossbeam_channel::{Receiver, Sender, bounded};
use papo::platform::{self, JobControl};
use std::io::{self, BufRead, Read};
use std::thread;

/// Most inputs read ahead; then the writer of a pipe waits.
const READ_AHEAD: usize = 64;
/// Longest line, in bytes: more than any message may have, so that a truncated line is still refused for its length.
const MAX_LINE: u64 = 64 * 1024;

/// Reads keys, pastes, new sizes and changes of focus.
pub fn read_keys() -> io::Result<Receiver<UiInput>> {
    spawn_reader(|inputs| {
        watch_job_control(inputs.clone());
        while let Ok(event) = crossterm::event::read() {
            if inputs.send(UiInput::Terminal(event)).is_err() {
                return;
            }
        }
        let _ = inputs.send(UiInput::End);
    })
}

/// Reports when the system suspends the program, and when it continues.
fn watch_job_control(inputs: Sender<UiInput>) {
    let report = move |change| {
        let input = match change {
            JobControl::Suspend => UiInput::Suspend,
            JobControl::Resume => UiInput::Resume,
        };
        inputs.send(input).is_ok()
    };
    // Without these signals Ctrl+Z still works as a key.
    let _ = platform::watch_job_control(report);
}

/// Reads lines.
pub fn read_lines() -> io::Result<Receiver<UiInput>> {
    spawn_reader(|inputs| {
        let mut stdin = io::stdin().lock();
        while let Ok(Some(line)) = read_line(&mut stdin) {
            if inputs.send(UiInput::Line(line)).is_err() {
                return;
            }
        }
        let _ = inputs.send(UiInput::End);
    })
}

fn spawn_reader(
    body: impl FnOnce(Sender<UiInput>) + Send + 'static,
) -> io::Result<Receiver<UiInput>> {
    let (sender, receiver) = bounded(READ_AHEAD);
    thread::Builder::new()
        .name("stdin".into())
        .spawn(move || body(sender))?;
    Ok(receiver)
}

/// One line without its end. Invalid UTF-8 is replaced.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        input.skip_until(b'\n')?;
    }
    let text = String::from_utf8_lossy(&line);
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut bytes: &[u8]) -> Vec<String> {
        std::iter::from_fn(|| read_line(&mut bytes).unwrap()).collect()
    }

    #[test]
    fn lines_are_read_without_their_ends() {
        assert_eq!(
            read(b"um\r\ndois\n\ntr\xeas"),
            ["um", "dois", "", "tr\u{FFFD}s"]
        );
    }

    #[test]
    fn line_over_the_limit_is_truncated() {
        let mut bytes = vec![b'a'; 3 * MAX_LINE as usize];
        bytes.extend(b"\nfim\n");
        let lines = read(&bytes);
        assert_eq!(
            (lines[0].len() as u64, lines[1].as_str(), lines.len()),
            (MAX_LINE, "fim", 2)
        );
    }
}
