//! Many messages, a rate limit, and lost connections.

use super::*;
use papo::name::{Name, RoomName};
use papo::protocol::{Say, Whisper};

const LIMITS: Limits = Limits {
    text: 4000,
    name: 24,
    room: 32,
    rate: 5.0,
    burst: 20,
};

fn queue(rate: f64, texts: usize, now: Instant) -> SendQueue {
    let mut queue = SendQueue::new("x".into());
    queue.set_limits(&Limits { rate, ..LIMITS }, now);
    for n in 1..=texts {
        queue.push(
            SendTarget::Room {
                room: RoomName::lobby(),
                action: false,
            },
            n.to_string(),
            now,
        );
    }
    queue
}

fn ids(messages: &[ClientMessage]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| match message {
            ClientMessage::Say(Say { id, .. }) | ClientMessage::Whisper(Whisper { id, .. }) => {
                id.as_str()
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn at_most_sixteen_messages_are_in_flight() {
    let now = Instant::now();
    let mut queue = queue(0.0, 20, now);
    assert_eq!(queue.next_batch(now).len(), 16);
    assert_eq!(queue.next_batch(now).len(), 0);
    assert_eq!(
        queue.next_due(now),
        None,
        "nothing to do until a message is acknowledged"
    );
    assert_eq!(
        queue.resolve("x-1").map(|pending| pending.text).as_deref(),
        Some("1")
    );
    assert_eq!(ids(&queue.next_batch(now)), ["x-17"]);
}

#[test]
fn queue_stays_within_the_servers_rate() {
    let start = Instant::now();
    let mut queue = queue(5.0, 100, start);
    let mut sent = Vec::new();
    let mut now = start;
    while !queue.is_empty() {
        for message in queue.next_batch(now) {
            let id = ids(&[message])[0].to_owned();
            queue.resolve(&id);
            sent.push((id, now - start));
        }
        now = queue.next_due(now).unwrap_or(now);
    }
    let order: Vec<String> = (1..=100).map(|n| format!("x-{n}")).collect();
    assert_eq!(
        sent.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(),
        order
    );
    for (nth, (_, time)) in sent.iter().enumerate() {
        assert!(
            nth as f64 + 1.0 <= 20.0 + 5.0 * time.as_secs_f64() + 0.001,
            "{nth} at {time:?}"
        );
    }
    assert!(
        sent[99].1 < Duration::from_secs(17),
        "no slower than it must be"
    );
}

#[test]
fn deferred_message_is_resent_before_later_ones() {
    let now = Instant::now();
    let mut queue = queue(0.0, 3, now);
    assert_eq!(ids(&queue.next_batch(now)), ["x-1", "x-2", "x-3"]);
    for id in ["x-1", "x-2", "x-3"] {
        queue.defer(id, Duration::from_millis(400), now);
    }
    assert_eq!(queue.next_batch(now).len(), 0);
    let later = now + Duration::from_millis(400);
    assert_eq!(queue.next_due(now), Some(later));
    assert_eq!(ids(&queue.next_batch(later)), ["x-1"]);
    assert_eq!(
        queue.next_batch(later).len(),
        0,
        "the next waits for the answer to this one"
    );
    queue.resolve("x-1");
    assert_eq!(ids(&queue.next_batch(later)), ["x-2"]);
    queue.resolve("x-2");
    assert_eq!(ids(&queue.next_batch(later)), ["x-3"]);
}

/// One message in a room in slow mode used to hold back every other room, and whispers, for up to an hour.
#[test]
fn slow_room_holds_only_its_own_messages_back() {
    let now = Instant::now();
    let later = now + Duration::from_mins(1);
    let mut queue = queue(0.0, 3, now);
    assert_eq!(ids(&queue.next_batch(now)), ["x-1", "x-2", "x-3"]);
    for id in ["x-1", "x-2", "x-3"] {
        queue.defer_in_room(id, later - now, now);
    }
    assert_eq!(queue.next_due(now), Some(later));
    let lab = SendTarget::Room {
        room: RoomName::new("lab").unwrap(),
        action: false,
    };
    queue.push(lab, "elsewhere".into(), now);
    queue.push(
        SendTarget::Person(Name::new("Bia").unwrap()),
        "psiu".into(),
        now,
    );
    assert_eq!(queue.next_due(now), Some(now));
    assert_eq!(ids(&queue.next_batch(now)), ["x-4", "x-5"]);
    assert_eq!(ids(&queue.next_batch(later)), ["x-1"], "one by one");
    assert!(queue.next_batch(later).is_empty());
    queue.resolve("x-1");
    assert_eq!(ids(&queue.next_batch(later)), ["x-2"]);
}

#[test]
fn unconfirmed_messages_keep_their_ids_after_reconnect() {
    let now = Instant::now();
    let mut queue = queue(0.0, 3, now);
    queue.next_batch(now);
    queue.resolve("x-1");
    queue.mark_unsent();
    assert_eq!(ids(&queue.next_batch(now)), ["x-2", "x-3"]);
    assert_eq!(queue.resolve("x-1"), None);
}

/// A wait computed from the server's rate used to overflow `Instant`.
#[test]
fn extreme_rates_never_overflow_the_wait() {
    let now = Instant::now();
    for rate in [f64::MIN_POSITIVE, 1e-30, 1e300] {
        let mut queue = queue(rate, 40, now);
        queue.next_batch(now);
        for number in 1..=16 {
            queue.resolve(&format!("x-{number}"));
        }
        queue.next_batch(now);
        assert!(
            queue
                .next_due(now)
                .is_none_or(|time| time <= now + Duration::from_secs(61))
        );
    }
}
