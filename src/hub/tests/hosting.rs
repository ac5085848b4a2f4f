//! Who is a host, who hears of it, and what only hosts may do.

use super::*;
use crate::protocol::MAX_TEXT;

#[test]
fn who_shows_the_key_first_is_host_and_stays_it_and_nobody_else_can_use_it() {
    let mut scene = Scene::with_rules(Rules {
        moderator_key: Some(PasswordHash::of(KEY)),
        ..Rules::default()
    });
    let key = format!(r#","host_key":"{KEY}""#);
    scene.enters_as(BRUNO, "Bruno", r#","host_key":"wrong""#);
    assert_eq!(scene.heard(BRUNO), ["error forbidden"]);
    scene.enters_as(ANA, "Ana", &key);
    scene.enters_as(BRUNO, "Bruno", &key);
    assert_eq!(scene.heard(BRUNO), ["error forbidden"]);
    scene.leaves(ANA);
    scene.got.clear();
    // The same person is a host again, with the key or without it.
    scene.enters(ANA, "Ana");
    scene.enters_as(CELIA, "Ana", &key);
    for conn in [ANA, CELIA] {
        let welcome = scene.got.remove(&conn).unwrap().remove(0);
        assert!(
            matches!(
                welcome,
                ServerMessage::Welcome {
                    moderator: true,
                    ..
                }
            ),
            "{welcome:?}"
        );
    }
}

#[test]
fn without_a_key_there_is_no_host() {
    let mut scene = Scene::new();
    scene.enters_as(ANA, "Ana", r#","host_key":"""#);
    assert_eq!(scene.heard(ANA)[0], "welcome Ana");
    scene.enters_as(BRUNO, "Bruno", r#","host_key":"x""#);
    assert_eq!(scene.heard(BRUNO), ["error forbidden"]);
}

#[test]
fn the_others_see_who_is_host_and_hear_of_a_change_once() {
    let mut scene = hosted(&[(BRUNO, "Bruno")]);
    scene.enters(CELIA, "Célia");
    let got = scene.got.remove(&CELIA).unwrap();
    let ServerMessage::Joined { members, .. } = &got[1] else {
        panic!("{got:?}")
    };
    assert_eq!(
        members
            .iter()
            .filter(|member| member.moderator)
            .map(|member| &*member.name)
            .collect::<Vec<_>>(),
        ["Ana"]
    );
    for conn in [ANA, BRUNO, CELIA] {
        scene.says(conn, r#"{"type":"join","room":"lab"}"#);
    }
    scene.got.clear();
    scene.acts(ANA, r#""promote","name":"bruno""#);
    let notice = "* Ana promoveu Bruno, que agora também organiza a conversa.";
    for conn in [ANA, BRUNO, CELIA] {
        assert_eq!(scene.heard(conn), ["Bruno hosts", notice]);
    }
    scene.acts(BRUNO, r#""demote","name":"Ana""#);
    assert_eq!(scene.heard(CELIA)[0], "Ana no longer hosts");
    scene.acts(ANA, r#""lock","on":true"#);
    assert_eq!(scene.heard(ANA).last().unwrap(), "error forbidden");
}

#[test]
fn somebody_of_whom_a_large_room_has_not_heard_yet_is_told_of_as_they_are_now() {
    let mut scene = hosted(&[]);
    for n in 0..60 {
        scene.enters(ConnId(100 + n), &format!("Pessoa {n}"));
    }
    scene.wait(Duration::from_secs(1));
    scene.enters(BRUNO, "Bruno");
    scene.enters(CELIA, "Célia");
    scene.got.clear();
    scene.acts(ANA, r#""promote","name":"Célia""#);
    scene.wait(Duration::from_secs(1));
    let told = scene.got.remove(&ANA).unwrap();
    let joined = told.iter().find_map(|message| match message {
        ServerMessage::Presence { joined, .. } => {
            joined.iter().find(|member| &*member.name == "Célia")
        }
        _ => None,
    });
    assert!(joined.unwrap().moderator, "{told:?}");
}

#[test]
fn a_host_who_takes_another_name_stays_one() {
    let mut scene = hosted(&[(BRUNO, "Bruno")]);
    scene.says(ANA, r#"{"type":"rename","name":"Ana Maria"}"#);
    scene.acts(ANA, r#""lock","on":true"#);
    assert_eq!(
        scene.heard(BRUNO).last().unwrap(),
        "* Ana Maria trancou a conversa: ninguém novo entra."
    );
    // And nobody inherits it with the old name.
    scene.acts(ANA, r#""lock","on":false"#);
    scene.enters(CELIA, "Ana");
    scene.got.clear();
    scene.acts(CELIA, r#""lock","on":true"#);
    assert_eq!(scene.heard(CELIA), ["error forbidden"]);
}

#[test]
fn only_hosts_act_and_never_against_each_other() {
    let mut scene = hosted(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    for act in [
        r#""mute","name":"Célia""#,
        r#""unmute","name":"Célia""#,
        r#""mute_all","room":"geral","on":true"#,
        r#""slow","room":"geral","seconds":5"#,
        r#""lock","on":true"#,
        r#""kick","name":"Célia""#,
        r#""ban","name":"Célia""#,
        r#""unban","name":"Célia""#,
        r#""notify","text":"oi""#,
        r#""promote","name":"Bruno""#,
        r#""demote","name":"Ana""#,
    ] {
        scene.acts(BRUNO, act);
        assert_eq!(scene.heard(BRUNO), ["error forbidden"], "{act}");
    }
    scene.acts(BRUNO, r#""erase","room":"geral","id":"e1","name":"Célia""#);
    assert_eq!(scene.heard(BRUNO), ["error forbidden e1"]);
    scene.acts(ANA, r#""promote","name":"Bruno""#);
    for act in ["mute", "kick", "ban"] {
        scene.acts(ANA, &format!(r#""{act}","name":"Bruno""#));
        assert!(
            scene
                .refusal(ANA)
                .text
                .starts_with("Bruno também organiza a conversa.")
        );
    }
    assert_eq!(scene.closed, []);
    for act in [
        "mute", "unmute", "kick", "ban", "unban", "promote", "demote",
    ] {
        scene.acts(ANA, &format!(r#""{act}","name":"Zé""#));
        assert_eq!(scene.heard(ANA), ["error no_such_person"], "{act}");
    }
    for act in [r#""promote","name":"Bruno""#, r#""demote","name":"Célia""#] {
        scene.acts(ANA, act);
        assert_eq!(scene.heard(ANA), ["error forbidden"], "{act}");
    }
    for act in [
        r#""slow","room":"lab","seconds":5"#,
        r#""mute_all","room":"lab","on":true"#,
    ] {
        scene.acts(ANA, act);
        assert_eq!(scene.heard(ANA), ["error not_in_room"], "{act}");
    }
}

#[test]
fn a_word_to_everybody_is_heard_in_every_room_and_by_nobody_outside() {
    let mut scene = hosted(&[(BRUNO, "Bruno")]);
    scene.event(Event::Connected(CELIA, ClientAddr::LOCAL));
    scene.says(BRUNO, r#"{"type":"join","room":"lab"}"#);
    scene.says(BRUNO, r#"{"type":"leave","room":"geral"}"#);
    scene.got.clear();
    scene.acts(ANA, r#""notify","text":"pausa de 10 minutos""#);
    assert_eq!((scene.heard(ANA), scene.heard(BRUNO)), {
        let notice = vec!["Ana! pausa de 10 minutos".to_owned()];
        (notice.clone(), notice)
    });
    assert_eq!(scene.heard(CELIA), nothing());
    scene.acts(
        ANA,
        &format!(r#""notify","text":"{}""#, "x".repeat(MAX_TEXT + 1)),
    );
    assert_eq!(scene.heard(ANA), ["error text_too_long"]);
}
