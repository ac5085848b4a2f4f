//! A log that went back: the first client that is ahead of it begins a new epoch, and no liar another.

use super::*;

const DAVI: ConnId = ConnId(4);
const NEW_EPOCH: &str = "e2";

/// Ana and Bruno in a room with three messages, whose epoch was read from a file; the next epoch can be stored.
fn with_stored_epoch() -> ChatHarness {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.chat.allow_epoch_to_end();
    harness.next_epoch = Some(NEW_EPOCH.into());
    for id in ["1", "2", "3"] {
        harness.say(ANA, id, "oi");
    }
    harness.inbox.clear();
    harness
}

impl ChatHarness {
    fn old_epoch(&self) -> Arc<str> {
        self.history.epoch()
    }

    /// Enters with the log up to `after` in this epoch.
    fn resume(&mut self, conn: ConnId, name: &str, epoch: &str, after: u64) {
        let resume = format!(r#","epoch":"{epoch}","after":{after}"#);
        self.enter_with_fields(conn, name, &resume);
    }

    /// The epoch, `reset` and the number of entries of each `joined` that a connection was sent.
    fn take_joined(&mut self, conn: ConnId) -> Vec<(String, bool, usize)> {
        let sent = self.inbox.remove(&conn).unwrap_or_default();
        let joined = sent.into_iter().filter_map(|message| match message {
            ServerMessage::Joined {
                epoch,
                reset,
                entries,
                ..
            } => Some((epoch.to_string(), reset, entries.len())),
            _ => None,
        });
        joined.collect()
    }

    /// Lets everything that is due happen.
    fn settle(&mut self) {
        while self
            .chat
            .next_tick()
            .is_some_and(|at| at <= self.now.instant)
        {
            self.advance(Duration::ZERO);
        }
    }
}

#[test]
fn client_ahead_of_the_log_begins_a_new_epoch_for_all() {
    let mut harness = with_stored_epoch();
    let old = harness.old_epoch();
    harness.resume(CELIA, "Célia", &old, 9);
    harness.settle();
    let reset = (NEW_EPOCH.to_owned(), true, 3);
    assert_eq!(harness.take_joined(CELIA), std::slice::from_ref(&reset));
    // Nobody leaves and nobody comes but Célia.
    assert_eq!(
        harness.take_labels(ANA),
        ["3 online +Célia", "joined geral 3 3"]
    );
    assert_eq!(harness.take_joined(BRUNO), std::slice::from_ref(&reset));
    // Davi was not here, and holds what the others have lost.
    harness.say(ANA, "4", "de novo");
    harness.resume(DAVI, "Davi", &old, 4);
    let (epoch, is_reset, _) = reset;
    assert_eq!(harness.take_joined(DAVI), [(epoch, is_reset, 4)]);
    assert_eq!(harness.epochs_asked, 1);
}

#[test]
fn liar_resets_nobody_else_after_an_epoch_began() {
    let mut harness = with_stored_epoch();
    let old = harness.old_epoch();
    harness.resume(CELIA, "Célia", &old, 9);
    harness.settle();
    harness.inbox.clear();
    for _ in 0..2 {
        let lie = format!(r#"{{"type":"join","room":"geral","epoch":"{NEW_EPOCH}","after":99}}"#);
        harness.send_json(CELIA, &lie);
        harness.settle();
        assert_eq!(harness.take_joined(CELIA), [(NEW_EPOCH.into(), true, 3)]);
    }
    assert_eq!(harness.take_joined(ANA), []);
    assert_eq!(harness.epochs_asked, 1);
}

#[test]
fn wrong_epoch_or_none_proves_nothing() {
    let mut harness = with_stored_epoch();
    harness.resume(CELIA, "Célia", "outra", 9);
    harness.send_json(CELIA, r#"{"type":"join","room":"geral","after":9}"#);
    harness.settle();
    assert_eq!(harness.epochs_asked, 0);
    assert_eq!(harness.take_joined(ANA), []);
}

#[test]
fn epoch_that_began_in_this_run_cannot_end() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    let epoch = harness.old_epoch();
    harness.resume(BRUNO, "Bruno", &epoch, 9);
    harness.settle();
    assert_eq!(harness.take_joined(BRUNO), [(epoch.to_string(), true, 0)]);
    assert_eq!(harness.epochs_asked, 0);
}

#[test]
fn epoch_that_cannot_be_stored_changes_nothing() {
    let mut harness = with_stored_epoch();
    let old = harness.old_epoch();
    harness.next_epoch = None;
    harness.resume(CELIA, "Célia", &old, 9);
    harness.settle();
    assert_eq!(harness.take_joined(CELIA), [(old.to_string(), true, 3)]);
    assert_eq!(harness.take_joined(ANA), []);
    harness.next_epoch = Some(NEW_EPOCH.into());
    harness.resume(DAVI, "Davi", &old, 9);
    harness.settle();
    assert_eq!(harness.take_joined(ANA), [(NEW_EPOCH.into(), true, 3)]);
}

#[test]
fn log_that_lost_a_whole_room_begins_a_new_epoch() {
    let mut harness = with_stored_epoch();
    let join = format!(
        r#"{{"type":"join","room":"lab","epoch":"{}","after":5}}"#,
        harness.old_epoch()
    );
    harness.send_json(ANA, &join);
    harness.settle();
    let new = NEW_EPOCH.to_owned();
    assert_eq!(
        harness.take_joined(ANA),
        [(new.clone(), true, 0), (new.clone(), true, 3)]
    );
    assert_eq!(harness.take_joined(BRUNO), [(new, true, 3)]);
}

#[test]
fn page_carries_the_epoch_that_it_was_asked_for_in() {
    let mut harness = with_stored_epoch();
    let old = harness.old_epoch();
    let page = ClientMessage::parse(r#"{"type":"history","room":"geral"}"#).unwrap();
    harness.chat.handle(Event::Request(ANA, page), harness.now);
    let began = HistoryReply::EpochBegan(Some(NEW_EPOCH.into()));
    harness.handle(Event::HistoryReplied(began));
    let sent = harness.inbox.remove(&ANA).unwrap();
    assert!(
        matches!(&sent[..], [ServerMessage::History { epoch, .. }] if *epoch == old),
        "{sent:?}"
    );
    harness.send_json(ANA, r#"{"type":"history","room":"geral"}"#);
    let sent = harness.inbox.remove(&ANA).unwrap();
    assert!(
        matches!(&sent[..], [ServerMessage::History { epoch, .. }] if **epoch == *NEW_EPOCH),
        "{sent:?}"
    );
}
