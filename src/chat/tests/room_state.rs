//! What a room's members are told of its state.

use super::*;

impl ChatHarness {
    /// The states that a connection was sent since the last call, each with its room.
    fn take_states(&mut self, conn: ConnId) -> Vec<(String, RoomState)> {
        self.states.remove(&conn).unwrap_or_default()
    }

    /// The state in the `joined` of a room that a connection opens now.
    fn join(&mut self, conn: ConnId, room: &str) -> RoomState {
        self.send_json(conn, &format!(r#"{{"type":"join","room":"{room}"}}"#));
        match self.inbox.get_mut(&conn).and_then(Vec::pop) {
            Some(ServerMessage::Joined { state, .. }) => state,
            other => panic!("{other:?}"),
        }
    }
}

fn in_room(room: &str, state: RoomState) -> (String, RoomState) {
    (room.to_owned(), state)
}

#[test]
fn change_in_a_room_is_sent_to_its_members_only() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    for conn in [ANA, BRUNO] {
        assert_eq!(harness.join(conn, "lab"), RoomState::default());
    }
    harness.wait_for_updates();
    harness.moderate(ANA, r#""moderators_only","room":"lab","on":true"#);
    harness.wait_for_updates();
    harness.moderate(ANA, r#""slow","room":"lab","seconds":10"#);
    harness.wait_for_updates();
    let password = r#"{"type":"room_password","room":"lab","password":"x"}"#;
    harness.send_json(ANA, password);
    let first = RoomState {
        moderators_only: true,
        ..RoomState::default()
    };
    let second = RoomState {
        slow_ms: 10_000,
        ..first.clone()
    };
    let third = RoomState {
        password: true,
        ..second.clone()
    };
    let expected = [first, second, third.clone()].map(|state| in_room("lab", state));
    assert_eq!(harness.take_states(BRUNO), expected);
    assert_eq!(harness.take_states(CELIA), []);
    assert_eq!(harness.join(BRUNO, "lab"), third);
    assert_eq!(harness.join(BRUNO, "geral"), RoomState::default());
}

#[test]
fn lock_is_sent_to_every_open_room() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    harness.join(BRUNO, "lab");
    harness.moderate(ANA, r#""lock","on":true"#);
    let locked = RoomState {
        locked: true,
        ..RoomState::default()
    };
    let mut states = harness.take_states(BRUNO);
    states.sort_by(|(a, _), (b, _)| a.cmp(b));
    let everywhere = ["geral", "lab"].map(|room| in_room(room, locked.clone()));
    assert_eq!(states, everywhere);
    assert_eq!(harness.take_states(ANA), everywhere[..1]);
    harness.moderate(ANA, r#""lock""#);
    harness.wait_for_updates();
    let unlocked = in_room("geral", RoomState::default());
    assert_eq!(harness.take_states(ANA), [unlocked]);
}

#[test]
fn mute_is_told_only_to_the_muted_person() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    harness.enter(ConnId(4), "Bruno");
    harness.join(BRUNO, "lab");
    harness.moderate(ANA, r#""mute","name":"Bruno","seconds":60"#);
    let muted = RoomState {
        muted_until: Some(harness.now.unix_ms + 60_000),
        ..RoomState::default()
    };
    let everywhere = ["geral", "lab"].map(|room| in_room(room, muted.clone()));
    assert_eq!(harness.take_states(BRUNO), everywhere);
    assert_eq!(harness.take_states(ConnId(4)), everywhere[..1]);
    assert_eq!(harness.take_states(CELIA), []);
    assert_eq!(harness.join(ConnId(4), "lab"), muted);
    // The frame for all is followed by the own one, which replaces it.
    harness.moderate(ANA, r#""slow","room":"geral","seconds":1"#);
    let slow = RoomState {
        slow_ms: 1000,
        ..RoomState::default()
    };
    let own = RoomState {
        slow_ms: 1000,
        ..muted
    };
    assert_eq!(harness.take_states(CELIA), [in_room("geral", slow.clone())]);
    let replaced = [slow.clone(), own].map(|state| in_room("geral", state));
    assert_eq!(harness.take_states(BRUNO), replaced);
    harness.moderate(ANA, r#""unmute","name":"Bruno""#);
    let unmuted = [in_room("geral", slow), in_room("lab", RoomState::default())];
    assert_eq!(harness.take_states(BRUNO), unmuted);
    assert_eq!(harness.take_states(CELIA), []);
}

#[test]
fn ended_mute_is_no_longer_in_the_state() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    harness.moderate(ANA, r#""mute","name":"Bruno","seconds":60"#);
    harness.advance(Duration::from_mins(1));
    assert_eq!(harness.join(BRUNO, "geral"), RoomState::default());
    harness.moderate(ANA, r#""mute","name":"Bruno","seconds":60"#);
    harness.take_states(BRUNO);
    harness.moderate(ANA, r#""promote","name":"Bruno""#);
    let unmuted = [in_room("geral", RoomState::default())];
    assert_eq!(harness.take_states(BRUNO), unmuted);
}
