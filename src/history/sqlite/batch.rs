//! A batch of the writer: what it takes from its queue, and what the replies say about it.

use super::queue::RequestReceiver;
use crate::history::{HistoryReply, HistoryRequest, Outcome};

/// Most messages in one transaction: a few milliseconds of work.
const MAX_BATCH: usize = 1024;

/// Takes what waits to be stored, as much as one transaction should have, and notes whether a new epoch is asked for.
pub(super) fn take_batch(
    requests: &RequestReceiver,
    epoch_wanted: &mut bool,
) -> Vec<HistoryRequest> {
    let mut batch = requests.take(MAX_BATCH);
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
