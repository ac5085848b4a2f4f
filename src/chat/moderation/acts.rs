//! Acts that outlive a restart: each is checked, then stored, and only then applied and announced.
//!
//! What was checked may have changed while it was being stored: a person may have left, whom a ban concerns all the same.

use crate::auth::{PasswordHash, StoredPassword};
use crate::chat::completion::{Completion, Progress, WaitingRequest};
use crate::chat::moderation::Actor;
use crate::chat::moderation::sanctions::{Sanction, Target};
use crate::chat::{AUDIT_LOG, Chat, Now};
use crate::history::{
    HistoryRequest, ModerationChange, RequestId, RoomSetting, SanctionKind, SavedModerator,
};
use crate::ids::{ConnId, RoomId};
use crate::protocol::{ClientMessage, Enter, ErrorCode, Refusal, ServerMessage};
use std::sync::Arc;
use std::time::Duration;

/// An act that was checked.
pub(crate) struct Act {
    /// The name of the acting person, for the announcement.
    pub by: Arc<str>,
    pub kind: ActKind,
}

/// What an act does; the targets of one act have one name.
pub(crate) enum ActKind {
    Mute(Sanction, Duration),
    Unmute(Vec<Target>),
    Ban(Sanction, Duration),
    Unban(Vec<Target>),
    Promote(Target),
    Demote(Target),
    Lock(bool),
    ModeratorsOnly(RoomId, bool),
    Slow(RoomId, Duration),
    RoomPassword(RoomId, Option<NewPassword>),
}

/// A password that a room gets, in both forms.
pub(crate) struct NewPassword {
    pub stored: StoredPassword,
    pub hash: PasswordHash,
}

/// What waits until the history has stored a change.
pub(crate) enum PendingChange {
    Act(Act),
    /// A room's new password is being hashed; the act follows.
    Hashing(HashingPassword),
    /// A person who shows the moderator key enters once the role is stored.
    Entry(Box<Enter>, SavedModerator),
}

/// A room's new password while the slow hash is being computed.
pub(crate) struct HashingPassword {
    pub by: Arc<str>,
    pub conn: ConnId,
    pub room: RoomId,
    pub hash: PasswordHash,
}

impl ActKind {
    /// The room that it concerns, if it is one.
    fn room(&self) -> Option<RoomId> {
        match self {
            Self::ModeratorsOnly(room, _) | Self::Slow(room, _) | Self::RoomPassword(room, _) => {
                Some(*room)
            }
            _ => None,
        }
    }
}

impl Chat {
    /// Asks the history to store an act, which is applied with the reply.
    pub(super) fn save_act(&mut self, act: Act, request: RequestId, now: Now) -> Progress {
        let changes = self.changes_of(&act.kind, now);
        if let Some(room) = act.kind.room() {
            self.rooms[room].pending_appends += 1;
        }
        self.save_changes(request, changes, PendingChange::Act(act))
    }

    /// Asks the history to store these changes, and keeps what is to be done with the reply.
    pub(in crate::chat) fn save_changes(
        &mut self,
        request: RequestId,
        changes: Vec<ModerationChange>,
        then: PendingChange,
    ) -> Progress {
        self.moderation.pending.insert(request, then);
        Progress::AwaitReply(HistoryRequest::SaveModeration(request, changes))
    }

    /// What the history has to store of an act.
    fn changes_of(&self, act: &ActKind, now: Now) -> Vec<ModerationChange> {
        let lift = |kind, targets: &[Target]| {
            let targets = targets.iter();
            targets
                .map(|target| ModerationChange::Lift(kind, target.token_hash))
                .collect()
        };
        let setting = |room: &RoomId, setting| {
            let room = &self.rooms[*room];
            vec![ModerationChange::Room(
                room.name.clone(),
                room.owner,
                setting,
            )]
        };
        match act {
            ActKind::Mute(sanction, _) => {
                let saved = sanction.to_saved(SanctionKind::Mute, now);
                vec![ModerationChange::Impose(saved)]
            }
            ActKind::Ban(sanction, _) => {
                let saved = sanction.to_saved(SanctionKind::Ban, now);
                vec![ModerationChange::Impose(saved)]
            }
            ActKind::Unmute(targets) => lift(SanctionKind::Mute, targets),
            ActKind::Unban(targets) => lift(SanctionKind::Ban, targets),
            ActKind::Promote(target) => promotion(&SavedModerator {
                token_hash: target.token_hash,
                name: target.name.clone(),
                at: now.unix_ms,
            }),
            ActKind::Demote(target) => vec![ModerationChange::Demote(target.token_hash)],
            ActKind::Lock(on) => vec![ModerationChange::Lock(*on)],
            ActKind::ModeratorsOnly(room, on) => setting(room, RoomSetting::ModeratorsOnly(*on)),
            ActKind::Slow(room, interval) => {
                setting(room, RoomSetting::SlowMs(interval.as_millis() as u64))
            }
            ActKind::RoomPassword(room, password) => {
                let stored = password.as_ref().map(|password| password.stored.clone());
                setting(room, RoomSetting::Password(stored))
            }
        }
    }

    /// Handles the history's reply to a change. What could not be stored holds all the same, until the server stops:
    /// moderation must work on a full disk too.
    pub(in crate::chat) fn moderation_saved(&mut self, request: RequestId, saved: bool, now: Now) {
        let completion = self.pending.remove(request);
        match self.moderation.pending.remove(&request) {
            Some(PendingChange::Act(act)) => {
                let room = act.kind.room();
                self.apply_act(act, &completion, now);
                if !saved {
                    self.warn_unsaved(completion.conn(), now);
                }
                completion.done(&mut self.effects);
                if let Some(room) = room {
                    self.rooms[room].pending_appends -= 1;
                    self.close_room_if_unused(room);
                }
            }
            Some(PendingChange::Entry(enter, moderator)) => {
                if let Some(state) = self.conns.get_mut(completion.conn()) {
                    state.unsaved_role = !saved;
                }
                self.grant_role(&moderator.token_hash, moderator.name, now);
                let message = ClientMessage::Enter(*enter);
                let request = WaitingRequest {
                    completion,
                    message,
                };
                self.resume_request(request, now);
            }
            Some(PendingChange::Hashing(_)) | None => {
                unreachable!("a change is kept until its reply")
            }
        }
    }

    /// Hands a hashed password on to the history; `None` if it could not be hashed.
    pub(in crate::chat) fn password_hashed(
        &mut self,
        request: RequestId,
        stored: Option<StoredPassword>,
        now: Now,
    ) {
        let Some(PendingChange::Hashing(hashing)) = self.moderation.pending.remove(&request) else {
            unreachable!("a change is kept until its reply");
        };
        let HashingPassword { by, room, hash, .. } = hashing;
        self.moderation.checks.hashed();
        let completion = self.pending.remove(request);
        let request = self.pending.next_id();
        let progress = match stored {
            Some(stored) => {
                let kind = ActKind::RoomPassword(room, Some(NewPassword { stored, hash }));
                Ok(self.save_act(Act { by, kind }, request, now))
            }
            None => {
                let text =
                    "O servidor não conseguiu preparar a senha. Tente de novo daqui a pouco.";
                Err(Refusal::with_text(ErrorCode::HistoryUnavailable, text))
            }
        };
        self.proceed(completion, request, progress);
        self.rooms[room].pending_appends -= 1;
        self.close_room_if_unused(room);
    }

    fn apply_act(&mut self, act: Act, completion: &Completion, now: Now) {
        let Act { by, kind } = act;
        let by = Actor {
            name: by,
            completion,
        };
        match kind {
            ActKind::Mute(sanction, time) => self.mute(&by, sanction, time, now),
            ActKind::Unmute(targets) => self.unmute(&by, &targets, now),
            ActKind::Ban(sanction, time) => self.ban(&by, sanction, time, now),
            ActKind::Unban(targets) => self.unban(&by, &targets, now),
            ActKind::Promote(target) => self.promote(&by, target, now),
            ActKind::Demote(target) => self.demote(&by, &target, now),
            ActKind::Lock(on) => self.lock(&by, on, now),
            ActKind::ModeratorsOnly(room, on) => self.set_moderators_only(&by, room, on, now),
            ActKind::Slow(room, interval) => self.set_slow_mode(&by, room, interval, now),
            ActKind::RoomPassword(room, password) => {
                self.apply_room_password(&by, room, password, now);
            }
        }
    }

    /// Tells the acting person, and the log, that an act will not outlive the server.
    pub(in crate::chat) fn warn_unsaved(&mut self, conn: ConnId, now: Now) {
        log::warn!(target: AUDIT_LOG, "A última medida de organização vale, mas não foi guardada. Veja se há espaço em disco.");
        if self.conns.get(conn).is_none_or(|state| state.closing) {
            return;
        }
        let text = "Isto vale agora, mas o servidor não conseguiu guardar: depois de religado, vale de novo o de antes. \
                    Veja se há espaço em disco, e repita.";
        let notice = ServerMessage::Notice {
            at: now.unix_ms,
            text: text.into(),
            room: None,
            from: None,
            id: None,
        };
        self.send(conn, notice);
    }
}

/// What makes a person a moderator: no mute holds against one.
pub(in crate::chat) fn promotion(moderator: &SavedModerator) -> Vec<ModerationChange> {
    vec![
        ModerationChange::Promote(moderator.clone()),
        ModerationChange::Lift(SanctionKind::Mute, moderator.token_hash),
    ]
}

impl PendingChange {
    /// Whether it changes the password of this room, or is one that this connection asked to hash.
    pub(super) fn is_password_change(&self, room: RoomId, conn: ConnId) -> bool {
        match self {
            Self::Hashing(hashing) => hashing.room == room || hashing.conn == conn,
            Self::Act(act) => {
                matches!(act.kind, ActKind::RoomPassword(changing, _) if changing == room)
            }
            Self::Entry(..) => false,
        }
    }
}
