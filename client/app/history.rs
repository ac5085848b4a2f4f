//! Pages of a room's log: what was missed, what came before, and what a search found.

use super::{App, AppEffect, Phase};
use crate::app::output::Output;
use crate::app::sanitize;
use papo::protocol::{ClientMessage, Entry, MAX_PAGE, PageRequest};
use std::sync::Arc;

/// Entries requested at once when the person scrolls up.
const EARLIER_PAGE: u64 = 50;

impl App {
    pub(super) fn request_next_page(&mut self, index: usize) {
        let room = &self.rooms[index];
        let (name, span) = (room.name.clone(), PageRequest::After(room.last()));
        self.send(ClientMessage::History {
            room: name,
            page: span,
            limit: Some(MAX_PAGE as u64),
        });
    }

    pub(super) fn on_history(&mut self, name: &str, entries: &[Arc<Entry>], more: bool) {
        let Some(index) = self.room_index(name) else {
            return;
        };
        let room = &self.rooms[index];
        let earlier = match (entries.last(), room.earlier_cursor()) {
            (Some(last), Some(first)) => last.seq < first,
            _ => !room.is_catching_up(),
        };
        if room.fetching_earlier && earlier {
            return self.show_earlier_page(index, entries, more);
        }
        if !room.is_catching_up() {
            // No page that was asked for: the next one may be.
            if std::mem::take(&mut self.rooms[index].fetching_earlier) {
                self.request_done();
            }
            return;
        }
        let before = self.rooms[index].last();
        self.apply_entries(name, entries, true);
        // A page that brings nothing new would be asked for forever.
        if more && self.rooms[index].last() > before {
            return self.request_next_page(index);
        }
        let lines = self.rooms[index].finish_catching_up();
        self.effects.extend(lines.into_iter().map(AppEffect::Show));
    }

    /// Asks for what was said before the first entry shown; at the beginning of it all there is nothing to ask.
    pub(super) fn request_earlier(&mut self) -> bool {
        let Some(room) = self
            .rooms
            .get_mut(self.current)
            .filter(|_| self.phase == Phase::Online)
        else {
            return true;
        };
        if room.fetching_earlier {
            return true;
        }
        let Some(first) = room.earlier_cursor() else {
            return false;
        };
        room.fetching_earlier = true;
        self.pending_requests += 1;
        let (room, span) = (room.name.clone(), PageRequest::Before(first));
        self.send(ClientMessage::History {
            room,
            page: span,
            limit: Some(EARLIER_PAGE),
        });
        true
    }

    fn show_earlier_page(&mut self, index: usize, entries: &[Arc<Entry>], more: bool) {
        self.request_done();
        self.rooms[index].fetching_earlier = false;
        let said = entries.iter().filter(|entry| !entry.is_amendment());
        let messages = said
            .map(|entry| self.message_output(index, entry))
            .collect();
        let oldest = self.rooms[index].oldest;
        self.rooms[index].set_first_shown(entries.first().map_or(oldest, |entry| entry.seq));
        let room = self.rooms[index].name.to_string();
        self.show(Output::EarlierPage {
            room,
            messages,
            reached_start: !more,
        });
    }

    /// What was found, newest first as the server tells it.
    pub(super) fn on_found(&mut self, room: &str, query: &str, entries: &[Arc<Entry>], more: bool) {
        self.request_done();
        let Some(index) = self.room_index(room) else {
            return;
        };
        let messages = entries.iter().rev().filter(|entry| !entry.is_amendment());
        let messages = messages
            .map(|entry| self.message_output(index, entry))
            .collect();
        let room = self.rooms[index].name.to_string();
        self.show(Output::Found {
            room,
            query: sanitize::message(query),
            messages,
            more,
        });
    }
}
