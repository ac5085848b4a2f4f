//! How connections begin and end, how leaving goes, and what happens only because time passed.

use super::{App, AppEffect, Disconnect, Exit, Leaving, OUTAGE_NOTICE_AFTER, Phase, Prompt};
use crate::app::output::Output;
use crate::app::strings;
use crate::app::strings::ConnectError;
use papo::protocol::{ClientMessage, Credentials, Enter, ResumePoint};
use std::time::{Duration, Instant};

/// How long leaving waits for the last confirmations.
const CONFIRMATION_TIMEOUT: Duration = Duration::from_secs(3);
/// How long leaving waits for the server's own goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the answer to `enter` may take.
const ENTER_TIMEOUT: Duration = Duration::from_secs(10);

impl App {
    pub(super) fn connect(&mut self) {
        self.phase = Phase::Connecting;
        if self.me.is_none() && self.mode.interactive {
            self.show(Output::info(format!("Conectando a {}…", self.address)));
        }
        self.effects.push(AppEffect::Connect);
    }

    pub(super) fn send_enter(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Closing { .. } | Phase::Exited) {
            return;
        }
        let Some(name) = self.name.clone() else {
            self.start_prompt(Prompt::Name);
            return;
        };
        self.bye = None;
        self.phase = Phase::Entering {
            until: now + ENTER_TIMEOUT,
        };
        let (room, since) = match self.rooms.first() {
            Some(room) => (room.name.clone(), room.resume_point()),
            None => (self.initial_room.clone(), ResumePoint::default()),
        };
        let credentials = Credentials {
            room_password: self.password_of(&room),
            ..self.credentials.clone()
        };
        let (token, room) = (Some(self.token.clone()), Some(room));
        self.send(ClientMessage::Enter(Enter {
            name,
            token,
            room,
            resume: since,
            local_key: None,
            credentials,
        }));
    }

    pub(super) fn disconnect(&mut self, gone: Disconnect, now: Instant) {
        (self.pending_requests, self.rename_in_flight) = (0, false);
        self.rooms
            .iter_mut()
            .for_each(|room| room.fetching_earlier = false);
        let insists = self.mode.reconnect;
        match (self.phase, gone) {
            (Phase::Exited, _) => {}
            (Phase::Closing { exit, .. }, _) => self.exit(exit),
            (
                Phase::Prompting {
                    prompt: question, ..
                },
                _,
            ) => {
                self.phase = Phase::Prompting {
                    prompt: question,
                    connected: false,
                }
            }
            (_, Disconnect::ConnectFailed(failure))
                if self.me.is_none() && (!insists || failure.is_refusal()) =>
            {
                self.show(Output::problem(failure.sentence(&self.address)));
                self.exit(if failure.is_refusal() {
                    Exit::Refused
                } else {
                    Exit::Unreachable
                });
            }
            (_, Disconnect::Closed) if self.me.is_none() && !insists => {
                if self.bye.is_none() {
                    self.show(Output::problem(format!(
                        "{} fechou a conexão antes de você entrar. Tente de novo.",
                        self.address
                    )));
                }
                self.exit(Exit::ConnectionLost);
            }
            _ if !self.mode.interactive && !insists => self.exit_on_loss(),
            (_, Disconnect::ConnectFailed(failure))
                if self.me.is_none() && self.outage.is_none() =>
            {
                // Who insists is told once what it waits for.
                self.show(Output::problem(failure.sentence(&self.address)));
                self.go_offline(now);
            }
            _ => self.go_offline(now),
        }
    }

    /// A script's connection is gone.
    fn exit_on_loss(&mut self) {
        if self.bye.is_none() {
            self.show(Output::problem(format!(
                "A conexão com {} caiu.",
                self.address
            )));
        }
        self.exit(Exit::ConnectionLost);
    }

    /// A person's connection is gone: it will come back.
    fn go_offline(&mut self, now: Instant) {
        self.queue.mark_unsent();
        // Who insists wants the rest said; who leaves by command does not wait for it.
        if self
            .leaving
            .is_some_and(|leaving| leaving.until.is_some() || !self.mode.reconnect)
        {
            return self.exit(Exit::Success);
        }
        self.phase = Phase::Connecting;
        self.outage = self.outage.or(Some((now, false)));
        let within = self.bye.take().and_then(|(_, retry_after)| retry_after);
        self.effects.push(AppEffect::Retry(within));
    }

    pub(super) fn start_leaving(&mut self, now: Instant) {
        if self.phase == Phase::Online {
            // Asking again does not make it later.
            let until = self
                .leaving
                .and_then(|leaving| leaving.until)
                .unwrap_or(now + CONFIRMATION_TIMEOUT);
            self.leaving = Some(Leaving { until: Some(until) });
        } else {
            self.close_then_exit(Exit::Success, now);
        }
    }

    /// Says goodbye to the server, if there is one, and ends.
    pub(super) fn close_then_exit(&mut self, exit: Exit, now: Instant) {
        match self.phase {
            Phase::Online
            | Phase::Entering { .. }
            | Phase::Prompting {
                connected: true, ..
            } => {
                // From now on this is the only time that counts.
                (self.phase, self.leaving) = (
                    Phase::Closing {
                        until: now + CLOSE_TIMEOUT,
                        exit,
                    },
                    None,
                );
                self.effects.push(AppEffect::Close);
            }
            // Whoever asks twice does not want to wait.
            _ => self.exit(exit),
        }
    }

    pub(super) fn exit(&mut self, exit: Exit) {
        if self.phase == Phase::Exited {
            return;
        }
        self.phase = Phase::Exited;
        let unsent = self.queue.len();
        if unsent > 0 {
            self.show(Output::problem(strings::unsent_messages(unsent)));
        } else if self.mode.interactive
            && self.me.is_some()
            && matches!(exit, Exit::Success | Exit::Interrupted)
        {
            self.show(Output::info("Até logo."));
        }
        let exit = match exit {
            Exit::Success if unsent > 0 => Exit::ConnectionLost,
            Exit::Success if !self.mode.interactive => self.pending_exit.unwrap_or(Exit::Success),
            other => other,
        };
        self.effects.push(AppEffect::Exit(exit));
    }

    /// Everything that happens because time passed, or because something before made it possible.
    pub(super) fn on_tick(&mut self, now: Instant) {
        self.exit_confirm_until = self.exit_confirm_until.filter(|&until| now < until);
        if self.phase == Phase::Online {
            self.flush_queue(now);
        }
        match (self.phase, self.leaving) {
            (Phase::Closing { until, exit }, _) if now >= until => self.exit(exit),
            (Phase::Entering { until }, _) if now >= until => {
                self.effects.push(AppEffect::Close);
                self.disconnect(Disconnect::ConnectFailed(ConnectError::NotAChat), now);
            }
            (Phase::Entering { .. } | Phase::Connecting, Some(Leaving { until: Some(until) }))
                if now >= until =>
            {
                self.close_then_exit(Exit::Success, now);
            }
            // Nobody will answer any more.
            (Phase::Prompting { .. }, Some(_)) => self.close_then_exit(Exit::Success, now),
            (Phase::Online, Some(leaving)) => {
                let done =
                    self.queue.is_empty() && self.pending_requests == 0 && !self.rename_pending();
                if done || leaving.until.is_some_and(|until| now >= until) {
                    self.close_then_exit(Exit::Success, now);
                }
            }
            _ => {}
        }
        if let Some((since, said @ false)) = &mut self.outage
            && now >= *since + OUTAGE_NOTICE_AFTER
        {
            *said = true;
            let text = "Sem conexão. Suas mensagens serão enviadas quando a conexão voltar.";
            self.show(Output::info(text));
        }
    }
}
