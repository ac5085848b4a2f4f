//! Forced exits (a panic, a signal, a closed terminal): restores the terminal and prints the last frame on it.
//!
//! Knows how the system ends a program; never knows what the program was doing.

use crate::app::Exit;
use crate::ui::screen;
use crossbeam_channel::{Receiver, bounded};
use papo::platform::{self, StopSignal};
use std::time::Duration;
use std::{io, thread};

/// How long an orderly exit may take before it is forced.
const FORCED_EXIT_AFTER: Duration = Duration::from_secs(3);
/// How long restoring may take; a stalled terminal would block forever.
const RESTORE_TIMEOUT: Duration = Duration::from_millis(500);

/// Makes a panic in any thread end the program with the terminal restored.
pub fn restore_on_panic() {
    let default_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        screen::restore();
        screen::print_last_frame();
        eprintln!("O cliente encontrou um defeito e precisou parar. O que se sabe dele:");
        default_hook(info);
        std::process::exit(Exit::Unexpected as i32);
    }));
}

/// Receives the system's requests to end, SIGINT, SIGTERM and SIGHUP, as the exit codes that tell of them.
pub fn shutdown_signal() -> io::Result<Receiver<Exit>> {
    let (sender, receiver) = bounded(1);
    platform::on_stop_signal(move |signal| {
        let exit = match signal {
            StopSignal::Interrupt => Exit::Interrupted,
            StopSignal::Terminate => Exit::Terminated,
            StopSignal::HangUp => Exit::HungUp,
        };
        let _ = sender.try_send(exit);
        thread::sleep(FORCED_EXIT_AFTER);
        restore_terminal();
        std::process::exit(exit as i32);
    })?;
    Ok(receiver)
}

/// Restores the terminal in place of the main thread, which may be blocked in a write. Restoring may block too, so it has
/// a thread of its own and a time limit.
fn restore_terminal() {
    let (done, restored) = bounded::<()>(0);
    let thread = thread::Builder::new()
        .name("restore".into())
        .spawn(move || {
            screen::restore();
            screen::print_last_frame();
            drop(done);
        });
    if thread.is_ok() {
        let _ = restored.recv_timeout(RESTORE_TIMEOUT);
    }
}

#[cfg(test)]
#[path = "signals_tests.rs"]
mod tests;
