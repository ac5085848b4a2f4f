//! The moderation state, taken over from the history when the server starts.

use crate::chat::moderation::passwords::RoomRecord;
use crate::chat::moderation::sanctions::Sanction;
use crate::chat::{Chat, Now};
use crate::history::{RoomSettings, SanctionKind, SavedState};

impl Chat {
    /// Takes over what the history kept, before the first event.
    pub(crate) fn restore(&mut self, saved: SavedState, now: Now) {
        self.moderation.locked = saved.locked;
        for moderator in saved.moderators {
            let moderators = &mut self.moderation.moderators;
            moderators.insert(moderator.token_hash, moderator.name);
        }
        for sanction in saved.sanctions {
            let kind = sanction.kind;
            if let Some(sanction) = Sanction::from_saved(sanction, now) {
                match kind {
                    SanctionKind::Mute => self.moderation.mutes.impose(sanction, now.instant),
                    SanctionKind::Ban => self.moderation.bans.impose(sanction, now.instant),
                }
            }
        }
        for room in saved.rooms.into_iter().rev() {
            if room.settings != RoomSettings::default() {
                let record = RoomRecord {
                    settings: room.settings,
                    verified: None,
                };
                let key = room.name.key().clone();
                self.moderation.rooms.insert(key, record);
            }
            self.rooms.remember_closed(room.name, room.seq);
        }
    }
}
