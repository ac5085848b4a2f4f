//! Announcements of moderation: whole sentences, with names, and never gendered.

use crate::chat::completion::Completion;
use crate::chat::moderation::Actor;
use crate::chat::{AUDIT_LOG, Chat, Effect, Now};
use crate::ids::{ConnId, RoomId};
use crate::protocol::{ByeCode, ServerMessage};
use crate::pt::duration;
use std::sync::Arc;

impl Chat {
    /// Announces a moderation action to a room or to everyone, and logs it.
    pub(super) fn announce_moderation(
        &mut self,
        by: &Actor,
        text: String,
        room: Option<RoomId>,
        now: Now,
    ) {
        log::info!(target: AUDIT_LOG, "{text}");
        match room {
            Some(id) => self.send_notice_to_room(id, text, by.completion, now),
            None => self.send_notice_to_all(text, None, by.completion, now),
        }
    }

    /// Sends a notice to a room, as the answer to a request of one of its members: theirs echoes the request's id. They may
    /// be gone.
    pub(super) fn send_notice_to_room(
        &mut self,
        id: RoomId,
        text: String,
        completion: &Completion,
        now: Now,
    ) {
        let notice = |room: Arc<str>, id| ServerMessage::Notice {
            at: now.unix_ms,
            text: text.clone(),
            room: Some(room),
            from: None,
            id,
        };
        let room = self.rooms[id].display();
        let asked = completion.conn();
        let echoes = completion.id().is_some() && self.conns.contains(asked);
        let answered = echoes.then_some(asked);
        let message = notice(room.clone(), None);
        self.effects.push(Effect::Broadcast(id, message, answered));
        if let Some(conn) = answered {
            self.send(conn, notice(room, completion.id()));
        }
    }

    /// Sends a notice to everyone who entered, as the answer to a request, whose id it echoes to its sender; `from` is
    /// the author, if not the server.
    pub(super) fn send_notice_to_all(
        &mut self,
        text: String,
        from: Option<Arc<str>>,
        completion: &Completion,
        now: Now,
    ) {
        let notice = |id| ServerMessage::Notice {
            at: now.unix_ms,
            text: text.clone(),
            room: None,
            from: from.clone(),
            id,
        };
        let entered = self
            .conns
            .iter()
            .filter(|(_, state)| state.person.is_some() && !state.closing);
        let mut conns: Vec<ConnId> = entered.map(|(conn, _)| conn).collect();
        let asked = completion.conn();
        if completion.id().is_some()
            && let Some(position) = conns.iter().position(|&conn| conn == asked)
        {
            conns.swap_remove(position);
            self.send(asked, notice(completion.id()));
        }
        self.multicast(conns, notice(None));
    }
}

pub(crate) fn muted(by: &str, name: &str, seconds: u64) -> String {
    format!("{by} silenciou {name} por {}.", duration(seconds))
}

pub(crate) fn unmuted(by: &str, name: &str) -> String {
    format!("{by} devolveu a palavra a {name}.")
}

pub(crate) fn moderators_only(by: &str, room: &str, on: bool) -> String {
    match on {
        true => {
            format!("{by} pediu silêncio na sala {room}: só quem organiza a conversa fala agora.")
        }
        false => format!("{by} devolveu a palavra a todo mundo na sala {room}."),
    }
}

pub(crate) fn slow_mode(by: &str, room: &str, seconds: u64) -> String {
    match seconds {
        0 => format!("{by} desligou o modo lento na sala {room}."),
        _ => {
            format!(
                "{by} ligou o modo lento na sala {room}: uma mensagem por pessoa a cada {}.",
                duration(seconds)
            )
        }
    }
}

pub(crate) fn locked(by: &str, on: bool) -> String {
    match on {
        true => format!("{by} trancou a conversa: ninguém novo entra."),
        false => format!("{by} destrancou a conversa."),
    }
}

pub(crate) fn kicked(by: &str, name: &str) -> String {
    format!("{by} expulsou {name} da conversa.")
}

pub(crate) fn banned(by: &str, name: &str, seconds: u64) -> String {
    format!("{by} baniu {name} da conversa por {}.", duration(seconds))
}

pub(crate) fn unbanned(by: &str, name: &str) -> String {
    format!("{by} perdoou {name}, que pode entrar de novo.")
}

pub(crate) fn promoted(by: &str, name: &str) -> String {
    format!("{by} promoveu {name}, que agora também organiza a conversa.")
}

pub(crate) fn demoted(by: &str, name: &str) -> String {
    match by == name {
        true => format!("{by} não organiza mais a conversa."),
        false => format!("{by} rebaixou {name}, que não organiza mais a conversa."),
    }
}

pub(crate) fn room_password_changed(by: &str, on: bool) -> String {
    match on {
        true => format!("{by} pôs uma senha nesta sala: quem chegar agora precisa dela."),
        false => format!("{by} tirou a senha desta sala."),
    }
}

/// The goodbye to a kicked person.
pub(crate) fn bye_kicked(by: &str) -> ServerMessage {
    let text =
        format!("{by} encerrou a sua participação nesta conversa. Você pode entrar de novo.");
    ServerMessage::Bye {
        code: ByeCode::Kicked,
        text,
        retry_after_ms: None,
    }
}

/// The goodbye to a banned person.
pub(crate) fn bye_banned(retry_after_ms: Option<u64>) -> ServerMessage {
    let time = duration((retry_after_ms.unwrap_or_default() / 1000).max(1));
    let text = format!(
        "Sua participação nesta conversa foi suspensa por {time}. Depois você pode entrar de novo."
    );
    ServerMessage::Bye {
        code: ByeCode::Banned,
        text,
        retry_after_ms,
    }
}
