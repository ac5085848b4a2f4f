//! The loop: waits for the person, the network, the system or the time, lets the state decide, and does what it says.
//!
//! Knows who is connected to whom; never decides anything itself.

use crate::app::{App, AppEffect, AppEvent, Exit, ViewModel};
use crate::connection::ServerEvent;
use crate::front::{Front, Input};
use crate::session::Session;
use crossbeam_channel::{Receiver, never, select};
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// Most events taken up before the screen is brought up to date: a flood is drawn in handfuls.
const HANDFUL: usize = 256;
/// Longest sleep; the clock of the system may have been asleep with it.
const NAP: Duration = Duration::from_secs(3600);

/// Where events come from.
pub struct Sources {
    pub inputs: Receiver<Input>,
    pub news: Receiver<(u64, ServerEvent)>,
    pub stops: Receiver<()>,
}

/// Something that came.
enum Came {
    Input(Input),
    News(u64, ServerEvent),
    Stop,
    Nothing,
}

/// The parts, held together.
pub struct Client<'a> {
    pub app: App,
    pub session: Session,
    pub front: &'a mut dyn Front,
    pub sources: Sources,
    /// The front still shows what it is given.
    pub watched: bool,
}

impl Client<'_> {
    /// Runs until the end and says how it was.
    pub fn run(mut self) -> Exit {
        let mut exit = self.happened(AppEvent::Started);
        while exit.is_none() {
            let now = Instant::now();
            if self.watched
                && self.front.ready_at().is_none_or(|time| now >= time)
                && self.refresh(now).is_err()
            {
                // The terminal is gone; there is still a server to say goodbye to.
                self.watched = false;
                exit = self.happened(AppEvent::ShutdownRequested);
                continue;
            }
            let mut came = self.wait();
            for taken in 1..=HANDFUL {
                exit = self.take_up(came);
                // What is fetched must be taken up: after the last one nothing more is fetched.
                if exit.is_some() || taken == HANDFUL {
                    break;
                }
                came = self.next(Duration::ZERO);
                if matches!(came, Came::Nothing) {
                    break;
                }
            }
        }
        // A terminal that is gone can't be left in order.
        let _ = self.front.finish();
        exit.unwrap_or(Exit::Unexpected)
    }

    fn refresh(&mut self, now: Instant) -> io::Result<()> {
        let retry_in = self
            .session
            .deadline()
            .map(|time| time.saturating_duration_since(now).as_secs_f64().ceil() as u64);
        self.front.refresh(&ViewModel {
            retry_in,
            ..self.app.view_model(now)
        })
    }

    fn take_up(&mut self, came: Came) -> Option<Exit> {
        let now = Instant::now();
        self.session.tick(now);
        let event = match came {
            Came::Input(input) => self.front.understand(input),
            Came::News(number, news) => match self.session.on_server_event(number, news, now) {
                Some(AppEvent::Received(message)) => match self.front.overhear(&message) {
                    Ok(()) => Some(AppEvent::Received(message)),
                    Err(error) => return self.unheard(&error),
                },
                other => other,
            },
            Came::Stop => Some(AppEvent::ShutdownRequested),
            Came::Nothing => None,
        };
        self.happened(event.unwrap_or(AppEvent::Tick))
    }

    fn happened(&mut self, event: AppEvent) -> Option<Exit> {
        let mut effects = self.app.handle(event, Instant::now());
        let mut exit = None;
        let mut unheard = None;
        for effect in effects.drain(..) {
            match effect {
                AppEffect::Show(output) => unheard = unheard.or(self.front.show(&output).err()),
                AppEffect::Send(message) => self.session.send(&message),
                AppEffect::Connect => self.session.connect(),
                AppEffect::Retry(within) => self.session.retry(within, Instant::now()),
                AppEffect::Close => self.session.close(),
                AppEffect::Alert => self.front.alert(),
                AppEffect::Clear => self.front.clear(),
                AppEffect::RestoreInput(text) => self.front.give_back(&text),
                AppEffect::Exit(how) => exit = Some(how),
            }
        }
        match unheard {
            Some(error) if exit.is_none() => self.unheard(&error),
            _ => exit,
        }
    }

    /// Nobody takes our output any more.
    fn unheard(&mut self, error: &io::Error) -> Option<Exit> {
        if error.kind() == io::ErrorKind::BrokenPipe {
            // As `head` does when it has enough. What was already said is still confirmed.
            return self.happened(AppEvent::Leave);
        }
        let _ = writeln!(
            io::stderr(),
            "Não consegui escrever a saída. Confira o espaço em disco."
        );
        Some(Exit::Unexpected)
    }

    fn wait(&mut self) -> Came {
        let now = Instant::now();
        let retry = self.session.deadline();
        // The countdown is told second by second.
        let second = retry.map(|time| {
            let left = time.saturating_duration_since(now);
            now + Duration::from_nanos(u64::from(left.subsec_nanos())).max(Duration::from_millis(1))
        });
        // What could not be drawn yet will be.
        let drawing = self
            .front
            .ready_at()
            .filter(|&time| self.watched && time > now);
        let deadline = [self.app.deadline(now), retry, second, drawing]
            .into_iter()
            .flatten()
            .min();
        let patience = deadline.map_or(NAP, |time| time.saturating_duration_since(now));
        self.next(patience)
    }

    fn next(&mut self, patience: Duration) -> Came {
        let closed = never();
        let inputs = if self.app.wants_input() {
            &self.sources.inputs
        } else {
            &closed
        };
        select! {
            recv(self.sources.stops) -> _ => Came::Stop,
            recv(inputs) -> input => match input {
                Ok(input) => Came::Input(input),
                Err(_) => {
                    self.sources.inputs = never();
                    Came::Input(Input::End)
                }
            },
            recv(self.sources.news) -> news => news.map_or(Came::Nothing, |(number, news)| Came::News(number, news)),
            default(patience) => Came::Nothing,
        }
    }
}
