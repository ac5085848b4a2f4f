//! The client's loop: waits for input, network, signals or time, passes the event to the core and carries out its effects.
//!
//! Knows which parts are connected; never decides anything itself.

use crate::app::{App, AppEffect, AppEvent, Exit, ViewModel};
use crate::net::connection::ServerEvent;
use crate::net::session::{Session, SessionEvent};
use crate::ui::{Ui, UiInput};
use crossbeam_channel::{Receiver, never, select};
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// Most events handled before the screen is redrawn.
const MAX_BATCH: usize = 256;
/// Longest wait: the clock of the waits may stand still while the machine is suspended.
const MAX_SLEEP: Duration = Duration::from_hours(1);

/// Where events come from.
pub struct Sources {
    pub inputs: Receiver<UiInput>,
    pub server_events: Receiver<(u64, ServerEvent)>,
    pub shutdown: Receiver<Exit>,
}

/// What ended the wait.
enum Wakeup {
    Input(UiInput),
    Server(u64, ServerEvent),
    Shutdown(Exit),
    Timeout,
}

/// The client's parts.
pub struct Client<'a> {
    pub app: App,
    pub session: Session,
    pub ui: &'a mut dyn Ui,
    pub sources: Sources,
    /// False once the terminal is gone.
    pub ui_alive: bool,
    /// The reader of standard output has gone, and the core knows.
    pub output_closed: bool,
}

impl Client<'_> {
    /// Runs until the end and returns the exit code.
    pub fn run(mut self) -> Exit {
        let mut exit = self.dispatch(AppEvent::Started);
        while exit.is_none() {
            let now = Instant::now();
            if self.ui_alive
                && self.ui.ready_at().is_none_or(|time| now >= time)
                && self.refresh(now).is_err()
            {
                // The terminal is gone, but the connection is still closed in order.
                self.ui_alive = false;
                exit = self.dispatch(AppEvent::ShutdownRequested(Exit::HungUp));
                continue;
            }
            let mut wakeup = self.wait();
            for taken in 1..=MAX_BATCH {
                exit = self.handle_wakeup(wakeup);
                // A received event must be handled: after the last of a batch no other is received.
                if exit.is_some() || taken == MAX_BATCH {
                    break;
                }
                wakeup = self.wait_for(Duration::ZERO);
                if matches!(wakeup, Wakeup::Timeout) {
                    break;
                }
            }
        }
        // A terminal that is gone can't be restored.
        let _ = self.ui.finish();
        exit.unwrap_or(Exit::Unexpected)
    }

    fn refresh(&mut self, now: Instant) -> io::Result<()> {
        let retry_in = self
            .session
            .deadline()
            .map(|time| time.saturating_duration_since(now).as_secs_f64().ceil() as u64);
        self.ui.refresh(&ViewModel {
            retry_in,
            ..self.app.view_model(now)
        })
    }

    fn handle_wakeup(&mut self, wakeup: Wakeup) -> Option<Exit> {
        let now = Instant::now();
        self.session.tick(now);
        let event = match wakeup {
            Wakeup::Input(input) => self.ui.map_input(input),
            Wakeup::Server(generation, event) => {
                let event = self.session.on_server_event(generation, event, now);
                if let Some(SessionEvent::Received(message)) = &event
                    && let Err(error) = self.ui.on_server_message(message)
                    && let Some(exit) = self.on_output_error(&error)
                {
                    return Some(exit);
                }
                event.map(AppEvent::from)
            }
            Wakeup::Shutdown(exit) => Some(AppEvent::ShutdownRequested(exit)),
            Wakeup::Timeout => None,
        };
        self.dispatch(event.unwrap_or(AppEvent::Tick))
    }

    fn dispatch(&mut self, event: AppEvent) -> Option<Exit> {
        let mut effects = self.app.handle(event, Instant::now());
        let mut exit = None;
        let mut output_error = None;
        for effect in effects.drain(..) {
            match effect {
                AppEffect::Show(output) => {
                    output_error = output_error.or(self.ui.show(&output).err());
                }
                AppEffect::Send(message) => self.session.send(&message),
                AppEffect::Connect => self.session.connect(),
                AppEffect::Retry(within) => self.session.retry(within, Instant::now()),
                AppEffect::Close => self.session.close(),
                AppEffect::Alert => self.ui.alert(),
                AppEffect::Clear => self.ui.clear(),
                AppEffect::RestoreInput(text) => self.ui.restore_input(&text),
                AppEffect::Exit(code) => exit = Some(code),
            }
        }
        match output_error {
            Some(error) if exit.is_none() => self.on_output_error(&error),
            _ => exit,
        }
    }

    /// Handles an output that can't be written any more.
    fn on_output_error(&mut self, error: &io::Error) -> Option<Exit> {
        if error.kind() == io::ErrorKind::BrokenPipe && self.output_closed {
            return None;
        }
        if error.kind() == io::ErrorKind::BrokenPipe {
            // As with `head`, which has read enough.
            // What a script was given to say is still said.
            self.output_closed = true;
            return self.dispatch(AppEvent::OutputClosed);
        }
        let _ = writeln!(
            io::stderr(),
            "Não consegui escrever a saída. Confira o espaço em disco."
        );
        Some(Exit::Unexpected)
    }

    fn wait(&mut self) -> Wakeup {
        let now = Instant::now();
        let retry = self.session.deadline();
        // The countdown changes every second.
        let countdown = retry.map(|time| {
            let left = time.saturating_duration_since(now);
            now + Duration::from_nanos(u64::from(left.subsec_nanos())).max(Duration::from_millis(1))
        });
        // A frame may be waiting for its turn.
        let redraw = self
            .ui
            .ready_at()
            .filter(|&time| self.ui_alive && time > now);
        let deadline = [self.app.deadline(now), retry, countdown, redraw]
            .into_iter()
            .flatten()
            .min();
        let timeout = deadline.map_or(MAX_SLEEP, |time| time.saturating_duration_since(now));
        self.wait_for(timeout)
    }

    fn wait_for(&mut self, timeout: Duration) -> Wakeup {
        let closed = never();
        let inputs = if self.app.wants_input() {
            &self.sources.inputs
        } else {
            &closed
        };
        select! {
            recv(self.sources.shutdown) -> exit => Wakeup::Shutdown(exit.unwrap_or(Exit::Interrupted)),
            recv(inputs) -> input => match input {
                Ok(input) => Wakeup::Input(input),
                Err(_) => {
                    self.sources.inputs = never();
                    Wakeup::Input(UiInput::End)
                }
            },
            recv(self.sources.server_events) -> event => match event {
                Ok((generation, event)) => Wakeup::Server(generation, event),
                Err(_) => Wakeup::Timeout,
            },
            default(timeout) => Wakeup::Timeout,
        }
    }
}
