//! One room: the order of its entries, and its people.

use super::*;

fn output(text: &str) -> Output {
    Output::info(text)
}

fn joined() -> OpenRoom {
    let mut room = OpenRoom::new(RoomName::lobby());
    room.on_joined("e1", 1, &[], false);
    room
}

#[test]
fn repeated_seq_is_ignored() {
    let mut room = joined();
    assert_eq!(room.receive(1, output("um")), [output("um")]);
    assert_eq!(room.receive(1, output("um")), []);
    assert!(room.on_joined("e1", 1, &[], false));
    assert_eq!(room.receive(1, output("um")), []);
    assert_eq!(
        room.resume_point(),
        ResumePoint {
            epoch: Some("e1".into()),
            after: Some(1)
        }
    );
}

#[test]
fn new_epoch_restarts_at_the_first_seq() {
    let mut room = joined();
    room.receive(1, output("antes"));
    assert!(!room.on_joined("e2", 1, &[], true));
    assert_eq!(room.receive(1, output("depois")), [output("depois")]);
}

#[test]
fn entry_beyond_a_gap_is_buffered_until_it_is_filled() {
    let mut room = joined();
    room.receive(1, output("um"));
    room.start_catching_up();
    assert_eq!(room.receive(4, output("quatro")), []);
    assert_eq!(room.receive(2, output("dois")), [output("dois")]);
    assert_eq!(
        room.receive(3, output("três")),
        [output("três"), output("quatro")]
    );
    assert_eq!(room.finish_catching_up(), []);
    assert_eq!(room.last(), 4);
}

#[test]
fn buffered_entries_are_released_when_the_gap_is_lost() {
    let mut room = joined();
    room.start_catching_up();
    room.receive(9, output("nove"));
    assert_eq!(room.finish_catching_up(), [output("nove")]);
}

#[test]
fn buffer_is_bounded_when_a_page_never_comes() {
    let mut room = joined();
    room.start_catching_up();
    let shown: usize = (2..)
        .take(2 * MAX_BUFFERED)
        .map(|seq| room.receive(seq, output("oi")).len())
        .sum();
    assert!(shown > MAX_BUFFERED && room.buffered.len() <= MAX_BUFFERED);
    room.receive(u64::MAX, output("o último número"));
    assert_eq!(room.earlier_cursor(), Some(2), "no seq is too large");
}

fn member(name: &str, tag: &str) -> Member {
    Member {
        name: name.into(),
        tag: tag.into(),
        moderator: false,
    }
}

fn names(room: &OpenRoom) -> Vec<&str> {
    room.people()
        .iter()
        .map(|person| person.name.as_str())
        .collect()
}

#[test]
fn presence_keeps_people_in_name_order() {
    let mut room = joined();
    room.apply_presence(
        3,
        &[
            member("João", "t1"),
            member("Ana", "t2"),
            member("Ângela", "t3"),
        ],
        &[],
        &[],
    );
    assert_eq!(names(&room), ["Ana", "Ângela", "João"]);
    room.apply_presence(
        3,
        &[],
        &[],
        &[Renamed {
            from: "Ana".into(),
            to: "Zoé".into(),
            tag: "t4".into(),
        }],
    );
    room.apply_presence(2, &[], &[member("João", "t1")], &[]);
    assert_eq!(names(&room), ["Ângela", "Zoé"]);
}
