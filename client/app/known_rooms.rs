//! The rooms that were spoken of, so that a name seen once can be completed.
//!
//! Knows names of rooms; never knows who spoke of them or whether they are open.

use papo::name::RoomName;

/// Most rooms kept in mind.
const MAX_KNOWN: usize = 50;

/// Rooms, the last one heard of first.
#[derive(Debug, Default)]
pub struct KnownRooms(Vec<String>);

impl KnownRooms {
    pub fn rooms(&self) -> &[String] {
        &self.0
    }

    /// A room exists.
    pub fn add(&mut self, name: &str) {
        let Ok(room) = RoomName::new(name) else {
            return;
        };
        self.0
            .retain(|known| RoomName::new(known).is_ok_and(|known| known != room));
        self.0.insert(0, room.to_string());
        self.0.truncate(MAX_KNOWN);
    }

    /// Somebody may have written `#laboratorio`. A number alone is more often one of a list than a room.
    pub fn add_from_text(&mut self, text: &str) {
        if !text.contains('#') {
            return;
        }
        for word in text.split_whitespace() {
            let Some(begun) = word
                .trim_start_matches(['(', '"', '“', '\''])
                .strip_prefix('#')
            else {
                continue;
            };
            let name = begun.trim_end_matches(|c: char| !c.is_alphanumeric());
            if name.contains(char::is_alphabetic) {
                self.add(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_names_are_found_in_text() {
        let mut heard = KnownRooms::default();
        heard.add_from_text("vamos para o #Laboratório? (ou #café, ou #sala-2)");
        heard.add_from_text("o item #1, o c#, ## e a#b não são salas; #laboratorio já é conhecida");
        assert_eq!(heard.rooms(), ["laboratorio", "sala-2", "café"]);
    }

    #[test]
    fn known_rooms_are_bounded() {
        let mut heard = KnownRooms::default();
        (0..1000).for_each(|number| heard.add_from_text(&format!("#sala{number}")));
        assert_eq!(
            (heard.rooms().len(), heard.rooms()[0].as_str()),
            (MAX_KNOWN, "sala999")
        );
    }
}
