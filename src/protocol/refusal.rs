//! What the server refuses: a stable code for programs, a sentence in Portuguese for people, never one without the other.

use crate::name::{MAX_NAME, MAX_ROOM, NameError};
use crate::protocol::MAX_TEXT;
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
    /// Something before `enter`.
    NotEntered,
    /// A second `enter`.
    AlreadyEntered,
    /// Not a name.
    NameInvalid,
    /// Somebody else has this name.
    NameTaken,
    /// Not a room's name.
    RoomInvalid,
    /// This connection is not in that room.
    NotInRoom,
    /// More rooms than one connection, or the server, may have open.
    TooManyRooms,
    /// Nothing to say.
    TextEmpty,
    /// More characters than a text may have.
    TextTooLong,
    /// Faster than one person may speak; the message was not taken.
    TooFast,
    /// Nobody of this name is there.
    NoSuchPerson,
    /// The entry to answer, edit or erase does not exist, or does no longer.
    NoSuchEntry,
    /// A page opened as a file must show its key.
    KeyRequired,
    /// This id already belongs to another text.
    IdReused,
    /// The message could not be stored and was not taken.
    HistoryUnavailable,
    /// Not for you.
    Forbidden,
}

impl ErrorCode {
    /// All codes, in the order of the protocol.
    pub const ALL: [Self; 19] = [
        Self::BadJson,
        Self::UnknownType,
        Self::BadField,
        Self::NotEntered,
        Self::AlreadyEntered,
        Self::NameInvalid,
        Self::NameTaken,
        Self::RoomInvalid,
        Self::NotInRoom,
        Self::TooManyRooms,
        Self::TextEmpty,
        Self::TextTooLong,
        Self::TooFast,
        Self::NoSuchPerson,
        Self::NoSuchEntry,
        Self::KeyRequired,
        Self::IdReused,
        Self::HistoryUnavailable,
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
    /// The id of the refused message, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When trying again makes sense, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Refusal {
    /// A refusal with the sentence that its code always has.
    pub fn new(code: ErrorCode) -> Self {
        Self::with_text(code, sentence(code))
    }

    /// A refusal with a sentence of its own.
    pub fn with_text(code: ErrorCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), id: None, retry_after_ms: None }
    }

    /// A field is missing or has another form.
    pub fn bad_field(field: &str, expected: &str) -> Self {
        Self::with_text(ErrorCode::BadField, format!("O campo “{field}” precisa ser {expected}."))
    }

    /// Not a name, and why.
    pub fn name_invalid(error: NameError) -> Self {
        let text = match error {
            NameError::Empty => "Escreva um nome para entrar.".into(),
            NameError::TooLong | NameError::Character(_) => sentence(ErrorCode::NameInvalid),
            NameError::MixedScripts => {
                "Este nome mistura letras de alfabetos diferentes, e algumas parecem outras. Escreva-o em um só.".into()
            }
            NameError::Reserved => {
                "Este nome não serve: ele passaria pelo servidor ou por todo mundo. Escolha outro.".into()
            }
        };
        Self::with_text(ErrorCode::NameInvalid, text)
    }

    /// Somebody who is there has a name that looks the same.
    pub fn name_alike(name: &str, present: &str) -> Self {
        let other = suggestion(name);
        let text = format!(
            "O nome “{name}” não se distingue de “{present}”, que já está na conversa. Escolha outro, por exemplo “{other}”."
        );
        Self::with_text(ErrorCode::NameTaken, text)
    }

    /// Somebody else has this name.
    pub fn name_taken(name: &str) -> Self {
        let other = suggestion(name);
        let text = format!("O nome “{name}” já está em uso nesta conversa. Escolha outro, por exemplo “{other}”.");
        Self::with_text(ErrorCode::NameTaken, text)
    }

    /// Faster than one person may speak.
    pub fn too_fast(retry_after_ms: u64) -> Self {
        let seconds = retry_after_ms.div_ceil(1000).max(1);
        let text = format!("Você está escrevendo rápido demais. Espere {seconds} s.");
        Self { retry_after_ms: Some(retry_after_ms), ..Self::with_text(ErrorCode::TooFast, text) }
    }

    /// The same refusal, said of the message with this id.
    pub fn of(self, id: &str) -> Self {
        Self { id: Some(id.to_owned()), ..self }
    }
}

/// Another name close to one that is taken, short enough to be one.
fn suggestion(name: &str) -> String {
    let room_for_digit = MAX_NAME - 2;
    let stem: String = name.chars().take(room_for_digit).collect();
    format!("{} 2", stem.trim_end())
}

/// What a code says to people when nothing more is known.
fn sentence(code: ErrorCode) -> String {
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
        ErrorCode::RoomInvalid => {
            format!("Este nome de sala não serve: use até {MAX_ROOM} letras, números, hífen ou sublinhado.")
        }
        ErrorCode::NotInRoom => "Você não está nesta sala. Entre nela com /entrar.".into(),
        ErrorCode::TooManyRooms => "São salas demais abertas ao mesmo tempo. Saia de uma com /deixar.".into(),
        ErrorCode::TextEmpty => "A mensagem está vazia.".into(),
        ErrorCode::TextTooLong => {
            format!("A mensagem é longa demais: o limite é de {MAX_TEXT} caracteres. Divida em duas.")
        }
        ErrorCode::TooFast => "Você está escrevendo rápido demais. Espere um pouco.".into(),
        ErrorCode::NoSuchPerson => "Ninguém com esse nome está aqui.".into(),
        ErrorCode::NoSuchEntry => {
            "Esta mensagem não está (mais) no histórico desta sala: não dá para responder a ela nem mudá-la.".into()
        }
        ErrorCode::KeyRequired => "Abra a página pelo endereço do servidor, por exemplo http://localhost:9000/, \
             ou ligue o servidor com --origem null."
            .into(),
        ErrorCode::IdReused => "Esta mensagem tem o mesmo número de outra. Envie de novo como mensagem nova.".into(),
        ErrorCode::HistoryUnavailable => {
            "O servidor não conseguiu guardar a mensagem, e ela não foi enviada. Tente de novo daqui a pouco.".into()
        }
        ErrorCode::Forbidden => "Você não tem permissão para isto.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggested_name_is_a_name() {
        for name in ["Ana", &"a".repeat(24), "Maria das Dores de Souza"] {
            assert!(crate::name::Name::new(&suggestion(name)).is_ok(), "{name}");
        }
    }

    #[test]
    fn codes_are_written_as_in_the_protocol() {
        let json = serde_json::to_string(&Refusal::too_fast(1200).of("a1")).unwrap();
        let expected = r#"{"code":"too_fast","text":"Você está escrevendo rápido demais. Espere 2 s.","id":"a1","retry_after_ms":1200}"#;
        assert_eq!(json, expected);
    }
}
