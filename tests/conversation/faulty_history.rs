//! A history in memory that can't do everything, as on a full or a broken disk.

use crossbeam_channel::{Receiver, Sender};
use papo::history::memory::MemoryHistory;
use papo::history::{History, HistoryReply, HistoryRequest};
use std::sync::Arc;

/// Refuses the requests that match, and serves all others.
pub struct FaultyHistory {
    inner: MemoryHistory,
    refuses: Box<dyn Fn(&HistoryRequest) -> bool + Send>,
    reply_sender: Sender<HistoryReply>,
    replies: Receiver<HistoryReply>,
}

impl FaultyHistory {
    pub fn new(refuses: impl Fn(&HistoryRequest) -> bool + Send + 'static) -> Self {
        let (reply_sender, replies) = crossbeam_channel::unbounded();
        Self {
            inner: MemoryHistory::new().unwrap(),
            refuses: Box::new(refuses),
            reply_sender,
            replies,
        }
    }
}

impl History for FaultyHistory {
    fn epoch(&self) -> Arc<str> {
        self.inner.epoch()
    }

    fn count(&self) -> u64 {
        0
    }

    fn submit(&mut self, requests: Vec<HistoryRequest>) {
        for request in requests {
            let reply = match (self.refuses)(&request) {
                true => request.unavailable_reply(),
                false => {
                    self.inner.submit(vec![request]);
                    self.inner.replies().recv().unwrap()
                }
            };
            self.reply_sender.send(reply).unwrap();
        }
    }

    fn replies(&self) -> &Receiver<HistoryReply> {
        &self.replies
    }
}
