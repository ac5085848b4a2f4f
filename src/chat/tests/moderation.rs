//! The moderator role: gaining and losing it, announcing it, and what it allows.

use super::*;
use crate::protocol::MAX_TEXT;

#[test]
fn moderator_key_is_bound_to_its_first_user() {
    let mut harness = ChatHarness::with_rules(Rules {
        moderator_key: Some(PasswordHash::of(MODERATOR_KEY)),
        ..Rules::default()
    });
    let key = format!(r#","moderator_key":"{MODERATOR_KEY}""#);
    harness.enter_with_fields(BRUNO, "Bruno", r#","moderator_key":"wrong""#);
    assert_eq!(harness.take_labels(BRUNO), ["error moderator_key_wrong"]);
    harness.enter_with_fields(ANA, "Ana", &key);
    harness.enter_with_fields(BRUNO, "Bruno", &key);
    assert_eq!(harness.take_labels(BRUNO), ["error moderator_key_wrong"]);
    harness.close_cleanly(ANA);
    harness.inbox.clear();
    // The same person is a moderator again, with the key or without it.
    harness.enter(ANA, "Ana");
    harness.enter_with_fields(CELIA, "Ana", &key);
    for conn in [ANA, CELIA] {
        let welcome = harness.inbox.remove(&conn).unwrap().remove(0);
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
    let mut harness = ChatHarness::new();
    harness.enter_with_fields(ANA, "Ana", r#","moderator_key":"""#);
    assert_eq!(harness.take_labels(ANA)[0], "welcome Ana");
    harness.enter_with_fields(BRUNO, "Bruno", r#","moderator_key":"x""#);
    assert_eq!(harness.take_labels(BRUNO), ["error moderator_key_wrong"]);
}

#[test]
fn role_change_is_sent_once_to_each_connection() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    harness.enter(CELIA, "Célia");
    let received = harness.inbox.remove(&CELIA).unwrap();
    let ServerMessage::Joined { members, .. } = &received[1] else {
        panic!("{received:?}")
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
        harness.send_json(conn, r#"{"type":"join","room":"lab"}"#);
    }
    harness.inbox.clear();
    harness.moderate(ANA, r#""promote","name":"bruno""#);
    let notice = "* Ana promoveu Bruno, que agora também organiza a conversa.";
    for conn in [ANA, BRUNO, CELIA] {
        assert_eq!(harness.take_labels(conn), ["Bruno moderates", notice]);
    }
    harness.moderate(BRUNO, r#""demote","name":"Ana""#);
    assert_eq!(harness.take_labels(CELIA)[0], "Ana no longer moderates");
    harness.moderate(ANA, r#""lock","on":true"#);
    assert_eq!(harness.take_labels(ANA).last().unwrap(), "error forbidden");
}

/// Each was once encoded for every connection: a thousand times for a notice to a thousand people.
#[test]
fn same_message_to_many_connections_is_one_effect() {
    let davi = ConnId(4);
    let mut harness = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia"), (davi, "Davi")]);
    let everyone = vec![ANA, BRUNO, CELIA, davi];
    let others = everyone[1..].to_vec();
    let request = |json| Event::Request(ANA, ClientMessage::parse(json).unwrap());
    let announce = request(r#"{"type":"moderate","act":"announce","id":"a1","text":"oi"}"#);
    let answered = vec![vec![ANA], others];
    assert_eq!(harness.recipients_of(announce), answered);
    let promote = request(r#"{"type":"moderate","act":"promote","name":"Bruno"}"#);
    let role_and_notice = vec![everyone.clone(), everyone.clone()];
    assert_eq!(harness.recipients_of(promote), role_and_notice);
    assert_eq!(harness.recipients_of(Event::Stop), [everyone]);
}

impl ChatHarness {
    /// Whom each message goes to that follows from an event; what is to be stored is stored.
    fn recipients_of(&mut self, event: Event) -> Vec<Vec<ConnId>> {
        let mut recipients = Vec::new();
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            self.chat.handle(event, self.now);
            for effect in self.chat.take_effects() {
                match effect {
                    Effect::Send(conn, _) => recipients.push(vec![conn]),
                    Effect::Multicast(mut conns, _) | Effect::Close(mut conns, ..) => {
                        conns.sort_unstable();
                        recipients.push(conns);
                    }
                    Effect::Submit(HistoryRequest::SaveModeration(request_id, _)) => {
                        let reply = HistoryReply::ModerationSaved(request_id, true);
                        events.push_back(Event::HistoryReplied(reply));
                    }
                    _ => {}
                }
            }
        }
        recipients
    }
}

#[test]
fn pending_join_carries_the_new_role_in_a_large_room() {
    let mut harness = with_moderator(&[]);
    for n in 0..60 {
        harness.enter(ConnId(100 + n), &format!("Pessoa {n}"));
    }
    harness.advance(Duration::from_secs(1));
    harness.enter(BRUNO, "Bruno");
    harness.enter(CELIA, "Célia");
    harness.inbox.clear();
    harness.moderate(ANA, r#""promote","name":"Célia""#);
    harness.advance(Duration::from_secs(1));
    let received = harness.inbox.remove(&ANA).unwrap();
    let joined = received.iter().find_map(|message| match message {
        ServerMessage::Presence { joined, .. } => {
            joined.iter().find(|member| &*member.name == "Célia")
        }
        _ => None,
    });
    assert!(joined.unwrap().moderator, "{received:?}");
}

#[test]
fn role_belongs_to_the_token_under_any_name() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    harness.send_json(ANA, r#"{"type":"rename","name":"Ana Maria"}"#);
    harness.moderate(ANA, r#""lock","on":true"#);
    assert_eq!(
        harness.take_labels(BRUNO).last().unwrap(),
        "* Ana Maria trancou a conversa: ninguém novo entra."
    );
    // The same token has the role under the old name too; another person of that name has not.
    harness.moderate(ANA, r#""lock","on":false"#);
    harness.enter(CELIA, "Ana");
    harness.moderate(CELIA, r#""lock","on":true"#);
    harness.moderate(CELIA, r#""lock","on":false"#);
    harness.close_cleanly(CELIA);
    harness.inbox.clear();
    harness.enter_with_token(ConnId(4), "Ana", "0123456789abcdef");
    harness.inbox.clear();
    harness.moderate(ConnId(4), r#""lock","on":true"#);
    assert_eq!(harness.take_labels(ConnId(4)), ["error forbidden"]);
}

#[test]
fn only_moderators_moderate_and_never_each_other() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    for act in [
        r#""mute","name":"Célia""#,
        r#""unmute","name":"Célia""#,
        r#""moderators_only","room":"geral","on":true"#,
        r#""slow","room":"geral","seconds":5"#,
        r#""lock","on":true"#,
        r#""kick","name":"Célia""#,
        r#""ban","name":"Célia""#,
        r#""unban","name":"Célia""#,
        r#""announce","text":"oi""#,
        r#""promote","name":"Bruno""#,
        r#""demote","name":"Ana""#,
    ] {
        harness.moderate(BRUNO, act);
        assert_eq!(harness.take_labels(BRUNO), ["error forbidden"], "{act}");
    }
    harness.moderate(BRUNO, r#""erase","room":"geral","id":"e1","name":"Célia""#);
    assert_eq!(harness.take_labels(BRUNO), ["error forbidden e1"]);
    harness.moderate(ANA, r#""promote","name":"Bruno""#);
    for act in ["mute", "kick", "ban"] {
        harness.moderate(ANA, &format!(r#""{act}","name":"Bruno""#));
        assert!(
            harness
                .take_refusal(ANA)
                .text
                .starts_with("Bruno também organiza a conversa.")
        );
    }
    assert_eq!(harness.closed, []);
    for act in [
        "mute", "unmute", "kick", "ban", "unban", "promote", "demote",
    ] {
        harness.moderate(ANA, &format!(r#""{act}","name":"Zé""#));
        assert_eq!(harness.take_labels(ANA), ["error no_such_person"], "{act}");
    }
    for act in [r#""promote","name":"Bruno""#, r#""demote","name":"Célia""#] {
        harness.moderate(ANA, act);
        assert_eq!(harness.take_labels(ANA), ["error forbidden"], "{act}");
    }
    for act in [
        r#""slow","room":"lab","seconds":5"#,
        r#""moderators_only","room":"lab","on":true"#,
    ] {
        harness.moderate(ANA, act);
        assert_eq!(harness.take_labels(ANA), ["error not_in_room"], "{act}");
    }
}

#[test]
fn announcement_reaches_only_people_who_entered() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    harness.handle(Event::Connected(CELIA, ClientAddr::LOCAL));
    harness.send_json(BRUNO, r#"{"type":"join","room":"lab"}"#);
    harness.send_json(BRUNO, r#"{"type":"leave","room":"geral"}"#);
    harness.inbox.clear();
    harness.moderate(ANA, r#""announce","text":"pausa de 10 minutos""#);
    assert_eq!((harness.take_labels(ANA), harness.take_labels(BRUNO)), {
        let notice = vec!["Ana! pausa de 10 minutos".to_owned()];
        (notice.clone(), notice)
    });
    assert_eq!(harness.take_labels(CELIA), nothing());
    harness.moderate(
        ANA,
        &format!(r#""announce","text":"{}""#, "x".repeat(MAX_TEXT + 1)),
    );
    assert_eq!(harness.take_labels(ANA), ["error text_too_long"]);
}
