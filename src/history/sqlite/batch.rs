//! A batch of the writer: what it takes from its queue, and what the replies say about it.

use super::queue::RequestReceiver;
use crate::history::{HistoryReply, HistoryRequest, Outcome};
use std::time::Duration;

/// Most messages in one transaction: a few milliseconds of work. And how many at least, if so many wait.
const MAX_BATCH: usize = 1024;
const MIN_BATCH: usize = 64;
/// About what storing one message takes beside its commit, in nanoseconds.
const STORING_NS: u128 = 4_000;

/// How many messages one transaction should have when a commit takes so long: the commit should not take longer than the
/// storing, but what is stored should be delivered soon, while the next ones are being stored.
pub(super) fn batch_size(commit: Duration) -> usize {
    let size = commit.as_nanos() / STORING_NS;
    usize::try_from(size).map_or(MAX_BATCH, |size| size.clamp(MIN_BATCH, MAX_BATCH))
}

/// Takes what waits to be stored, at most so much, and notes whether a new epoch is asked for.
pub(super) fn take_batch(
    requests: &RequestReceiver,
    size: usize,
    epoch_wanted: &mut bool,
) -> Vec<HistoryRequest> {
    let mut batch = requests.take(size);
    let taken = batch.len();
    batch.retain(|request| !matches!(request, HistoryRequest::BeginEpoch));
    *epoch_wanted |= batch.len() < taken;
    batch
}

/// Whether this reply says that a message was stored.
pub(super) fn is_stored(reply: &HistoryReply) -> bool {
    matches!(reply, HistoryReply::Appended(.., Outcome::Stored(_)))
}

/// Whether this reply says that anything was written.
pub(super) fn has_written(reply: &HistoryReply) -> bool {
    is_stored(reply) || matches!(reply, HistoryReply::ModerationSaved(_, true))
}

/// The bytes of text that a request adds to the file.
pub(super) fn text_bytes(request: &HistoryRequest) -> usize {
    match request {
        HistoryRequest::Append(append) => append.text.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_is_as_large_as_the_commit_is_slow() {
        assert_eq!(batch_size(Duration::ZERO), MIN_BATCH);
        assert_eq!(batch_size(Duration::from_millis(1)), 250);
        assert_eq!(batch_size(Duration::from_secs(1)), MAX_BATCH);
    }
}
