//! The part of the moderation state that outlives a restart: moderators, mutes and bans, the lock, and the settings of rooms.
//!
//! Times are Unix milliseconds.

use crate::auth::{StoredPassword, TokenHash};
use crate::ids::ClientAddr;
use crate::name::{Name, RoomName};

/// A change of the moderation state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModerationChange {
    /// Everyone with this token is a moderator.
    Promote(SavedModerator),
    /// Nobody with this token is one.
    Demote(TokenHash),
    /// Replaces an earlier sanction of the same kind against this token.
    Impose(SavedSanction),
    /// Ends the sanction of this kind against this token.
    Lift(SanctionKind, TokenHash),
    /// Whether the conversation admits no new person.
    Lock(bool),
    /// One setting of a room. A room that has no log yet gets one, and this owner.
    Room(RoomName, Option<TokenHash>, RoomSetting),
}

/// One setting of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomSetting {
    /// Whether only moderators may speak.
    ModeratorsOnly(bool),
    /// The interval between two messages of one person, in milliseconds; 0 without slow mode.
    SlowMs(u64),
    /// The password to join; `None` removes it.
    Password(Option<StoredPassword>),
}

/// All settings of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomSettings {
    /// Whether only moderators may speak.
    pub moderators_only: bool,
    /// The interval between two messages of one person, in milliseconds; 0 without slow mode.
    pub slow_ms: u64,
    /// The password to join.
    pub password: Option<StoredPassword>,
}

/// A moderator, present or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedModerator {
    /// Whose token it is.
    pub token_hash: TokenHash,
    /// The person's name when they became one.
    pub name: Name,
    /// When they became one.
    pub at: u64,
}

/// What a sanction forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SanctionKind {
    /// To say anything.
    Mute,
    /// To enter.
    Ban,
}

/// A sanction against one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSanction {
    /// What it forbids.
    pub kind: SanctionKind,
    /// Whose token it is.
    pub token_hash: TokenHash,
    /// The person's name at that time.
    pub name: Name,
    /// When it began.
    pub at: u64,
    /// When it ends.
    pub until: u64,
    /// The person's addresses, if it extends to them.
    pub addresses: Vec<ClientAddr>,
    /// Until when it extends to the addresses.
    pub addresses_until: u64,
}

/// A room that has a log or a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedRoom {
    /// Its name in its first spelling.
    pub name: RoomName,
    /// The last seq of its log; 0 for an empty one.
    pub seq: u64,
    /// Its settings.
    pub settings: RoomSettings,
}

/// What an opened history holds besides the logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedState {
    /// Whether the conversation admits no new person.
    pub locked: bool,
    /// All moderators.
    pub moderators: Vec<SavedModerator>,
    /// The sanctions that may not have ended, the oldest first.
    pub sanctions: Vec<SavedSanction>,
    /// The rooms, the one that was used last first: all that have a setting, and of the others as many as a server may
    /// have open.
    pub rooms: Vec<SavedRoom>,
}

impl RoomSettings {
    /// Changes one of them.
    pub fn set(&mut self, setting: RoomSetting) {
        match setting {
            RoomSetting::ModeratorsOnly(on) => self.moderators_only = on,
            RoomSetting::SlowMs(slow_ms) => self.slow_ms = slow_ms,
            RoomSetting::Password(password) => self.password = password,
        }
    }
}
