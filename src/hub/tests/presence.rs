//! Coming, leaving, dropping out and coming back, as the others hear of it.

use super::*;
use std::collections::BTreeSet;

const GRACE: Duration = Duration::from_secs(30);

#[test]
fn entering_and_leaving_is_announced_to_the_others_only() {
    let mut scene = Scene::of(&[(ANA, "Ana")]);
    scene.enters(BRUNO, "Bruno");
    assert_eq!(scene.heard(ANA), ["2 online +Bruno"]);
    assert_eq!(scene.heard(BRUNO), ["welcome Bruno", "joined geral 2 0"]);
    scene.leaves(BRUNO);
    assert_eq!(scene.heard(ANA), ["1 online -Bruno"]);
}

#[test]
fn a_name_is_taken_whatever_its_accents_and_free_after_a_goodbye() {
    let mut scene = Scene::of(&[(ANA, "José")]);
    scene.enters(BRUNO, "JOSE");
    assert_eq!(scene.heard(BRUNO), ["error name_taken"]);
    scene.says(
        BRUNO,
        r#"{"type":"enter","name":"Zé","token":"0123456789abcdef"}"#,
    );
    assert_eq!(scene.heard(BRUNO), ["welcome Zé", "joined geral 2 0"]);
    scene.leaves(ANA);
    scene.enters_with(CELIA, "jose", "another-token-altogether");
    assert_eq!(scene.heard(CELIA), ["welcome jose", "joined geral 2 0"]);
}

#[test]
fn a_second_tab_is_the_same_person() {
    let mut scene = Scene::of(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.enters(CELIA, "Ana");
    assert_eq!(scene.heard(CELIA), ["welcome Ana", "joined geral 2 0"]);
    scene.leaves(ANA);
    assert_eq!(scene.heard(BRUNO), Vec::<String>::new());
    scene.leaves(CELIA);
    assert_eq!(scene.heard(BRUNO), ["1 online -Ana"]);
}

#[test]
fn who_drops_out_and_comes_back_in_time_was_never_away() {
    let mut scene = Scene::of(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.drops(ANA);
    scene.wait(GRACE - Duration::from_secs(1));
    scene.enters(CELIA, "Ana");
    scene.wait(GRACE * 2);
    assert_eq!(scene.heard(BRUNO), Vec::<String>::new());
}

#[test]
fn whose_name_is_only_held_is_there_but_can_be_told_nothing() {
    let mut scene = Scene::of(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.drops(ANA);
    assert_eq!((scene.hub.people(), scene.hub.people_connected()), (2, 1));
    scene.enters(CELIA, "Ana");
    assert_eq!((scene.hub.people(), scene.hub.people_connected()), (2, 2));
}

#[test]
fn who_drops_out_and_stays_away_leaves_after_the_grace() {
    let mut scene = Scene::of(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.drops(ANA);
    scene.enters_with(CELIA, "Ana", "somebody-elses-token");
    assert_eq!(scene.heard(CELIA), ["error name_taken"]);
    scene.wait(GRACE);
    assert_eq!(scene.heard(BRUNO), ["1 online -Ana"]);
    scene.enters_with(ConnId(4), "Ana", "somebody-elses-token");
    assert_eq!(scene.heard(ConnId(4)), ["welcome Ana", "joined geral 2 0"]);
}

#[test]
fn who_comes_back_to_one_room_only_leaves_the_other_after_the_grace() {
    let mut scene = Scene::of(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.says(ANA, r#"{"type":"join","room":"lab"}"#);
    scene.says(BRUNO, r#"{"type":"join","room":"lab"}"#);
    scene.got.clear();
    scene.drops(ANA);
    scene.enters(CELIA, "Ana");
    scene.wait(GRACE);
    assert_eq!(scene.heard(BRUNO), ["1 online -Ana"]);
}

#[test]
fn the_ghost_beside_a_new_connection_can_end_without_anybody_hearing() {
    let mut scene = Scene::of(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.enters(CELIA, "Ana");
    scene.drops(ANA);
    scene.wait(GRACE * 2);
    assert_eq!(scene.heard(BRUNO), Vec::<String>::new());
}

#[test]
fn a_goodbye_of_the_last_tab_also_ends_what_another_tab_left_behind() {
    let mut scene = Scene::of(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.says(BRUNO, r#"{"type":"join","room":"lab"}"#);
    scene.enters(CELIA, "Ana");
    scene.says(CELIA, r#"{"type":"join","room":"lab"}"#);
    scene.drops(CELIA);
    scene.got.clear();
    scene.leaves(ANA);
    assert_eq!(scene.heard(BRUNO), ["1 online -Ana", "1 online -Ana"]);
    assert_eq!(scene.hub.people(), 1);
}

#[test]
fn a_new_name_is_told_to_the_rooms_and_frees_the_old_one() {
    let mut scene = Scene::of(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    scene.says(BRUNO, r#"{"type":"rename","name":"ana"}"#);
    scene.says(BRUNO, r#"{"type":"rename","name":"Bruno Lima"}"#);
    assert_eq!(
        scene.heard(BRUNO),
        [
            "error name_taken",
            "welcome Bruno Lima",
            "2 online Bruno>Bruno Lima"
        ]
    );
    assert_eq!(scene.heard(ANA), ["2 online Bruno>Bruno Lima"]);
    scene.enters_with(CELIA, "Bruno", "another-token-altogether");
    assert_eq!(scene.heard(CELIA)[0], "welcome Bruno");
}

#[test]
fn a_new_spelling_of_ones_own_name_is_a_new_name() {
    let mut scene = Scene::of(&[(ANA, "Jose")]);
    scene.says(ANA, r#"{"type":"rename","name":"José"}"#);
    assert_eq!(scene.heard(ANA), ["welcome José", "1 online Jose>José"]);
}

#[test]
fn two_names_of_one_token_become_one_person() {
    let mut scene = Scene::new();
    scene.enters_with(ANA, "Ana", "one-token-for-both-names");
    scene.enters_with(BRUNO, "Bia", "one-token-for-both-names");
    scene.enters(CELIA, "Célia");
    scene.got.clear();
    scene.says(BRUNO, r#"{"type":"rename","name":"Ana"}"#);
    assert_eq!(scene.hub.people(), 2);
    assert_eq!(scene.heard(CELIA), ["2 online -Ana", "2 online Bia>Ana"]);
    assert!(scene.heard(ANA).contains(&"welcome Ana".to_owned()));
    scene.leaves(ANA);
    scene.leaves(BRUNO);
    assert_eq!(scene.heard(CELIA), ["1 online -Ana"]);
}

#[test]
fn in_a_large_room_changes_are_gathered() {
    let mut scene = Scene::of(&[(ANA, "Ana")]);
    for n in 0..60 {
        scene.enters(ConnId(100 + n), &format!("Pessoa {n}"));
    }
    scene.wait(Duration::from_secs(1));
    scene.wait(Duration::from_secs(1));
    scene.got.clear();
    scene.leaves(ConnId(100));
    scene.leaves(ConnId(101));
    scene.enters(ConnId(101), "Pessoa 1");
    scene.enters(ConnId(102), "Nova");
    assert_eq!(scene.heard(ANA), ["60 online -Pessoa 0"]);
    scene.wait(Duration::from_millis(249));
    assert_eq!(scene.heard(ANA), Vec::<String>::new());
    scene.wait(Duration::from_millis(1));
    assert_eq!(scene.heard(ANA), ["61 online +Pessoa 1 +Nova -Pessoa 1"]);
    scene.wait(Duration::from_secs(60));
    assert_eq!(scene.heard(ANA), Vec::<String>::new());
}

/// What everybody knows after a gathered change, whoever was told of what before: clients apply `renamed`, `left`, then
/// `joined`. Opposite changes once cancelled each other, and who came in between never learned of the later one.
#[test]
fn who_came_in_the_middle_of_gathered_changes_knows_who_is_there() {
    let mut scene = Scene::of(&[(ANA, "Ana")]);
    for n in 0..60 {
        scene.enters(ConnId(100 + n), &format!("Pessoa {n}"));
    }
    scene.wait(Duration::from_secs(1));
    scene.wait(Duration::from_secs(1));
    scene.leaves(ConnId(100));
    scene.enters(ConnId(300), "Bia");
    scene.leaves(ConnId(101));
    scene.got.clear();
    scene.enters(CELIA, "Célia");
    scene.leaves(ConnId(300));
    scene.enters(ConnId(101), "Pessoa 1");
    scene.says(ConnId(102), r#"{"type":"rename","name":"Outra"}"#);
    scene.leaves(ConnId(102));
    scene.wait(Duration::from_secs(1));
    let mut known = BTreeSet::new();
    for message in scene.got.remove(&CELIA).unwrap() {
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
    let mut scene = Scene::of(&[(ANA, "Ana")]);
    for n in 0..520 {
        scene.enters(ConnId(100 + n), &format!("Pessoa {n}"));
    }
    scene.wait(Duration::from_secs(1));
    scene.got.clear();
    scene.leaves(ConnId(100));
    scene.wait(Duration::from_secs(1));
    assert_eq!(scene.heard(ANA), ["520 online"]);
    assert!(scene.hub.next_tick().is_none());
}

#[test]
fn nobody_takes_a_name_that_cant_be_told_from_one_present() {
    let mut scene = Scene::of(&[(ANA, "Iara"), (BRUNO, "Bruno")]);
    scene.enters(CELIA, "lara");
    assert_eq!(scene.heard(CELIA), ["error name_taken"]);
    scene.says(BRUNO, r#"{"type":"rename","name":"lara"}"#);
    assert_eq!(scene.heard(BRUNO), ["error name_taken"]);
    // Lara is another name, and so is lara when Iara is gone.
    scene.enters(CELIA, "Lara");
    assert_eq!(scene.heard(CELIA)[0], "welcome Lara");
    scene.leaves(CELIA);
    scene.leaves(ANA);
    scene.got.clear();
    scene.says(BRUNO, r#"{"type":"rename","name":"lara"}"#);
    assert_eq!(scene.heard(BRUNO)[0], "welcome lara");
}

#[test]
fn one_person_may_have_two_names_that_look_the_same() {
    let mut scene = Scene::new();
    scene.enters_with(ANA, "Iara", "one-secret-0123456789");
    scene.enters_with(BRUNO, "lara", "one-secret-0123456789");
    assert_eq!(scene.heard(BRUNO)[0], "welcome lara");
    scene.leaves(ANA);
    scene.says(BRUNO, r#"{"type":"rename","name":"Iara"}"#);
    assert_eq!(
        scene.heard(BRUNO).last().map(String::as_str),
        Some("1 online lara>Iara")
    );
}
