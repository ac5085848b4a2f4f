//! The moderation state in a file that is closed and opened again.

use super::*;
use crate::history::fixtures::{HistoryFolder, append, room};
use crate::history::sqlite::SqliteHistory;
use crate::history::{
    Append, Clock, History, HistoryReply, HistoryRequest, Outcome, RequestId, RoomHead,
};
use crate::protocol::Token;

/// How long a test waits for a reply.
const DEADLINE: Duration = Duration::from_secs(20);
const DAY_MS: u64 = 24 * 3600 * 1000;
/// A time at which the logs of these tests were written.
const NOW: u64 = 1_700_000_000_000;

fn open(folder: &HistoryFolder) -> SqliteHistory {
    SqliteHistory::open(&folder.log(), None).unwrap()
}

fn reopened_state(folder: &HistoryFolder) -> SavedState {
    open(folder).take_saved_state()
}

fn save(history: &mut SqliteHistory, changes: Vec<ModerationChange>) {
    let request = HistoryRequest::SaveModeration(RequestId(9), changes);
    history.submit(vec![request]);
    let reply = history.replies().recv_timeout(DEADLINE).unwrap();
    let saved = matches!(reply, HistoryReply::ModerationSaved(RequestId(9), true));
    assert!(saved, "{reply:?}");
}

fn token_hash(name: &str) -> TokenHash {
    let digits: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    TokenHash::of(&Token::new(&format!("{digits:0>32}")).unwrap())
}

fn moderator(name: &str, at: u64) -> SavedModerator {
    SavedModerator {
        token_hash: token_hash(name),
        name: Name::new(name).unwrap(),
        at,
    }
}

fn sanction(kind: SanctionKind, name: &str, at: u64, until: u64) -> SavedSanction {
    let addresses = ["203.0.113.7", "2001:db8::1"].map(|ip| ClientAddr::parse(ip).unwrap());
    SavedSanction {
        kind,
        token_hash: token_hash(name),
        name: Name::new(name).unwrap(),
        at,
        until,
        addresses: addresses.into(),
        addresses_until: until - 1,
    }
}

/// The wall clock of the writer, which these sanctions end after.
fn soon() -> u64 {
    Clock::system().read().wall_ms + DAY_MS
}

fn room_head(history: &mut SqliteHistory, room: &RoomName) -> RoomHead {
    history.submit(vec![HistoryRequest::RoomHead(room.clone())]);
    match history.replies().recv_timeout(DEADLINE).unwrap() {
        HistoryReply::RoomHead(_, Some(head)) => head,
        other => panic!("{other:?}"),
    }
}

#[test]
fn moderators_lock_and_sanctions_are_there_after_reopening() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    assert_eq!(history.take_saved_state(), SavedState::default());
    let mute = sanction(SanctionKind::Mute, "Bruno", NOW, soon());
    let ban = sanction(SanctionKind::Ban, "Bruno", NOW + 1, soon());
    let changes = vec![
        ModerationChange::Promote(moderator("Ana", 1)),
        ModerationChange::Promote(moderator("Célia", 2)),
        ModerationChange::Lock(true),
        ModerationChange::Impose(mute.clone()),
        ModerationChange::Impose(sanction(SanctionKind::Ban, "Bruno", NOW, soon())),
        ModerationChange::Impose(ban.clone()),
    ];
    save(&mut history, changes);
    drop(history);
    let state = reopened_state(&folder);
    assert_eq!(
        state.moderators,
        [moderator("Ana", 1), moderator("Célia", 2)]
    );
    assert_eq!((state.locked, state.sanctions), (true, vec![mute, ban]));
}

#[test]
fn revoked_roles_and_lifted_sanctions_stay_so() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let mute = sanction(SanctionKind::Mute, "Bruno", NOW, soon());
    let changes = vec![
        ModerationChange::Promote(moderator("Ana", 1)),
        ModerationChange::Promote(moderator("Célia", 2)),
        ModerationChange::Lock(true),
        ModerationChange::Impose(mute.clone()),
        ModerationChange::Impose(sanction(SanctionKind::Ban, "Bruno", NOW, soon())),
    ];
    save(&mut history, changes);
    let changes = vec![
        ModerationChange::Demote(token_hash("Ana")),
        ModerationChange::Lift(SanctionKind::Ban, token_hash("Bruno")),
        ModerationChange::Lock(false),
    ];
    save(&mut history, changes);
    drop(history);
    let state = reopened_state(&folder);
    assert_eq!(state.moderators, [moderator("Célia", 2)]);
    assert_eq!((state.locked, state.sanctions), (false, vec![mute]));
}

#[test]
fn room_settings_and_first_owner_are_kept() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let set = |setting| {
        vec![ModerationChange::Room(
            room(),
            Some(token_hash("Ana")),
            setting,
        )]
    };
    let password = StoredPassword::new("$argon2id$…");
    save(&mut history, set(RoomSetting::SlowMs(10_000)));
    save(&mut history, set(RoomSetting::ModeratorsOnly(true)));
    save(
        &mut history,
        set(RoomSetting::Password(Some(password.clone()))),
    );
    // A later message or setting does not change whose room it is.
    let late = append("Bruno", "b1", "oi", NOW);
    let owned = Append {
        room_owner: Some(Box::new(token_hash("Bruno"))),
        ..late
    };
    history.submit(vec![HistoryRequest::Append(owned)]);
    history.replies().recv_timeout(DEADLINE).unwrap();
    drop(history);
    let mut history = open(&folder);
    let settings = RoomSettings {
        moderators_only: true,
        slow_ms: 10_000,
        password: Some(password),
    };
    let saved = SavedRoom {
        name: room(),
        seq: 1,
        settings,
    };
    assert_eq!(history.take_saved_state().rooms, [saved]);
    let owner = room_head(&mut history, &room()).owner;
    assert_eq!(owner.as_deref(), Some(&token_hash("Ana")));
    save(&mut history, set(RoomSetting::Password(None)));
    drop(history);
    assert_eq!(reopened_state(&folder).rooms[0].settings.password, None);
}

#[test]
fn first_message_stores_the_owner_and_old_rooms_have_none() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let owned = Append {
        room_owner: Some(Box::new(token_hash("Ana"))),
        ..append("Ana", "a1", "oi", NOW)
    };
    let other = RoomName::new("antiga").unwrap();
    let unowned = Append {
        room: other.clone(),
        ..append("Ana", "a2", "oi", NOW)
    };
    history.submit(vec![
        HistoryRequest::Append(owned),
        HistoryRequest::Append(unowned),
    ]);
    for _ in 0..2 {
        history.replies().recv_timeout(DEADLINE).unwrap();
    }
    let owner = room_head(&mut history, &room()).owner;
    assert_eq!(owner.as_deref(), Some(&token_hash("Ana")));
    assert_eq!(room_head(&mut history, &other).owner, None);
}

#[test]
fn changes_and_messages_are_stored_in_order() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let lock = |on| HistoryRequest::SaveModeration(RequestId(2), vec![ModerationChange::Lock(on)]);
    history.submit(vec![
        HistoryRequest::Append(append("Ana", "a1", "oi", NOW)),
        lock(true),
        HistoryRequest::Append(append("Ana", "a2", "oi", NOW)),
        lock(false),
    ]);
    let mut replies = Vec::new();
    for _ in 0..4 {
        replies.push(match history.replies().recv_timeout(DEADLINE).unwrap() {
            HistoryReply::Appended(_, id, _, Outcome::Stored(_)) => id,
            HistoryReply::ModerationSaved(_, true) => "saved".into(),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(replies, ["a1", "saved", "a2", "saved"]);
    drop(history);
    assert!(!reopened_state(&folder).locked);
}

#[test]
fn sanction_is_kept_for_a_week_by_both_clocks() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    history.submit(vec![HistoryRequest::Append(append("Ana", "a1", "oi", NOW))]);
    history.replies().recv_timeout(DEADLINE).unwrap();
    let week = 7 * DAY_MS;
    let ended = |name, until| sanction(SanctionKind::Ban, name, until - DAY_MS, until);
    let old = ended("Bruno", NOW - week - 1);
    let recent = ended("Célia", NOW - week + 1);
    // The clock has passed both by years: only the log's time is nearer.
    let changes = [&old, &recent].map(|one| ModerationChange::Impose(one.clone()));
    save(&mut history, changes.into());
    drop(history);
    assert_eq!(
        reopened_state(&folder).sanctions,
        std::slice::from_ref(&recent)
    );
    // And a clock that was set back prunes nothing, whatever the log says.
    let connection = Connection::open(folder.log()).unwrap();
    let sanctions = load(&connection, NOW - 30 * DAY_MS).unwrap().sanctions;
    assert_eq!(sanctions, [recent]);
}

#[test]
fn rows_that_another_program_wrote_are_skipped() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    save(
        &mut history,
        vec![ModerationChange::Promote(moderator("Ana", 1))],
    );
    drop(history);
    let connection = Connection::open(folder.log()).unwrap();
    connection
        .execute_batch(
            "INSERT INTO moderators (token_hash, name, at) VALUES (zeroblob(32), 'sem\u{202e}nome!', 2);
             INSERT INTO sanctions (kind, token_hash, name, at, until) VALUES (7, zeroblob(32), 'Bruno', 1, 9999999999999);",
        )
        .unwrap();
    drop(connection);
    let state = reopened_state(&folder);
    assert_eq!(state.moderators, [moderator("Ana", 1)]);
    assert_eq!(state.sanctions, []);
}
