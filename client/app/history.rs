//! Pages of a room's log: what was missed, what came before, and what a search found.

use super::{App, Phase};
use crate::app::output::Output;
use crate::app::sanitize;
use papo::protocol::{ClientMessage, Entry, FetchHistory, MAX_PAGE, PageRequest};
use std::sync::Arc;

/// Entries requested at once when the person scrolls up.
const EARLIER_PAGE: u64 = 50;

impl App {
    pub(super) fn request_next_page(&mut self, index: usize) {
        let room = &self.rooms[index];
        self.send(ClientMessage::History(FetchHistory {
            room: room.name.clone(),
            page: PageRequest::After(room.last()),
            limit: Some(MAX_PAGE as u64),
        }));
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
            // Not the page requested: the next one may be.
            if std::mem::take(&mut self.rooms[index].fetching_earlier) {
                self.request_done();
            }
            return;
        }
        let before = self.rooms[index].last();
        self.apply_entries(name, entries, true);
        // After a page without anything new, requesting more would never end.
        if more && self.rooms[index].last() > before {
            return self.request_next_page(index);
        }
        let shown = self.rooms[index].finish_catching_up();
        self.show_all(shown);
    }

    /// Requests the page before the first entry shown. Returns false at the start of the log.
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
        let request = ClientMessage::History(FetchHistory {
            room: room.name.clone(),
            page: PageRequest::Before(first),
            limit: Some(EARLIER_PAGE),
        });
        self.send(request);
        true
    }

    fn show_earlier_page(&mut self, index: usize, entries: &[Arc<Entry>], more: bool) {
        self.request_done();
        self.rooms[index].fetching_earlier = false;
        let messages = entries
            .iter()
            .filter(|entry| !entry.is_amendment())
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

    /// The results of a search; the server sends them newest first.
    pub(super) fn on_found(&mut self, room: &str, query: &str, entries: &[Arc<Entry>], more: bool) {
        self.request_done();
        let Some(index) = self.room_index(room) else {
            return;
        };
        let messages = entries
            .iter()
            .rev()
            .filter(|entry| !entry.is_amendment())
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
