//! From JSON text to a checked [`ClientMessage`], in one pass and without building a tree.
//!
//! Every field that the protocol knows is kept as a scalar, whatever its type; everything else is skipped. Only then is
//! the kind looked at, so a field of another kind can't spoil a message, and `type` may stand anywhere.

use super::fields::{FIELDS, Field, Fields, Value};
use super::{
    ClientMessage, Credentials, Edit, Enter, Erase, ErrorCode, FetchHistory, Join, Leave, MAX_PAGE,
    PageRequest, Password, Refusal, Rename, ResumePoint, Say, Search, SetRoomPassword, Token,
    Typing, Whisper,
};
use crate::name::{Name, RoomName};
use crate::text;

/// Longest text of a message, in characters (Unicode scalar values) after cleaning.
pub const MAX_TEXT: usize = 4_000;
/// Longest message id, in characters.
const MAX_ID: usize = 64;
/// Longest epoch or file key, in bytes.
const MAX_OPAQUE: usize = 128;
/// Longest search, in characters.
const MAX_QUERY: usize = 200;

impl ClientMessage {
    /// Parses and checks one frame's text.
    ///
    /// # Errors
    /// A [`Refusal`] that names what is wrong; it carries the message's id whenever that could be read.
    pub fn parse(json: &str) -> Result<Self, Refusal> {
        let fields = Fields::read(json).map_err(|_| Refusal::new(ErrorCode::BadJson))?;
        fields.message().map_err(|refusal| match fields.id() {
            Ok(id) => refusal.with_id(&id),
            Err(_) => refusal,
        })
    }
}

impl<'a> Fields<'a> {
    fn message(&self) -> Result<ClientMessage, Refusal> {
        if let Some(field) = self.repeated {
            let text = format!("O campo “{}” aparece duas vezes.", FIELDS[field as usize]);
            return Err(Refusal::with_text(ErrorCode::BadField, text));
        }
        match self.string(Field::Type)? {
            "enter" => self.enter(),
            "join" => self.join(),
            "leave" => Ok(ClientMessage::Leave(Leave { room: self.room()? })),
            "say" => self.say(),
            "edit" => self.edit(),
            "erase" => self.erase(),
            "whisper" => self.whisper(),
            "typing" => Ok(ClientMessage::Typing(Typing { room: self.room()? })),
            "history" => self.history(),
            "search" => self.search(),
            "rename" => Ok(ClientMessage::Rename(Rename {
                name: self.name(Field::Name)?,
            })),
            "room_password" => Ok(ClientMessage::RoomPassword(SetRoomPassword {
                room: self.room()?,
                password: self.password(Field::Password)?,
            })),
            "moderate" => self.moderate(),
            "rooms" => Ok(ClientMessage::Rooms),
            "ping" => Ok(ClientMessage::Ping),
            _ => Err(Refusal::new(ErrorCode::UnknownType)),
        }
    }

    fn enter(&self) -> Result<ClientMessage, Refusal> {
        let token = match self.optional_string(Field::Token)? {
            Some(raw) => {
                let expected = format!(
                    "um segredo de {} a {} caracteres visíveis",
                    Token::MIN,
                    Token::MAX
                );
                Some(Token::new(raw).ok_or_else(|| Refusal::bad_field("token", &expected))?)
            }
            None => None,
        };
        let room = match self.value(Field::Room) {
            Value::Absent => None,
            _ => Some(self.room()?),
        };
        let local_key = self.opaque_string(Field::LocalKey)?;
        let credentials = Credentials {
            password: self.password(Field::Password)?,
            moderator_key: self.password(Field::ModeratorKey)?,
            room_password: self.password(Field::RoomPassword)?,
        };
        Ok(ClientMessage::Enter(Enter {
            name: self.name(Field::Name)?,
            token,
            room,
            resume: self.resume_point()?,
            local_key,
            credentials,
        }))
    }

    fn join(&self) -> Result<ClientMessage, Refusal> {
        let room_password = self.password(Field::RoomPassword)?;
        Ok(ClientMessage::Join(Join {
            room: self.room()?,
            resume: self.resume_point()?,
            room_password,
        }))
    }

    fn say(&self) -> Result<ClientMessage, Refusal> {
        let (id, room) = (self.id()?, self.room()?);
        let (action, reply_to) = (self.flag(Field::Action)?, self.number(Field::ReplyTo)?);
        Ok(ClientMessage::Say(Say {
            room,
            id,
            text: self.text()?,
            action,
            reply_to,
        }))
    }

    fn edit(&self) -> Result<ClientMessage, Refusal> {
        let (id, room, seq) = (self.id()?, self.room()?, self.seq()?);
        Ok(ClientMessage::Edit(Edit {
            room,
            id,
            seq,
            text: self.text()?,
        }))
    }

    fn erase(&self) -> Result<ClientMessage, Refusal> {
        Ok(ClientMessage::Erase(Erase {
            id: self.id()?,
            room: self.room()?,
            seq: self.seq()?,
        }))
    }

    fn whisper(&self) -> Result<ClientMessage, Refusal> {
        let (id, to) = (self.id()?, self.name(Field::To)?);
        Ok(ClientMessage::Whisper(Whisper {
            to,
            id,
            text: self.text()?,
        }))
    }

    fn history(&self) -> Result<ClientMessage, Refusal> {
        let page = match (self.number(Field::Before)?, self.number(Field::After)?) {
            (Some(seq), None) => PageRequest::Before(seq),
            (None, Some(seq)) => PageRequest::After(seq),
            (None, None) => PageRequest::Latest,
            (Some(_), Some(_)) => {
                let text =
                    "Peça o histórico antes ou depois de uma mensagem, não os dois ao mesmo tempo.";
                return Err(Refusal::with_text(ErrorCode::BadField, text));
            }
        };
        Ok(ClientMessage::History(FetchHistory {
            room: self.room()?,
            page,
            limit: self.limit()?,
        }))
    }

    fn search(&self) -> Result<ClientMessage, Refusal> {
        let query = text::clean_line(self.string(Field::Query)?);
        if query.chars().count() > MAX_QUERY {
            return Err(Refusal::bad_field(
                "query",
                &format!("um texto de até {MAX_QUERY} caracteres"),
            ));
        }
        Ok(ClientMessage::Search(Search {
            room: self.room()?,
            query,
            limit: self.limit()?,
        }))
    }

    fn resume_point(&self) -> Result<ResumePoint, Refusal> {
        Ok(ResumePoint {
            epoch: self.opaque_string(Field::Epoch)?,
            after: self.number(Field::After)?,
        })
    }

    pub(super) fn name(&self, field: Field) -> Result<Name, Refusal> {
        Name::new(self.string(field)?).map_err(Refusal::name_invalid)
    }

    pub(super) fn room(&self) -> Result<RoomName, Refusal> {
        RoomName::new(self.string(Field::Room)?).map_err(|_| Refusal::new(ErrorCode::RoomInvalid))
    }

    pub(super) fn id(&self) -> Result<String, Refusal> {
        let id = self.string(Field::Id)?;
        let well_formed =
            (1..=MAX_ID).contains(&id.chars().count()) && !id.chars().any(char::is_control);
        if !well_formed {
            return Err(Refusal::bad_field(
                "id",
                &format!("um texto de 1 a {MAX_ID} caracteres"),
            ));
        }
        Ok(id.to_owned())
    }

    pub(super) fn text(&self) -> Result<String, Refusal> {
        let text = text::clean(self.string(Field::Text)?);
        // Joiners and variation selectors alone show nothing.
        if text
            .chars()
            .all(|c| c.is_whitespace() || text::is_invisible(c))
        {
            return Err(Refusal::new(ErrorCode::TextEmpty));
        }
        if text.chars().count() > MAX_TEXT {
            return Err(Refusal::new(ErrorCode::TextTooLong));
        }
        Ok(text)
    }

    fn seq(&self) -> Result<u64, Refusal> {
        self.number(Field::Seq)?
            .ok_or_else(|| Refusal::bad_field("seq", "o número de uma mensagem"))
    }

    fn limit(&self) -> Result<Option<u64>, Refusal> {
        match self.number(Field::Limit)? {
            Some(0) => Err(Refusal::bad_field(
                "limit",
                &format!("um número de 1 a {MAX_PAGE}"),
            )),
            limit => Ok(limit),
        }
    }

    /// An empty password is none.
    fn password(&self, field: Field) -> Result<Option<Password>, Refusal> {
        let Some(raw) = self.optional_string(field)?.filter(|raw| !raw.is_empty()) else {
            return Ok(None);
        };
        let expected = || {
            let expected = format!("um texto de até {} caracteres, em uma linha", Password::MAX);
            Refusal::bad_field(FIELDS[field as usize], &expected)
        };
        Password::new(raw).map(Some).ok_or_else(expected)
    }

    pub(super) fn is_absent(&self, field: Field) -> bool {
        matches!(self.value(field), Value::Absent)
    }

    fn opaque_string(&self, field: Field) -> Result<Option<String>, Refusal> {
        match self.optional_string(field)? {
            Some(value) if value.len() > MAX_OPAQUE => Err(Refusal::bad_field(
                FIELDS[field as usize],
                &format!("um texto de até {MAX_OPAQUE} caracteres"),
            )),
            value => Ok(value.map(str::to_owned)),
        }
    }

    fn value(&self, field: Field) -> &Value<'a> {
        &self.values[field as usize]
    }

    fn optional_string(&self, field: Field) -> Result<Option<&str>, Refusal> {
        match self.value(field) {
            Value::Absent => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(Refusal::bad_field(FIELDS[field as usize], "um texto")),
        }
    }

    pub(super) fn string(&self, field: Field) -> Result<&str, Refusal> {
        self.optional_string(field)?
            .ok_or_else(|| Refusal::bad_field(FIELDS[field as usize], "um texto"))
    }

    pub(super) fn number(&self, field: Field) -> Result<Option<u64>, Refusal> {
        match self.value(field) {
            Value::Absent => Ok(None),
            Value::Number(number) => Ok(Some(*number)),
            _ => Err(Refusal::bad_field(
                FIELDS[field as usize],
                "um número inteiro, a partir de 0",
            )),
        }
    }

    pub(super) fn flag(&self, field: Field) -> Result<bool, Refusal> {
        match self.value(field) {
            Value::Absent => Ok(false),
            Value::Flag(flag) => Ok(*flag),
            _ => Err(Refusal::bad_field(FIELDS[field as usize], "true ou false")),
        }
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
