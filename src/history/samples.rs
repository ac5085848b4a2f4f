//! Messages for the tests of both homes of the log.

use super::{Append, Ticket};
use crate::identity::Secret;
use crate::name::{Name, RoomName};
use crate::protocol::Token;

/// The room that the samples are said in.
pub fn room() -> RoomName {
    RoomName::new("Laboratório").unwrap()
}

/// Something that somebody says at this time; the same name is the same person.
pub fn append(who: &str, id: &str, text: &str, at: u64) -> Append {
    let name = Name::new(who).unwrap();
    let secret = Secret::of(&Token::new("0123456789abcdef").unwrap());
    Append {
        ticket: Ticket(1),
        person: secret.person(&name),
        id: id.into(),
        room: room(),
        from: who.into(),
        tag: secret.tag(&name),
        text: text.into(),
        action: false,
        reply_to: None,
        at,
    }
}
