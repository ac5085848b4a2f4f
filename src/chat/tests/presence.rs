//! Presence: joins, leaves, drops and returns, as the other members get them.

use super::*;
use std::collections::BTreeSet;

const GRACE: Duration = Duration::from_secs(30);

#[test]
fn join_and_leave_are_sent_to_other_members_only() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    harness.enter(BRUNO, "Bruno");
    assert_eq!(harness.take_labels(ANA), ["2 online +Bruno"]);
    assert_eq!(
        harness.take_labels(BRUNO),
        ["welcome Bruno", "joined geral 2 0"]
    );
    harness.wait_for_updates();
    harness.close_cleanly(BRUNO);
    assert_eq!(harness.take_labels(ANA), ["1 online -Bruno"]);
}

#[test]
fn name_is_taken_in_any_spelling_and_free_after_leaving() {
    let mut harness = ChatHarness::with_people(&[(ANA, "José")]);
    harness.enter(BRUNO, "JOSE");
    assert_eq!(harness.take_labels(BRUNO), ["error name_taken"]);
    harness.send_json(
        BRUNO,
        r#"{"type":"enter","name":"Zé","token":"0123456789abcdef"}"#,
    );
    assert_eq!(
        harness.take_labels(BRUNO),
        ["welcome Zé", "joined geral 2 0"]
    );
    harness.close_cleanly(ANA);
    harness.enter_with_token(CELIA, "jose", "another-token-altogether");
    assert_eq!(
        harness.take_labels(CELIA),
        ["welcome jose", "joined geral 2 0"]
    );
}

#[test]
fn second_tab_is_the_same_person() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.enter(CELIA, "Ana");
    assert_eq!(
        harness.take_labels(CELIA),
        ["welcome Ana", "joined geral 2 0"]
    );
    harness.close_cleanly(ANA);
    assert_eq!(harness.take_labels(BRUNO), Vec::<String>::new());
    harness.close_cleanly(CELIA);
    assert_eq!(harness.take_labels(BRUNO), ["1 online -Ana"]);
}

#[test]
fn reconnect_within_grace_causes_no_presence() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.drop_connection(ANA);
    harness.advance(GRACE - Duration::from_secs(1));
    harness.enter(CELIA, "Ana");
    harness.advance(GRACE * 2);
    assert_eq!(harness.take_labels(BRUNO), Vec::<String>::new());
}

#[test]
fn dropped_person_is_counted_but_not_connected() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.drop_connection(ANA);
    assert_eq!(
        (harness.chat.people(), harness.chat.people_connected()),
        (2, 1)
    );
    harness.enter(CELIA, "Ana");
    assert_eq!(
        (harness.chat.people(), harness.chat.people_connected()),
        (2, 2)
    );
}

#[test]
fn dropped_person_leaves_after_the_grace() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.drop_connection(ANA);
    harness.enter_with_token(CELIA, "Ana", "somebody-elses-token");
    assert_eq!(harness.take_labels(CELIA), ["error name_taken"]);
    harness.advance(GRACE);
    assert_eq!(harness.take_labels(BRUNO), ["1 online -Ana"]);
    harness.enter_with_token(ConnId(4), "Ana", "somebody-elses-token");
    assert_eq!(
        harness.take_labels(ConnId(4)),
        ["welcome Ana", "joined geral 2 0"]
    );
}

#[test]
fn room_not_rejoined_is_left_after_the_grace() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.send_json(ANA, r#"{"type":"join","room":"lab"}"#);
    harness.send_json(BRUNO, r#"{"type":"join","room":"lab"}"#);
    harness.inbox.clear();
    harness.drop_connection(ANA);
    harness.enter(CELIA, "Ana");
    harness.advance(GRACE);
    assert_eq!(harness.take_labels(BRUNO), ["1 online -Ana"]);
}

#[test]
fn dropped_second_connection_causes_no_presence() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.enter(CELIA, "Ana");
    harness.drop_connection(ANA);
    harness.advance(GRACE * 2);
    assert_eq!(harness.take_labels(BRUNO), Vec::<String>::new());
}

#[test]
fn clean_close_of_last_tab_ends_held_memberships() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.send_json(BRUNO, r#"{"type":"join","room":"lab"}"#);
    harness.enter(CELIA, "Ana");
    harness.send_json(CELIA, r#"{"type":"join","room":"lab"}"#);
    harness.drop_connection(CELIA);
    harness.wait_for_updates();
    harness.inbox.clear();
    harness.close_cleanly(ANA);
    assert_eq!(
        harness.take_labels(BRUNO),
        ["1 online -Ana", "1 online -Ana"]
    );
    assert_eq!(harness.chat.people(), 1);
}

#[test]
fn rename_is_broadcast_and_frees_the_old_name() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.send_json(BRUNO, r#"{"type":"rename","name":"ana"}"#);
    harness.send_json(BRUNO, r#"{"type":"rename","name":"Bruno Lima"}"#);
    assert_eq!(
        harness.take_labels(BRUNO),
        [
            "error name_taken",
            "welcome Bruno Lima",
            "2 online Bruno>Bruno Lima"
        ]
    );
    assert_eq!(harness.take_labels(ANA), ["2 online Bruno>Bruno Lima"]);
    harness.enter_with_token(CELIA, "Bruno", "another-token-altogether");
    assert_eq!(harness.take_labels(CELIA)[0], "welcome Bruno");
}

#[test]
fn new_spelling_of_own_name_is_a_rename() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Jose")]);
    harness.send_json(ANA, r#"{"type":"rename","name":"José"}"#);
    assert_eq!(
        harness.take_labels(ANA),
        ["welcome José", "1 online Jose>José"]
    );
}

#[test]
fn rename_to_own_other_name_merges_both_people() {
    let mut harness = ChatHarness::new();
    harness.enter_with_token(ANA, "Ana", "one-token-for-both-names");
    harness.enter_with_token(BRUNO, "Bia", "one-token-for-both-names");
    harness.enter(CELIA, "Célia");
    harness.wait_for_updates();
    harness.inbox.clear();
    harness.send_json(BRUNO, r#"{"type":"rename","name":"Ana"}"#);
    assert_eq!(harness.chat.people(), 2);
    harness.wait_for_updates();
    assert_eq!(
        harness.take_labels(CELIA),
        ["2 online -Ana", "2 online Bia>Ana"]
    );
    assert!(harness.take_labels(ANA).contains(&"welcome Ana".to_owned()));
    harness.close_cleanly(ANA);
    harness.close_cleanly(BRUNO);
    assert_eq!(harness.take_labels(CELIA), ["1 online -Ana"]);
}

#[test]
fn presence_is_coalesced_in_a_large_room() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    for n in 0..60 {
        harness.enter(ConnId(100 + n), &format!("Pessoa {n}"));
    }
    harness.advance(Duration::from_secs(1));
    harness.advance(Duration::from_secs(1));
    harness.inbox.clear();
    harness.close_cleanly(ConnId(100));
    harness.close_cleanly(ConnId(101));
    harness.enter(ConnId(101), "Pessoa 1");
    harness.enter(ConnId(102), "Nova");
    assert_eq!(harness.take_labels(ANA), ["60 online -Pessoa 0"]);
    harness.advance(Duration::from_millis(249));
    assert_eq!(harness.take_labels(ANA), Vec::<String>::new());
    harness.advance(Duration::from_millis(1));
    assert_eq!(
        harness.take_labels(ANA),
        ["61 online +Pessoa 1 +Nova -Pessoa 1"]
    );
    harness.advance(Duration::from_mins(1));
    assert_eq!(harness.take_labels(ANA), Vec::<String>::new());
}

/// Clients apply `renamed`, `left`, then `joined`. Opposite changes must not cancel each other: a client that joined in
/// between has to get the later one.
#[test]
fn joiner_between_coalesced_changes_knows_all_members() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    for n in 0..60 {
        harness.enter(ConnId(100 + n), &format!("Pessoa {n}"));
    }
    harness.advance(Duration::from_secs(1));
    harness.advance(Duration::from_secs(1));
    harness.close_cleanly(ConnId(100));
    harness.enter(ConnId(300), "Bia");
    harness.close_cleanly(ConnId(101));
    harness.inbox.clear();
    harness.enter(CELIA, "Célia");
    harness.close_cleanly(ConnId(300));
    harness.enter(ConnId(101), "Pessoa 1");
    harness.send_json(ConnId(102), r#"{"type":"rename","name":"Outra"}"#);
    harness.close_cleanly(ConnId(102));
    harness.advance(Duration::from_secs(1));
    let mut known = BTreeSet::new();
    for message in harness.inbox.remove(&CELIA).unwrap() {
        match message {
            ServerMessage::Joined { members, .. } => {
                known.extend(members.iter().map(|member| member.name.to_string()));
            }
            ServerMessage::Presence {
                joined,
                left,
                renamed,
                ..
            } => {
                for renamed in renamed {
                    known.remove(&*renamed.from);
                    known.insert(renamed.to.to_string());
                }
                known.retain(|name| !left.iter().any(|member| *member.name == **name));
                known.extend(joined.iter().map(|member| member.name.to_string()));
            }
            _ => {}
        }
    }
    let mut expected: BTreeSet<_> = (3..60).map(|n| format!("Pessoa {n}")).collect();
    expected.extend(["Ana", "Célia", "Pessoa 1"].map(String::from));
    assert_eq!(known, expected);
}

#[test]
fn presence_is_only_a_count_in_a_very_large_room() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    for n in 0..520 {
        harness.enter(ConnId(100 + n), &format!("Pessoa {n}"));
    }
    harness.advance(Duration::from_secs(1));
    harness.inbox.clear();
    harness.close_cleanly(ConnId(100));
    harness.advance(Duration::from_secs(1));
    assert_eq!(harness.take_labels(ANA), ["520 online"]);
    assert!(harness.chat.next_tick().is_none());
}

#[test]
fn confusable_name_is_refused_while_the_other_is_present() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Iara"), (BRUNO, "Bruno")]);
    harness.enter(CELIA, "lara");
    assert_eq!(harness.take_labels(CELIA), ["error name_confusable"]);
    harness.send_json(BRUNO, r#"{"type":"rename","name":"lara"}"#);
    assert_eq!(harness.take_labels(BRUNO), ["error name_confusable"]);
    // Lara is another name, and so is lara when Iara is gone.
    harness.enter(CELIA, "Lara");
    assert_eq!(harness.take_labels(CELIA)[0], "welcome Lara");
    harness.close_cleanly(CELIA);
    harness.close_cleanly(ANA);
    harness.inbox.clear();
    harness.send_json(BRUNO, r#"{"type":"rename","name":"lara"}"#);
    assert_eq!(harness.take_labels(BRUNO)[0], "welcome lara");
}

#[test]
fn one_token_may_hold_two_confusable_names() {
    let mut harness = ChatHarness::new();
    harness.enter_with_token(ANA, "Iara", "one-secret-0123456789");
    harness.enter_with_token(BRUNO, "lara", "one-secret-0123456789");
    assert_eq!(harness.take_labels(BRUNO)[0], "welcome lara");
    harness.close_cleanly(ANA);
    harness.wait_for_updates();
    harness.send_json(BRUNO, r#"{"type":"rename","name":"Iara"}"#);
    assert_eq!(
        harness.take_labels(BRUNO).last().map(String::as_str),
        Some("1 online lara>Iara")
    );
}
