//! What was said and is not as it was: edited, or taken back.

use super::*;

fn edits(seq: u64, from: &str, edited: u64, text: &str) -> Arc<Entry> {
    Arc::new(Entry { edits: Some(edited), ..Entry::clone(&entry(seq, from, text)) })
}

fn erases(seq: u64, from: &str, erased: &[u64]) -> Arc<Entry> {
    Arc::new(Entry { erases: erased.to_vec(), ..Entry::clone(&entry(seq, from, "")) })
}

#[test]
fn changes_take_their_place_in_the_order_and_are_no_lines() {
    let mut desk = Desk::talking(PERSON);
    desk.types("/avisos sim");
    desk.effects.clear();
    desk.hears(says(1, "Bruno", "oi"));
    desk.hears(ServerMessage::Message(edits(2, "Bruno", 1, "oi, Ana")));
    desk.hears(ServerMessage::Message(edits(3, "Bruno", 1, "")));
    desk.hears(ServerMessage::Message(erases(4, "Bruno", &[1])));
    assert_eq!(desk.shown(), ["Bruno: oi", "Bruno edits 1: oi, Ana", "Bruno erases [1]"]);
    assert!(desk.did().is_empty(), "nobody is called for it");
    desk.happens(Event::Gone(Gone::Ended));
    desk.happens(Event::Opened);
    assert_eq!(desk.sent(), ["enter Ana Some(4)"], "they count as any entry");
}

#[test]
fn what_the_history_tells_is_as_it_is_now() {
    let mut desk = Desk::new(PERSON, Some("Ana"));
    let edited = Arc::new(Entry { edited: true, ..Entry::clone(&entry(1, "Bruno", "agora")) });
    let erased = Arc::new(Entry { erased: true, ..Entry::clone(&entry(2, "Bruno", "")) });
    desk.enters("e1", 4, &[edited, erased, edits(3, "Bruno", 1, "agora"), erases(4, "Bruno", &[2])]);
    let states = desk.did().into_iter().filter_map(|effect| match effect {
        Effect::Show(Line::Message { seq, state, text, .. }) => Some((seq, state, text)),
        _ => None,
    });
    let expected = [(1, State::Edited, "agora".to_owned()), (2, State::Erased, String::new())];
    assert_eq!(states.collect::<Vec<_>>(), expected);
}

#[test]
fn an_erased_message_stays_empty_whatever_comes_later() {
    let mut desk = Desk::talking(PERSON);
    desk.hears(says(1, "Bruno", "segredo"));
    let Some(Effect::Show(mut line)) = desk.did().pop() else { panic!("a line") };
    Change::Erased(vec![1]).apply(&mut line);
    Change::Edited { seq: 1, text: "outra vez".into() }.apply(&mut line);
    assert!(matches!(line, Line::Message { state: State::Erased, text, .. } if text.is_empty()));
}
