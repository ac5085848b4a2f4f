//! Refusals: a stable code for programs and a sentence in Portuguese for people, never one without the other.

use crate::name::{MAX_NAME, MAX_ROOM, NameError};
use crate::protocol::MAX_TEXT;
use crate::pt::{duration, group_thousands};
use serde::{Deserialize, Serialize};

/// Why something was refused, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not a JSON object.
    BadJson,
    /// A `type` that this version does not know.
    UnknownType,
    /// A field is missing or has another form.
    BadField,
    /// A request before `enter`.
    NotEntered,
    /// A second `enter`.
    AlreadyEntered,
    /// Not a name.
    NameInvalid,
    /// Another person has this name.
    NameTaken,
    /// A name that looks like that of another person in the chat.
    NameConfusable,
    /// Not a room's name.
    RoomInvalid,
    /// This connection is not in that room.
    NotInRoom,
    /// More rooms than one connection, or the server, may have open.
    TooManyRooms,
    /// A text without a visible character.
    TextEmpty,
    /// More characters than a text may have.
    TextTooLong,
    /// Over the rate limit; the request was not taken. Has `retry_after_ms`.
    TooFast,
    /// No person of this name is present.
    NoSuchPerson,
    /// The entry to reply to, edit or erase does not exist, or no longer.
    NoSuchEntry,
    /// A page opened as a file must show its key.
    LocalKeyRequired,
    /// The moderator key is wrong, or belongs to another person.
    ModeratorKeyWrong,
    /// A bounded list (moderators, rooms with a password) is full.
    LimitReached,
    /// The server or the room has a password.
    PasswordRequired,
    /// The password is wrong.
    PasswordWrong,
    /// This id already belongs to another text.
    IdReused,
    /// The message could not be stored and was not taken.
    HistoryUnavailable,
    /// A moderator muted the person.
    Muted,
    /// Only moderators may speak in this room now.
    ModeratorsOnly,
    /// The room is in slow mode; the message was not taken. Has `retry_after_ms`.
    SlowMode,
    /// No new person may enter.
    Locked,
    /// A moderator banned the person or the address for some time.
    Banned,
    /// The person may not do this.
    Forbidden,
    /// Any code of a later version. A client still has its sentence and its id; the server never sends it.
    #[serde(other)]
    Other,
}

impl ErrorCode {
    /// All codes that this version knows, in the order of the protocol.
    pub const ALL: [Self; 29] = [
        Self::BadJson,
        Self::UnknownType,
        Self::BadField,
        Self::NotEntered,
        Self::AlreadyEntered,
        Self::NameInvalid,
        Self::NameTaken,
        Self::NameConfusable,
        Self::RoomInvalid,
        Self::NotInRoom,
        Self::TooManyRooms,
        Self::TextEmpty,
        Self::TextTooLong,
        Self::TooFast,
        Self::NoSuchPerson,
        Self::NoSuchEntry,
        Self::LocalKeyRequired,
        Self::ModeratorKeyWrong,
        Self::LimitReached,
        Self::PasswordRequired,
        Self::PasswordWrong,
        Self::IdReused,
        Self::HistoryUnavailable,
        Self::Muted,
        Self::ModeratorsOnly,
        Self::SlowMode,
        Self::Locked,
        Self::Banned,
        Self::Forbidden,
    ];
}

/// A request that was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For programs.
    pub code: ErrorCode,
    /// For people: what happened and what to do.
    pub text: String,
    /// The id of the refused message, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The room whose password is missing or wrong; `None` if it is the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<std::sync::Arc<str>>,
    /// When trying again makes sense, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Refusal {
    /// A refusal with the sentence that its code always has.
    pub fn new(code: ErrorCode) -> Self {
        Self::with_text(code, default_text(code))
    }

    /// A refusal with a sentence of its own.
    pub fn with_text(code: ErrorCode, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            id: None,
            room: None,
            retry_after_ms: None,
        }
    }

    /// A field is missing or has another form.
    pub(crate) fn bad_field(field: &str, expected: &str) -> Self {
        Self::with_text(
            ErrorCode::BadField,
            format!("O campo “{field}” precisa ser {expected}."),
        )
    }

    /// Not a name, and why.
    pub fn name_invalid(error: NameError) -> Self {
        let text = match error {
            NameError::Empty => "Escreva um nome para entrar.".into(),
            NameError::TooLong | NameError::InvalidCharacter(_) => default_text(ErrorCode::NameInvalid),
            NameError::MixedScripts => {
                "Este nome mistura letras de alfabetos diferentes, e algumas parecem outras. Escreva-o em um só.".into()
            }
            NameError::Reserved => {
                "Este nome não serve: ele passaria pelo servidor ou por todo mundo. Escolha outro.".into()
            }
        };
        Self::with_text(ErrorCode::NameInvalid, text)
    }

    /// A person who is present has a name that looks the same.
    pub(crate) fn name_confusable(name: &str, present: &str) -> Self {
        let suggested = suggest_name(name);
        let text = format!(
            "O nome “{name}” não se distingue de “{present}”, que já está na conversa. Escolha outro, por exemplo “{suggested}”."
        );
        Self::with_text(ErrorCode::NameConfusable, text)
    }

    /// Another person has this name.
    pub(crate) fn name_taken(name: &str) -> Self {
        let suggested = suggest_name(name);
        let text = format!(
            "O nome “{name}” já está em uso nesta conversa. Escolha outro, por exemplo “{suggested}”."
        );
        Self::with_text(ErrorCode::NameTaken, text)
    }

    /// Over the rate limit.
    pub fn too_fast(retry_after_ms: u64) -> Self {
        let seconds = retry_after_ms.div_ceil(1000).max(1);
        let text = format!("Você está escrevendo rápido demais. Espere {seconds} s.");
        Self {
            retry_after_ms: Some(retry_after_ms),
            ..Self::with_text(ErrorCode::TooFast, text)
        }
    }

    /// Too many room passwords are being checked or set.
    pub(crate) fn passwords_busy(retry_after_ms: u64) -> Self {
        let cause = "O servidor está cuidando de muitas senhas agora.";
        Self::until(ErrorCode::TooFast, cause, retry_after_ms)
    }

    /// Too many wrong passwords from one address.
    pub(crate) fn too_many_attempts(retry_after_ms: u64) -> Self {
        let cause = "Foram tentativas demais de acertar a senha.";
        Self::until(ErrorCode::TooFast, cause, retry_after_ms)
    }

    /// The room is in slow mode.
    pub(crate) fn slow_mode(retry_after_ms: u64) -> Self {
        let cause = "Esta sala está em modo lento.";
        Self::until(ErrorCode::SlowMode, cause, retry_after_ms)
    }

    /// The person is muted.
    pub(crate) fn muted(retry_after_ms: u64) -> Self {
        let cause = "Quem organiza a conversa silenciou você.";
        Self::until(ErrorCode::Muted, cause, retry_after_ms)
    }

    /// The person or the address is banned.
    pub(crate) fn banned(retry_after_ms: u64) -> Self {
        let cause = "Sua entrada nesta conversa está suspensa.";
        Self::until(ErrorCode::Banned, cause, retry_after_ms)
    }

    /// A refusal that ends by itself: its sentence says why, and when to try again.
    fn until(code: ErrorCode, cause: &str, retry_after_ms: u64) -> Self {
        let text = format!("{cause} {}", try_again_in(retry_after_ms));
        Self {
            retry_after_ms: Some(retry_after_ms),
            ..Self::with_text(code, text)
        }
    }

    /// The same refusal, about this room's password.
    pub fn with_room(self, room: std::sync::Arc<str>) -> Self {
        let text = match self.code {
            ErrorCode::PasswordRequired => {
                format!("A sala “{room}” tem senha. Escreva a senha para entrar nela.")
            }
            _ => self.text,
        };
        Self {
            text,
            room: Some(room),
            ..self
        }
    }

    /// The same refusal, with the id of the refused message.
    pub fn with_id(self, id: &str) -> Self {
        Self {
            id: Some(id.to_owned()),
            ..self
        }
    }
}

fn try_again_in(ms: u64) -> String {
    format!(
        "Espere {} e tente de novo.",
        duration(ms.div_ceil(1000).max(1))
    )
}

/// Another name close to one that is taken, short enough to be one.
fn suggest_name(name: &str) -> String {
    let max_stem = MAX_NAME - 2;
    let stem: String = name.chars().take(max_stem).collect();
    format!("{} 2", stem.trim_end())
}

/// The sentence of a code when nothing more is known.
fn default_text(code: ErrorCode) -> String {
    match code {
        ErrorCode::BadJson => "Não entendi esta mensagem: ela não é um objeto JSON válido.".into(),
        ErrorCode::UnknownType => "Não conheço este tipo de mensagem. Este programa é de outra versão?".into(),
        ErrorCode::BadField => "Um campo desta mensagem falta ou tem outra forma.".into(),
        ErrorCode::NotEntered => "Entre na conversa com um nome antes de fazer isto.".into(),
        ErrorCode::AlreadyEntered => "Você já está na conversa. Para mudar de nome, use /nome.".into(),
        ErrorCode::NameInvalid => {
            format!("Este nome não serve: use até {MAX_NAME} letras, números, espaços, ponto, hífen ou sublinhado.")
        }
        ErrorCode::NameTaken => "Este nome já está em uso nesta conversa. Escolha outro.".into(),
        ErrorCode::NameConfusable => {
            "Este nome não se distingue do de outra pessoa na conversa. Escolha outro.".into()
        }
        ErrorCode::RoomInvalid => {
            format!("Este nome de sala não serve: use até {MAX_ROOM} letras, números, hífen ou sublinhado.")
        }
        ErrorCode::NotInRoom => "Você não está nesta sala. Entre nela com /entrar.".into(),
        ErrorCode::TooManyRooms => "São salas demais abertas ao mesmo tempo. Saia de uma com /deixar.".into(),
        ErrorCode::TextEmpty => "A mensagem está vazia.".into(),
        ErrorCode::TextTooLong => {
            let limit = group_thousands(MAX_TEXT as u64);
            format!("A mensagem é longa demais: o limite é de {limit} caracteres. Divida em duas.")
        }
        ErrorCode::TooFast => "Você está escrevendo rápido demais. Espere um pouco.".into(),
        ErrorCode::NoSuchPerson => "Ninguém com esse nome está aqui.".into(),
        ErrorCode::NoSuchEntry => {
            "Esta mensagem não está (mais) no histórico desta sala: não dá para responder a ela nem mudá-la.".into()
        }
        ErrorCode::LocalKeyRequired => "Abra a página pelo endereço do servidor, por exemplo http://localhost:9000/, \
             ou ligue o servidor com --origem null."
            .into(),
        ErrorCode::IdReused => "Esta mensagem tem o mesmo número de outra. Envie de novo como mensagem nova.".into(),
        ErrorCode::HistoryUnavailable => {
            "O servidor não conseguiu guardar a mensagem, e ela não foi enviada. Tente de novo daqui a pouco.".into()
        }
        ErrorCode::Forbidden => "Você não tem permissão para isto.".into(),
        ErrorCode::Other => "O servidor recusou este pedido. Tente de outro jeito.".into(),
        ErrorCode::PasswordRequired => "Esta conversa tem senha. Escreva a senha para entrar.".into(),
        ErrorCode::PasswordWrong => "A senha não confere. Verifique as letras e tente de novo.".into(),
        ErrorCode::ModeratorKeyWrong => {
            "Esta chave de organização não vale. Entre sem a chave.".into()
        }
        ErrorCode::LimitReached => "O limite foi atingido. Desfaça algo antes de tentar de novo.".into(),
        ErrorCode::Muted => "Quem organiza a conversa silenciou você. Espere e tente de novo.".into(),
        ErrorCode::ModeratorsOnly => {
            "Nesta sala só quem organiza a conversa fala agora. Espere a palavra voltar.".into()
        }
        ErrorCode::SlowMode => "Esta sala está em modo lento. Espere um pouco e tente de novo.".into(),
        ErrorCode::Locked => {
            "A conversa está trancada, e ninguém novo entra agora. Peça a quem organiza que a destranque.".into()
        }
        ErrorCode::Banned => "Sua entrada nesta conversa está suspensa. Tente de novo mais tarde.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_name_is_valid() {
        for name in ["Ana", &"a".repeat(24), "Maria das Dores de Souza"] {
            assert!(
                crate::name::Name::new(&suggest_name(name)).is_ok(),
                "{name}"
            );
        }
    }

    #[test]
    fn refusal_serializes_with_snake_case_code() {
        let json = serde_json::to_string(&Refusal::too_fast(1200).with_id("a1")).unwrap();
        let expected = r#"{"code":"too_fast","text":"Você está escrevendo rápido demais. Espere 2 s.","id":"a1","retry_after_ms":1200}"#;
        assert_eq!(json, expected);
    }
}
