//! Losing the connection and leaving, and everything that is due at a time.

use super::{App, AppEffect, Exit, Leaving, OUTAGE_NOTICE_AFTER, Phase};
use crate::app::output::Output;
use crate::app::strings;
use crate::net::connection::ConnectError;
use crate::net::session::DisconnectCause;
use std::time::{Duration, Instant};

/// How long leaving waits for the last acknowledgements.
const CONFIRMATION_TIMEOUT: Duration = Duration::from_secs(3);
/// How long leaving waits for the server to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

impl App {
    pub(super) fn disconnect(&mut self, cause: DisconnectCause, now: Instant) {
        self.pending_requests = 0;
        self.rename_in_flight = false;
        self.awaiting_since = None;
        self.joins.clear();
        for room in &mut self.rooms {
            room.fetching_earlier = false;
        }
        match self.phase {
            Phase::Exited => {}
            Phase::Closing { exit, .. } => self.exit(exit),
            Phase::Prompting { prompt, .. } => {
                self.phase = Phase::Prompting {
                    prompt,
                    connected: false,
                };
            }
            Phase::EntryDelayed { until, .. } => {
                self.phase = Phase::EntryDelayed {
                    until,
                    connected: false,
                };
            }
            _ if !self.entry.done => self.on_entry_failed(cause, now),
            _ if self.mode.interactive || self.mode.reconnect => self.go_offline(now),
            _ => self.exit_on_loss(),
        }
    }

    /// Handles a connection that was lost before the server answered `enter`.
    fn on_entry_failed(&mut self, cause: DisconnectCause, now: Instant) {
        let persistent = self.mode.reconnect;
        match cause {
            DisconnectCause::ConnectFailed(error) if !persistent || error.is_refusal() => {
                self.show_connect_error(error);
                self.exit(if error.is_refusal() {
                    Exit::Refused
                } else {
                    Exit::Unreachable
                });
            }
            DisconnectCause::Closed if !persistent => {
                if self.bye.is_none() {
                    self.show(Output::problem(format!(
                        "{} fechou a conexão antes de você entrar. Tente de novo.",
                        self.address
                    )));
                }
                self.exit(Exit::ConnectionLost);
            }
            // While the client keeps trying, the reason is reported once.
            DisconnectCause::ConnectFailed(error) if self.outage.is_none() => {
                self.show_connect_error(error);
                self.go_offline(now);
            }
            _ => self.go_offline(now),
        }
    }

    fn show_connect_error(&mut self, error: ConnectError) {
        let sentence = strings::connect_error(error, &self.address);
        self.show(Output::problem(sentence));
    }

    /// Ends a script whose connection is gone.
    fn exit_on_loss(&mut self) {
        if self.bye.is_none() {
            self.show(Output::problem(format!(
                "A conexão com {} caiu.",
                self.address
            )));
        }
        self.exit(Exit::ConnectionLost);
    }

    /// Waits for the next connection after a loss.
    fn go_offline(&mut self, now: Instant) {
        self.queue.mark_unsent();
        // A persistent script still sends the rest; leaving by command does not wait for it.
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
            // A repeated request does not extend the deadline.
            let until = self
                .leaving
                .and_then(|leaving| leaving.until)
                .unwrap_or(now + CONFIRMATION_TIMEOUT);
            self.leaving = Some(Leaving { until: Some(until) });
        } else {
            self.close_then_exit(Exit::Success, now);
        }
    }

    /// Closes the connection, if there is one, and exits.
    pub(super) fn close_then_exit(&mut self, exit: Exit, now: Instant) {
        match self.phase {
            Phase::Online
            | Phase::Entering { .. }
            | Phase::EntryDelayed {
                connected: true, ..
            }
            | Phase::Prompting {
                connected: true, ..
            } => {
                self.phase = Phase::Closing {
                    until: now + CLOSE_TIMEOUT,
                    exit,
                };
                // The closing has its own deadline.
                self.leaving = None;
                self.effects.push(AppEffect::Close);
            }
            // A second request does not wait.
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
            && self.entry.done
            && matches!(
                exit,
                Exit::Success | Exit::Interrupted | Exit::Terminated | Exit::HungUp
            )
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

    /// Does what has become due or possible: sends queued messages, ends phases, reports an outage.
    pub(super) fn on_tick(&mut self, now: Instant) {
        self.exit_confirm_until = self.exit_confirm_until.filter(|&until| now < until);
        if self.phase == Phase::Online {
            self.resend_joins(now);
            self.flush_queue(now);
            self.check_answers(now);
        }
        match (self.phase, self.leaving) {
            (Phase::Closing { until, exit }, _) if now >= until => self.exit(exit),
            (Phase::Entering { until }, _) if now >= until => self.on_entry_timeout(now),
            (Phase::EntryDelayed { until, connected }, _) if now >= until => {
                self.resume_entry(connected, now);
            }
            (Phase::Entering { .. } | Phase::Connecting, Some(Leaving { until: Some(until) }))
                if now >= until =>
            {
                self.close_then_exit(Exit::Success, now);
            }
            // No answer to the prompt will come.
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
        if let Some((since, reported @ false)) = &mut self.outage
            && now >= *since + OUTAGE_NOTICE_AFTER
        {
            *reported = true;
            let text = "Sem conexão. Suas mensagens serão enviadas quando a conexão voltar.";
            self.show(Output::info(text));
        }
    }
}
