//! Rooms named in messages and lists, so that their names can be completed.
//!
//! Never knows whether they are open.

use papo::name::RoomName;

/// Most rooms kept.
const MAX_KNOWN: usize = 50;

/// Room names, most recent first.
#[derive(Debug, Default)]
pub struct KnownRooms(Vec<String>);

impl KnownRooms {
    pub fn rooms(&self) -> &[String] {
        &self.0
    }

    pub fn add(&mut self, name: &str) {
        let Ok(room) = RoomName::new(name) else {
            return;
        };
        self.0
            .retain(|known| RoomName::new(known).is_ok_and(|known| known != room));
        self.0.insert(0, room.to_string());
        self.0.truncate(MAX_KNOWN);
    }

    /// Adds every `#laboratorio` in a text. A number alone is more often an item of a list than a room.
    pub fn add_from_text(&mut self, text: &str) {
        if !text.contains('#') {
            return;
        }
        for word in text.split_whitespace() {
            let Some(rest) = word
                .trim_start_matches(['(', '"', '“', '\''])
                .strip_prefix('#')
            else {
                continue;
            };
            let name = rest.trim_end_matches(|c: char| !c.is_alphanumeric());
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
        let mut known = KnownRooms::default();
        known.add_from_text("vamos para o #Laboratório? (ou #café, ou #sala-2)");
        known.add_from_text("o item #1, o c#, ## e a#b não são salas; #laboratorio já é conhecida");
        assert_eq!(known.rooms(), ["laboratorio", "sala-2", "café"]);
    }

    #[test]
    fn known_rooms_are_bounded() {
        let mut known = KnownRooms::default();
        for number in 0..1000 {
            known.add_from_text(&format!("#sala{number}"));
        }
        assert_eq!(
            (known.rooms().len(), known.rooms()[0].as_str()),
            (MAX_KNOWN, "sala999")
        );
    }
}
