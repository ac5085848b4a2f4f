//! Coming, leaving, dropping out and coming back, as the others hear of it.

use super::*;
use std::collections::BTreeSet;

const GRACE: Duration = Duration::from_secs(30);

#[test]
fn join_and_leave_are_sent_to_other_members_only() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana")]);
    scene.enter(BRUNO, "Bruno");
    assert_eq!(scene.take_labels(ANA), ["2 online +Bruno"]);
    assert_eq!(
        scene.take_labels(BRUNO),
        ["welcome Bruno", "joined geral 2 0"]
    );
    scene.close_cleanly(BRUNO);
    assert_eq!(scene.take_labels(ANA), ["1 online -Bruno"]);
}

#[test]
fn name_is_taken_in_any_spelling_and_free_after_leaving() {
    let mut scene = ChatHarness::with_people(&[(ANA, "José")]);
    scene.enter(BRUNO, "JOSE");
    assert_eq!(scene.take_labels(BRUNO), ["error name_taken"]);
    scene.send_json(
        BRUNO,
        r#"{"type":"enter","name":"Zé","token":"0123456789abcdef"}"#,
    );
    assert_eq!(scene.take_labels(BRUNO), ["welcome Zé", "joined geral 2 0"]);
    scene.close_cleanly(ANA);
    scene.enter_with_token(CELIA, "jose", "another-token-altogether");
    assert_eq!(
        scene.take_labels(CELIA),
        ["welcome jose", "joined geral 2 0"]
    );
}

#[test]
fn second_tab_is_the_same_person() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.enter(CELIA, "Ana");
    assert_eq!(
        scene.take_labels(CELIA),
        ["welcome Ana", "joined geral 2 0"]
    );
    scene.close_cleanly(ANA);
    assert_eq!(scene.take_labels(BRUNO), Vec::<String>::new());
    scene.close_cleanly(CELIA);
    assert_eq!(scene.take_labels(BRUNO), ["1 online -Ana"]);
}

#[test]
fn reconnect_within_grace_causes_no_presence() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.drop_connection(ANA);
    scene.advance(GRACE - Duration::from_secs(1));
    scene.enter(CELIA, "Ana");
    scene.advance(GRACE * 2);
    assert_eq!(scene.take_labels(BRUNO), Vec::<String>::new());
}

#[test]
fn dropped_person_is_counted_but_not_connected() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.drop_connection(ANA);
    assert_eq!((scene.chat.people(), scene.chat.people_connected()), (2, 1));
    scene.enter(CELIA, "Ana");
    assert_eq!((scene.chat.people(), scene.chat.people_connected()), (2, 2));
}

#[test]
fn dropped_person_leaves_after_the_grace() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.drop_connection(ANA);
    scene.enter_with_token(CELIA, "Ana", "somebody-elses-token");
    assert_eq!(scene.take_labels(CELIA), ["error name_taken"]);
    scene.advance(GRACE);
    assert_eq!(scene.take_labels(BRUNO), ["1 online -Ana"]);
    scene.enter_with_token(ConnId(4), "Ana", "somebody-elses-token");
    assert_eq!(
        scene.take_labels(ConnId(4)),
        ["welcome Ana", "joined geral 2 0"]
    );
}

#[test]
fn room_not_rejoined_is_left_after_the_grace() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.send_json(ANA, r#"{"type":"join","room":"lab"}"#);
    scene.send_json(BRUNO, r#"{"type":"join","room":"lab"}"#);
    scene.inbox.clear();
    scene.drop_connection(ANA);
    scene.enter(CELIA, "Ana");
    scene.advance(GRACE);
    assert_eq!(scene.take_labels(BRUNO), ["1 online -Ana"]);
}

#[test]
fn dropped_second_connection_causes_no_presence() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.enter(CELIA, "Ana");
    scene.drop_connection(ANA);
    scene.advance(GRACE * 2);
    assert_eq!(scene.take_labels(BRUNO), Vec::<String>::new());
}

#[test]
fn clean_close_of_last_tab_ends_held_memberships() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.send_json(BRUNO, r#"{"type":"join","room":"lab"}"#);
    scene.enter(CELIA, "Ana");
    scene.send_json(CELIA, r#"{"type":"join","room":"lab"}"#);
    scene.drop_connection(CELIA);
    scene.inbox.clear();
    scene.close_cleanly(ANA);
    assert_eq!(scene.take_labels(BRUNO), ["1 online -Ana", "1 online -Ana"]);
    assert_eq!(scene.chat.people(), 1);
}

#[test]
fn rename_is_broadcast_and_frees_the_old_name() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.send_json(BRUNO, r#"{"type":"rename","name":"ana"}"#);
    scene.send_json(BRUNO, r#"{"type":"rename","name":"Bruno Lima"}"#);
    assert_eq!(
        scene.take_labels(BRUNO),
        [
            "error name_taken",
            "welcome Bruno Lima",
            "2 online Bruno>Bruno Lima"
        ]
    );
    assert_eq!(scene.take_labels(ANA), ["2 online Bruno>Bruno Lima"]);
    scene.enter_with_token(CELIA, "Bruno", "another-token-altogether");
    assert_eq!(scene.take_labels(CELIA)[0], "welcome Bruno");
}

#[test]
fn new_spelling_of_own_name_is_a_rename() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Jose")]);
    scene.send_json(ANA, r#"{"type":"rename","name":"José"}"#);
    assert_eq!(
        scene.take_labels(ANA),
        ["welcome José", "1 online Jose>José"]
    );
}

#[test]
fn rename_to_own_other_name_merges_both_people() {
    let mut scene = ChatHarness::new();
    scene.enter_with_token(ANA, "Ana", "one-token-for-both-names");
    scene.enter_with_token(BRUNO, "Bia", "one-token-for-both-names");
    scene.enter(CELIA, "Célia");
    scene.inbox.clear();
    scene.send_json(BRUNO, r#"{"type":"rename","name":"Ana"}"#);
    assert_eq!(scene.chat.people(), 2);
    assert_eq!(
        scene.take_labels(CELIA),
        ["2 online -Ana", "2 online Bia>Ana"]
    );
    assert!(scene.take_labels(ANA).contains(&"welcome Ana".to_owned()));
    scene.close_cleanly(ANA);
    scene.close_cleanly(BRUNO);
    assert_eq!(scene.take_labels(CELIA), ["1 online -Ana"]);
}

#[test]
fn presence_is_coalesced_in_a_large_room() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana")]);
    for n in 0..60 {
        scene.enter(ConnId(100 + n), &format!("Pessoa {n}"));
    }
    scene.advance(Duration::from_secs(1));
    scene.advance(Duration::from_secs(1));
    scene.inbox.clear();
    scene.close_cleanly(ConnId(100));
    scene.close_cleanly(ConnId(101));
    scene.enter(ConnId(101), "Pessoa 1");
    scene.enter(ConnId(102), "Nova");
    assert_eq!(scene.take_labels(ANA), ["60 online -Pessoa 0"]);
    scene.advance(Duration::from_millis(249));
    assert_eq!(scene.take_labels(ANA), Vec::<String>::new());
    scene.advance(Duration::from_millis(1));
    assert_eq!(
        scene.take_labels(ANA),
        ["61 online +Pessoa 1 +Nova -Pessoa 1"]
    );
    scene.advance(Duration::from_secs(60));
    assert_eq!(scene.take_labels(ANA), Vec::<String>::new());
}

/// What everybody knows after a gathered change, whoever was told of what before: clients apply `renamed`, `left`, then
/// `joined`. Opposite changes once cancelled each other, and who came in between never learned of the later one.
#[test]
fn joiner_between_coalesced_changes_knows_all_members() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana")]);
    for n in 0..60 {
        scene.enter(ConnId(100 + n), &format!("Pessoa {n}"));
    }
    scene.advance(Duration::from_secs(1));
    scene.advance(Duration::from_secs(1));
    scene.close_cleanly(ConnId(100));
    scene.enter(ConnId(300), "Bia");
    scene.close_cleanly(ConnId(101));
    scene.inbox.clear();
    scene.enter(CELIA, "Célia");
    scene.close_cleanly(ConnId(300));
    scene.enter(ConnId(101), "Pessoa 1");
    scene.send_json(ConnId(102), r#"{"type":"rename","name":"Outra"}"#);
    scene.close_cleanly(ConnId(102));
    scene.advance(Duration::from_secs(1));
    let mut known = BTreeSet::new();
    for message in scene.inbox.remove(&CELIA).unwrap() {
        match message {
            ServerMessage::Joined { members, .. } => {
                known.extend(members.iter().map(|member| member.name.to_string()))
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
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana")]);
    for n in 0..520 {
        scene.enter(ConnId(100 + n), &format!("Pessoa {n}"));
    }
    scene.advance(Duration::from_secs(1));
    scene.inbox.clear();
    scene.close_cleanly(ConnId(100));
    scene.advance(Duration::from_secs(1));
    assert_eq!(scene.take_labels(ANA), ["520 online"]);
    assert!(scene.chat.next_tick().is_none());
}

#[test]
fn confusable_name_is_refused_while_the_other_is_present() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Iara"), (BRUNO, "Bruno")]);
    scene.enter(CELIA, "lara");
    assert_eq!(scene.take_labels(CELIA), ["error name_taken"]);
    scene.send_json(BRUNO, r#"{"type":"rename","name":"lara"}"#);
    assert_eq!(scene.take_labels(BRUNO), ["error name_taken"]);
    // Lara is another name, and so is lara when Iara is gone.
    scene.enter(CELIA, "Lara");
    assert_eq!(scene.take_labels(CELIA)[0], "welcome Lara");
    scene.close_cleanly(CELIA);
    scene.close_cleanly(ANA);
    scene.inbox.clear();
    scene.send_json(BRUNO, r#"{"type":"rename","name":"lara"}"#);
    assert_eq!(scene.take_labels(BRUNO)[0], "welcome lara");
}

#[test]
fn one_token_may_hold_two_confusable_names() {
    let mut scene = ChatHarness::new();
    scene.enter_with_token(ANA, "Iara", "one-secret-0123456789");
    scene.enter_with_token(BRUNO, "lara", "one-secret-0123456789");
    assert_eq!(scene.take_labels(BRUNO)[0], "welcome lara");
    scene.close_cleanly(ANA);
    scene.send_json(BRUNO, r#"{"type":"rename","name":"Iara"}"#);
    assert_eq!(
        scene.take_labels(BRUNO).last().map(String::as_str),
        Some("1 online lara>Iara")
    );
}
