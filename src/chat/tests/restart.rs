//! The moderation state outlives a restart: it is stored before it is shown, and taken over when the server starts.

use super::*;
use crate::auth::TokenHash;
use crate::history::{
    Append, RoomSettings, SanctionKind, SavedModerator, SavedRoom, SavedSanction, fixtures,
};
use crate::name::Name;
use crate::protocol::Token;

const HOUR_MS: u64 = 3_600_000;

fn token_hash_of(name: &str) -> TokenHash {
    let token = format!("token-of-{name}-0123456789").replace(|c: char| !c.is_ascii(), "_");
    TokenHash::of(&Token::new(&token).unwrap())
}

fn saved_moderator(name: &str) -> SavedModerator {
    SavedModerator {
        token_hash: token_hash_of(name),
        name: Name::new(name).unwrap(),
        at: 1,
    }
}

/// A sanction against Bruno from an hour ago until in an hour, by the harness's clock.
fn saved_sanction(kind: SanctionKind, now: Now) -> SavedSanction {
    SavedSanction {
        kind,
        token_hash: token_hash_of("Bruno"),
        name: Name::new("Bruno").unwrap(),
        at: now.unix_ms - HOUR_MS,
        until: now.unix_ms + HOUR_MS,
        addresses: vec![ClientAddr::from_ip("203.0.113.7".parse().unwrap())],
        addresses_until: now.unix_ms + HOUR_MS,
    }
}

fn saved_room(name: &str, settings: RoomSettings) -> SavedRoom {
    SavedRoom {
        name: RoomName::new(name).unwrap(),
        seq: 7,
        settings,
    }
}

/// A server that was started with what a history kept, some hours after the clock's beginning.
fn started_with(saved: impl FnOnce(Now) -> SavedState) -> ChatHarness {
    let mut harness = ChatHarness::with_rules(Rules {
        moderator_key: Some(PasswordHash::of(MODERATOR_KEY)),
        ..Rules::default()
    });
    harness.now.unix_ms = 100 * HOUR_MS;
    harness.chat.restore(saved(harness.now), harness.now);
    harness
}

impl ChatHarness {
    /// Hands a request to the chat without carrying out its effects; they are given back.
    fn request_only(&mut self, conn: ConnId, json: &str) -> Vec<Effect> {
        let message = ClientMessage::parse(json).unwrap();
        self.chat.handle(Event::Request(conn, message), self.now);
        self.chat.take_effects()
    }

    fn apply_all(&mut self, effects: Vec<Effect>) {
        effects.into_iter().for_each(|effect| self.apply(effect));
        self.apply_effects();
    }

    /// The refusal that comes before the `bye` of a banned person.
    fn take_first_refusal(&mut self, conn: ConnId) -> Refusal {
        match self.inbox.remove(&conn).map(|mut got| got.remove(0)) {
            Some(ServerMessage::Error(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    /// Whether this connection entered as a moderator.
    fn is_moderator(&self, conn: ConnId) -> bool {
        let mut received = self.inbox[&conn].iter();
        received.any(|message| {
            matches!(
                message,
                ServerMessage::Welcome {
                    moderator: true,
                    ..
                }
            )
        })
    }
}

#[test]
fn act_is_stored_before_it_is_shown() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    for act in [
        r#""act":"mute","name":"Bruno""#,
        r#""act":"unmute","name":"Bruno""#,
        r#""act":"moderators_only","room":"geral""#,
        r#""act":"slow","room":"geral","seconds":9"#,
        r#""act":"lock""#,
        r#""act":"promote","name":"Bruno""#,
        r#""act":"demote","name":"Bruno""#,
        r#""act":"ban","name":"Bruno""#,
        r#""act":"unban","name":"Bruno""#,
    ] {
        let effects = harness.request_only(ANA, &format!(r#"{{"type":"moderate",{act}}}"#));
        let [Effect::Submit(HistoryRequest::SaveModeration(_, changes))] = &effects[..] else {
            panic!("{act}: {effects:?}")
        };
        assert!(!changes.is_empty());
        assert_eq!(harness.take_labels(ANA), nothing(), "{act}");
        harness.apply_all(effects);
        let shown = harness.take_labels(ANA);
        let notice = shown.last().unwrap();
        assert!(notice.starts_with("* Ana "), "{act}: {shown:?}");
    }
}

#[test]
fn moderator_key_is_stored_before_the_welcome() {
    let mut harness = started_with(|_| SavedState::default());
    harness.enter(CELIA, "Célia");
    harness.handle(Event::Connected(ANA, ClientAddr::LOCAL));
    let enter = format!(
        r#"{{"type":"enter","name":"Ana","token":"token-of-Ana-0123456789","moderator_key":"{MODERATOR_KEY}"}}"#
    );
    let effects = harness.request_only(ANA, &enter);
    assert!(
        matches!(
            &effects[..],
            [Effect::Submit(HistoryRequest::SaveModeration(..))]
        ),
        "{effects:?}"
    );
    // Meanwhile the key is spent.
    harness.enter_with_fields(
        BRUNO,
        "Bruno",
        &format!(r#","moderator_key":"{MODERATOR_KEY}""#),
    );
    assert_eq!(harness.take_labels(BRUNO), ["error moderator_key_wrong"]);
    harness.apply_all(effects);
    assert!(harness.is_moderator(ANA));
}

#[test]
fn act_on_a_full_disk_holds_and_is_said_not_to_last() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    harness.disk_full = true;
    harness.moderate(ANA, r#""ban","name":"Bruno""#);
    let banned = "* Ana baniu Bruno da conversa por 1 hora.";
    let shown = harness.take_labels(ANA);
    assert_eq!(shown[..2], ["2 online -Bruno", banned]);
    assert!(shown[2].starts_with("* Isto vale agora, mas o servidor não conseguiu guardar"));
    assert_eq!(harness.take_labels(CELIA), ["2 online -Bruno", banned]);
    harness.enter(ConnId(4), "Bruno");
    assert_eq!(harness.take_labels(ConnId(4))[0], "error banned");
    let key = format!(r#","moderator_key":"{MODERATOR_KEY}""#);
    let mut harness = started_with(|_| SavedState::default());
    harness.disk_full = true;
    harness.enter_with_fields(ANA, "Ana", &key);
    assert!(harness.is_moderator(ANA));
    let shown = harness.take_labels(ANA);
    assert!(shown[2].starts_with("* Isto vale agora"), "{shown:?}");
}

#[test]
fn ban_holds_for_a_person_who_left_while_it_was_stored() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    let effects = harness.request_only(ANA, r#"{"type":"moderate","act":"ban","name":"Bruno"}"#);
    harness
        .chat
        .handle(Event::Disconnected(BRUNO, true), harness.now);
    let left = harness.chat.take_effects();
    harness.apply_all(effects.into_iter().chain(left).collect());
    let shown = harness.take_labels(ANA);
    assert_eq!(shown[1], "* Ana baniu Bruno da conversa por 1 hora.");
    harness.enter(ConnId(4), "Bruno");
    assert_eq!(harness.take_labels(ConnId(4))[0], "error banned");
}

#[test]
fn setting_is_stored_also_when_everybody_leaves_the_room() {
    let mut harness = with_moderator(&[]);
    harness.send_json(ANA, r#"{"type":"join","room":"lab"}"#);
    let slow = r#"{"type":"moderate","act":"slow","room":"lab","seconds":9,"id":"s1"}"#;
    let effects = harness.request_only(ANA, slow);
    harness
        .chat
        .handle(Event::Disconnected(ANA, true), harness.now);
    let left = harness.chat.take_effects();
    harness.apply_all(effects.into_iter().chain(left).collect());
    assert_eq!(harness.chat.rooms(), 1);
    harness.enter(ANA, "Ana");
    harness.send_json(ANA, r#"{"type":"join","room":"lab"}"#);
    match harness.inbox.get_mut(&ANA).and_then(Vec::pop) {
        Some(ServerMessage::Joined { state, .. }) => assert_eq!(state.slow_ms, 9000),
        other => panic!("{other:?}"),
    }
}

#[test]
fn moderator_is_known_by_the_token_after_a_restart() {
    let saved = |_| SavedState {
        moderators: vec![saved_moderator("Ana")],
        ..SavedState::default()
    };
    let mut harness = started_with(saved);
    harness.enter_with_fields(ANA, "Ana", r#","moderator_key":"a chave de ontem""#);
    harness.enter_with_token(CELIA, "Ana Maria", "token-of-Ana-0123456789");
    assert!(harness.is_moderator(ANA) && harness.is_moderator(CELIA));
    // Another person's old key is refused, and the new one is still there for the first who shows it.
    harness.enter_with_fields(BRUNO, "Bruno", r#","moderator_key":"a chave de ontem""#);
    assert_eq!(harness.take_labels(BRUNO), ["error moderator_key_wrong"]);
    let key = format!(r#","moderator_key":"{MODERATOR_KEY}""#);
    harness.enter_with_fields(BRUNO, "Bruno", &key);
    assert!(harness.is_moderator(BRUNO));
}

#[test]
fn demotion_takes_the_role_from_the_token() {
    let saved = |_| SavedState {
        moderators: vec![saved_moderator("Ana"), saved_moderator("Bruno")],
        ..SavedState::default()
    };
    let mut harness = started_with(saved);
    harness.enter(ANA, "Ana");
    harness.enter(BRUNO, "Bruno");
    harness.enter_with_token(CELIA, "Outra cara", "token-of-Bruno-0123456789");
    harness.inbox.clear();
    harness.moderate(ANA, r#""demote","name":"Bruno""#);
    let shown = harness.take_labels(CELIA);
    assert_eq!(shown.len(), 3, "{shown:?}");
    harness.moderate(CELIA, r#""lock""#);
    assert_eq!(harness.take_labels(CELIA), ["error forbidden"]);
}

#[test]
fn absent_moderator_is_demoted_by_the_last_name() {
    let saved = |_| SavedState {
        moderators: vec![saved_moderator("Ana"), saved_moderator("Bruno")],
        ..SavedState::default()
    };
    let mut harness = started_with(saved);
    harness.enter(ANA, "Ana");
    harness.enter_with_token(BRUNO, "Beto", "token-of-Bruno-0123456789");
    harness.close_cleanly(BRUNO);
    harness.inbox.clear();
    harness.moderate(ANA, r#""demote","name":"Bruno""#);
    assert_eq!(harness.take_labels(ANA), ["error no_such_person"]);
    harness.moderate(ANA, r#""demote","name":"beto""#);
    let notice = "* Ana rebaixou Beto, que não organiza mais a conversa.";
    assert_eq!(harness.take_labels(ANA), [notice]);
    harness.enter(ConnId(4), "Bruno");
    assert!(!harness.is_moderator(ConnId(4)));
}

#[test]
fn ban_and_mute_last_to_their_end_after_a_restart() {
    let saved = |now| SavedState {
        sanctions: vec![saved_sanction(SanctionKind::Ban, now)],
        ..SavedState::default()
    };
    let mut harness = started_with(saved);
    harness.enter(BRUNO, "Bruno");
    assert_eq!(
        harness.take_first_refusal(BRUNO).retry_after_ms,
        Some(HOUR_MS + 1)
    );
    let address = ClientAddr::from_ip("203.0.113.7".parse().unwrap());
    harness.handle(Event::Connected(CELIA, address));
    let enter = r#"{"type":"enter","name":"Rui","token":"token-of-Rui-0123456789"}"#;
    harness.send_json(CELIA, enter);
    assert_eq!(harness.take_labels(CELIA)[0], "error banned");
    harness.advance(Duration::from_hours(1));
    harness.enter(ConnId(4), "Bruno");
    assert_eq!(harness.take_labels(ConnId(4))[0], "welcome Bruno");

    let saved = |now| SavedState {
        sanctions: vec![saved_sanction(SanctionKind::Mute, now)],
        ..SavedState::default()
    };
    let mut harness = started_with(saved);
    harness.enter(BRUNO, "Bruno");
    harness.inbox.clear();
    harness.say(BRUNO, "b1", "oi");
    assert_eq!(harness.take_labels(BRUNO), ["error muted b1"]);
    harness.advance(Duration::from_hours(1));
    harness.say(BRUNO, "b2", "oi");
    assert_eq!(harness.take_labels(BRUNO), ["ack b2 1"]);
}

#[test]
fn sanction_is_neither_lengthened_nor_revived_by_the_clock() {
    // Set back by fifty hours, the clock says that the ban of two hours begins much later.
    let saved = |now| {
        let sanction = saved_sanction(SanctionKind::Ban, now);
        SavedState {
            sanctions: vec![SavedSanction {
                at: sanction.at + 50 * HOUR_MS,
                until: sanction.until + 50 * HOUR_MS,
                ..sanction
            }],
            ..SavedState::default()
        }
    };
    let mut harness = started_with(saved);
    harness.enter(BRUNO, "Bruno");
    let retry_after_ms = harness.take_first_refusal(BRUNO).retry_after_ms;
    assert_eq!(retry_after_ms, Some(2 * HOUR_MS + 1));
    let ended = |now| {
        let sanction = saved_sanction(SanctionKind::Ban, now);
        SavedState {
            sanctions: vec![SavedSanction {
                until: now.unix_ms,
                ..sanction
            }],
            ..SavedState::default()
        }
    };
    let mut harness = started_with(ended);
    harness.enter(BRUNO, "Bruno");
    assert_eq!(harness.take_labels(BRUNO)[0], "welcome Bruno");
}

#[test]
fn lock_and_room_modes_hold_after_a_restart() {
    let settings = RoomSettings {
        moderators_only: true,
        slow_ms: 10_000,
        password: None,
    };
    let saved = |_| SavedState {
        locked: true,
        moderators: vec![saved_moderator("Ana")],
        rooms: vec![saved_room("geral", settings)],
        ..SavedState::default()
    };
    let mut harness = started_with(saved);
    harness.enter(BRUNO, "Bruno");
    assert_eq!(harness.take_labels(BRUNO), ["error locked"]);
    harness.enter(ANA, "Ana");
    let expected = RoomState {
        moderators_only: true,
        slow_ms: 10_000,
        password: false,
        locked: true,
        muted_until: None,
    };
    match harness.inbox.get_mut(&ANA).and_then(Vec::pop) {
        Some(ServerMessage::Joined { state, .. }) => assert_eq!(state, expected),
        other => panic!("{other:?}"),
    }
    harness.moderate(ANA, r#""lock""#);
    harness.moderate(ANA, r#""moderators_only","room":"geral""#);
    harness.enter(BRUNO, "Bruno");
    harness.wait_for_updates();
    harness.inbox.clear();
    harness.say(BRUNO, "b1", "um");
    harness.say(BRUNO, "b2", "dois");
    assert_eq!(
        harness.take_labels(BRUNO),
        ["ack b1 1", "error slow_mode b2"]
    );
}

#[test]
fn log_of_unknown_owner_belongs_to_moderators_only() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    let lab = RoomName::new("lab").unwrap();
    let stored_before = Append {
        room: lab,
        ..fixtures::append("Célia", "c1", "oi", 1)
    };
    harness
        .history
        .submit(vec![HistoryRequest::Append(stored_before)]);
    harness.history.replies().recv().unwrap();
    harness.send_json(BRUNO, r#"{"type":"join","room":"lab"}"#);
    let set = r#"{"type":"room_password","room":"lab","password":"x"}"#;
    harness.send_json(BRUNO, set);
    let labels = harness.take_labels(BRUNO);
    assert_eq!(labels, ["joined lab 1 1", "error forbidden"]);
    harness.send_json(ANA, r#"{"type":"join","room":"lab"}"#);
    harness.send_json(ANA, set);
    assert!(
        harness
            .take_labels(ANA)
            .pop()
            .unwrap()
            .starts_with("* Ana pôs")
    );
}

#[test]
fn rooms_with_a_log_are_listed_when_nobody_is_in_them() {
    let closed = RoomSettings {
        password: Some(StoredPassword::new("hash of x")),
        ..RoomSettings::default()
    };
    let saved = |_| SavedState {
        rooms: vec![
            saved_room("cofre", closed),
            saved_room("lab", RoomSettings::default()),
            SavedRoom {
                seq: 0,
                ..saved_room("nunca", RoomSettings::default())
            },
        ],
        ..SavedState::default()
    };
    let mut harness = started_with(saved);
    harness.enter(ANA, "Ana");
    harness.send_json(ANA, r#"{"type":"join","room":"aula"}"#);
    let say = r#"{"type":"say","room":"aula","id":"a1","text":"oi"}"#;
    harness.send_json(ANA, say);
    let mut listed = || {
        harness.send_json(ANA, r#"{"type":"rooms"}"#);
        let received = harness.inbox.get_mut(&ANA).and_then(Vec::pop);
        let Some(ServerMessage::Rooms { rooms, .. }) = received else {
            panic!("{received:?}")
        };
        let short = rooms.iter().map(|room| {
            let password = if room.password { " senha" } else { "" };
            format!("{} {} {}{password}", room.room, room.online, room.seq)
        });
        short.collect::<Vec<_>>()
    };
    assert_eq!(
        listed(),
        ["aula 1 1", "geral 1 0", "cofre 0 7 senha", "lab 0 7"]
    );
    harness.send_json(ANA, r#"{"type":"leave","room":"aula"}"#);
    harness.send_json(ANA, r#"{"type":"rooms"}"#);
    assert_eq!(
        harness.take_labels(ANA).pop().unwrap(),
        "geral:1 aula:0 cofre:0 lab:0"
    );
}
