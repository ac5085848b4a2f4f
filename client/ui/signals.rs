//! The ends that nobody chose: a defect, a signal, a closed terminal. Whatever happens, the terminal is given back, with
//! the last screenful on it.
//!
//! Knows the system's ways of ending a program; never knows what the program was doing.

use crate::app::Exit;
use crate::ui::screen;
use crossbeam_channel::{Receiver, bounded};
use std::thread;
use std::time::Duration;

/// How long an ordered end may take before it is forced.
const FORCED_EXIT_AFTER: Duration = Duration::from_secs(3);
/// How long a terminal may take to be given back; one that takes nothing any more never will be.
const RESTORE_TIMEOUT: Duration = Duration::from_millis(500);

/// A panic anywhere ends the program, with the terminal as it was.
pub fn restore_on_panic() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        screen::restore();
        screen::print_last_frame();
        eprintln!("O cliente encontrou um defeito e precisou parar. O que se sabe dele:");
        usual(info);
        std::process::exit(Exit::Unexpected as i32);
    }));
}

/// Ctrl+C where it is a signal, a request to end, a closed terminal.
pub fn shutdown_signal() -> Result<Receiver<()>, ctrlc::Error> {
    let (sender, receiver) = bounded(1);
    ctrlc::set_handler(move || {
        let _ = sender.try_send(());
        thread::sleep(FORCED_EXIT_AFTER);
        restore_terminal();
        std::process::exit(Exit::Interrupted as i32);
    })?;
    Ok(receiver)
}

/// Gives the terminal back although the loop does not: it may be waiting for a terminal that takes nothing any more, and
/// whoever writes there would wait with it.
fn restore_terminal() {
    let (done, restored) = bounded::<()>(0);
    let body = move || {
        screen::restore();
        screen::print_last_frame();
        drop(done);
    };
    if thread::Builder::new()
        .name("restore".into())
        .spawn(body)
        .is_ok()
    {
        let _ = restored.recv_timeout(RESTORE_TIMEOUT);
    }
}

#[cfg(all(test, unix))]
#[path = "signals_tests.rs"]
mod tests;
