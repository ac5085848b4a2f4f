//! Coming, leaving, dropping out and coming back, as the others hear of it.

use super::*;
use std::collections::BTreeSet;

const GRACE: Duration = Duration::from_secs(30);

#[test]
fn entering_and_leaving_is_announced_to_the_others_only() {
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
fn a_name_is_taken_whatever_its_accents_and_free_after_a_goodbye() {
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
fn a_second_tab_is_the_same_person() {
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
fn who_drops_out_and_comes_back_in_time_was_never_away() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.drop_connection(ANA);
    scene.advance(GRACE - Duration::from_secs(1));
    scene.enter(CELIA, "Ana");
    scene.advance(GRACE * 2);
    assert_eq!(scene.take_labels(BRUNO), Vec::<String>::new());
}

#[test]
fn whose_name_is_only_held_is_there_but_can_be_told_nothing() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.drop_connection(ANA);
    assert_eq!((scene.chat.people(), scene.chat.people_connected()), (2, 1));
    scene.enter(CELIA, "Ana");
    assert_eq!((scene.chat.people(), scene.chat.people_connected()), (2, 2));
}

#[test]
fn who_drops_out_and_stays_away_leaves_after_the_grace() {
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
fn who_comes_back_to_one_room_only_leaves_the_other_after_the_grace() {
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
fn the_ghost_beside_a_new_connection_can_end_without_anybody_hearing() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.enter(CELIA, "Ana");
    scene.drop_connection(ANA);
    scene.advance(GRACE * 2);
    assert_eq!(scene.take_labels(BRUNO), Vec::<String>::new());
}

#[test]
fn a_goodbye_of_the_last_tab_also_ends_what_another_tab_left_behind() {
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
fn a_new_name_is_told_to_the_rooms_and_frees_the_old_one() {
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
fn a_new_spelling_of_ones_own_name_is_a_new_name() {
    let mut scene = ChatHarness::with_people(&[(ANA, "Jose")]);
    scene.send_json(ANA, r#"{"type":"rename","name":"José"}"#);
    assert_eq!(
        scene.take_labels(ANA),
        ["welcome José", "1 online Jose>José"]
    );
}

#[test]
fn two_names_of_one_token_become_one_person() {
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
fn in_a_large_room_changes_are_gathered() {
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
fn who_came_in_the_middle_of_gathered_changes_knows_who_is_there() {
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
fn in_a_very_large_room_only_the_count_is_told() {
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
fn nobody_takes_a_name_that_cant_be_told_from_one_present() {
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
fn one_person_may_have_two_names_that_look_the_same() {
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
