//! Who is a host, who hears of it, and what only hosts may do.

use super::*;
use crate::protocol::MAX_TEXT;

#[test]
fn moderator_key_is_bound_to_its_first_user() {
    let mut scene = ChatHarness::with_rules(Rules {
        moderator_key: Some(PasswordHash::of(MODERATOR_KEY)),
        ..Rules::default()
    });
    let key = format!(r#","host_key":"{MODERATOR_KEY}""#);
    scene.enter_with_fields(BRUNO, "Bruno", r#","host_key":"wrong""#);
    assert_eq!(scene.take_labels(BRUNO), ["error forbidden"]);
    scene.enter_with_fields(ANA, "Ana", &key);
    scene.enter_with_fields(BRUNO, "Bruno", &key);
    assert_eq!(scene.take_labels(BRUNO), ["error forbidden"]);
    scene.close_cleanly(ANA);
    scene.inbox.clear();
    // The same person is a host again, with the key or without it.
    scene.enter(ANA, "Ana");
    scene.enter_with_fields(CELIA, "Ana", &key);
    for conn in [ANA, CELIA] {
        let welcome = scene.inbox.remove(&conn).unwrap().remove(0);
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
fn moderator_key_is_refused_when_the_server_has_none() {
    let mut scene = ChatHarness::new();
    scene.enter_with_fields(ANA, "Ana", r#","host_key":"""#);
    assert_eq!(scene.take_labels(ANA)[0], "welcome Ana");
    scene.enter_with_fields(BRUNO, "Bruno", r#","host_key":"x""#);
    assert_eq!(scene.take_labels(BRUNO), ["error forbidden"]);
}

#[test]
fn role_change_is_sent_once_to_each_connection() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno")]);
    scene.enter(CELIA, "Célia");
    let got = scene.inbox.remove(&CELIA).unwrap();
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
        scene.send_json(conn, r#"{"type":"join","room":"lab"}"#);
    }
    scene.inbox.clear();
    scene.moderate(ANA, r#""promote","name":"bruno""#);
    let notice = "* Ana promoveu Bruno, que agora também organiza a conversa.";
    for conn in [ANA, BRUNO, CELIA] {
        assert_eq!(scene.take_labels(conn), ["Bruno hosts", notice]);
    }
    scene.moderate(BRUNO, r#""demote","name":"Ana""#);
    assert_eq!(scene.take_labels(CELIA)[0], "Ana no longer hosts");
    scene.moderate(ANA, r#""lock","on":true"#);
    assert_eq!(scene.take_labels(ANA).last().unwrap(), "error forbidden");
}

#[test]
fn pending_join_carries_the_new_role_in_a_large_room() {
    let mut scene = with_moderator(&[]);
    for n in 0..60 {
        scene.enter(ConnId(100 + n), &format!("Pessoa {n}"));
    }
    scene.advance(Duration::from_secs(1));
    scene.enter(BRUNO, "Bruno");
    scene.enter(CELIA, "Célia");
    scene.inbox.clear();
    scene.moderate(ANA, r#""promote","name":"Célia""#);
    scene.advance(Duration::from_secs(1));
    let told = scene.inbox.remove(&ANA).unwrap();
    let joined = told.iter().find_map(|message| match message {
        ServerMessage::Presence { joined, .. } => {
            joined.iter().find(|member| &*member.name == "Célia")
        }
        _ => None,
    });
    assert!(joined.unwrap().moderator, "{told:?}");
}

#[test]
fn role_follows_a_rename_and_leaves_the_old_name() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno")]);
    scene.send_json(ANA, r#"{"type":"rename","name":"Ana Maria"}"#);
    scene.moderate(ANA, r#""lock","on":true"#);
    assert_eq!(
        scene.take_labels(BRUNO).last().unwrap(),
        "* Ana Maria trancou a conversa: ninguém novo entra."
    );
    // And nobody inherits it with the old name.
    scene.moderate(ANA, r#""lock","on":false"#);
    scene.enter(CELIA, "Ana");
    scene.inbox.clear();
    scene.moderate(CELIA, r#""lock","on":true"#);
    assert_eq!(scene.take_labels(CELIA), ["error forbidden"]);
}

#[test]
fn only_moderators_moderate_and_never_each_other() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
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
        scene.moderate(BRUNO, act);
        assert_eq!(scene.take_labels(BRUNO), ["error forbidden"], "{act}");
    }
    scene.moderate(BRUNO, r#""erase","room":"geral","id":"e1","name":"Célia""#);
    assert_eq!(scene.take_labels(BRUNO), ["error forbidden e1"]);
    scene.moderate(ANA, r#""promote","name":"Bruno""#);
    for act in ["mute", "kick", "ban"] {
        scene.moderate(ANA, &format!(r#""{act}","name":"Bruno""#));
        assert!(
            scene
                .take_refusal(ANA)
                .text
                .starts_with("Bruno também organiza a conversa.")
        );
    }
    assert_eq!(scene.closed, []);
    for act in [
        "mute", "unmute", "kick", "ban", "unban", "promote", "demote",
    ] {
        scene.moderate(ANA, &format!(r#""{act}","name":"Zé""#));
        assert_eq!(scene.take_labels(ANA), ["error no_such_person"], "{act}");
    }
    for act in [r#""promote","name":"Bruno""#, r#""demote","name":"Célia""#] {
        scene.moderate(ANA, act);
        assert_eq!(scene.take_labels(ANA), ["error forbidden"], "{act}");
    }
    for act in [
        r#""slow","room":"lab","seconds":5"#,
        r#""mute_all","room":"lab","on":true"#,
    ] {
        scene.moderate(ANA, act);
        assert_eq!(scene.take_labels(ANA), ["error not_in_room"], "{act}");
    }
}

#[test]
fn announcement_reaches_only_people_who_entered() {
    let mut scene = with_moderator(&[(BRUNO, "Bruno")]);
    scene.handle(Event::Connected(CELIA, ClientAddr::LOCAL));
    scene.send_json(BRUNO, r#"{"type":"join","room":"lab"}"#);
    scene.send_json(BRUNO, r#"{"type":"leave","room":"geral"}"#);
    scene.inbox.clear();
    scene.moderate(ANA, r#""notify","text":"pausa de 10 minutos""#);
    assert_eq!((scene.take_labels(ANA), scene.take_labels(BRUNO)), {
        let notice = vec!["Ana! pausa de 10 minutos".to_owned()];
        (notice.clone(), notice)
    });
    assert_eq!(scene.take_labels(CELIA), nothing());
    scene.moderate(
        ANA,
        &format!(r#""notify","text":"{}""#, "x".repeat(MAX_TEXT + 1)),
    );
    assert_eq!(scene.take_labels(ANA), ["error text_too_long"]);
}
