//! From JSON text to a checked [`ClientMessage`], without building a tree.
//!
//! Every field that the protocol knows is read as a scalar, whatever its type; the rest is skipped. The kind is examined
//! afterwards: `type` may stand anywhere, and the fields of other kinds are not checked.

use super::scalar::{self, Scalar};
use super::{
    ClientMessage, ClientRequest, Credentials, Edit, Enter, Erase, ErrorCode, FetchHistory, Join,
    Leave, MAX_PAGE, PageRequest, Password, Refusal, Rename, ResumePoint, Say, Search,
    SetRoomPassword, Token, Typing, Whisper, broken_json,
};
use crate::name::{Name, RoomName};
use crate::text;
use serde::Deserialize;

/// Longest text of a message, in characters (Unicode scalar values) after cleaning.
pub const MAX_TEXT: usize = 4_000;
/// Longest message id, in characters.
const MAX_ID: usize = 64;
/// Longest epoch or local page key, in bytes.
const MAX_OPAQUE: usize = 128;
/// Longest search, in characters.
const MAX_QUERY: usize = 200;

impl ClientMessage {
    /// Parses and checks one frame's text. Halves of surrogate pairs count as U+FFFD.
    ///
    /// # Errors
    /// A [`Refusal`] that names what is wrong; it carries the message's id whenever that could be read.
    pub fn parse(json: &str) -> Result<ClientRequest, Refusal> {
        match Fields::read(json) {
            Ok(fields) => fields.request(),
            Err(error) => parse_repaired(json, &error),
        }
    }
}

/// Parses a text that could not be read as it is.
#[cold]
fn parse_repaired(json: &str, error: &serde_json::Error) -> Result<ClientRequest, Refusal> {
    let Some(repaired) = broken_json::replace_lone_surrogates(json) else {
        return Err(unreadable(json, error));
    };
    match Fields::read(&repaired) {
        Ok(fields) => {
            let mut request = fields.request()?;
            let text = request.message.text();
            request.text_changed |=
                text.is_some_and(|text| text.contains(char::REPLACEMENT_CHARACTER));
            Ok(request)
        }
        Err(error) => Err(unreadable(&repaired, &error)),
    }
}

/// Every field of every kind of message, still unchecked.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Fields<'a> {
    #[serde(rename = "type")]
    kind: Option<Scalar<'a>>,
    pub name: Option<Scalar<'a>>,
    token: Option<Scalar<'a>>,
    room: Option<Scalar<'a>>,
    epoch: Option<Scalar<'a>>,
    after: Option<Scalar<'a>>,
    before: Option<Scalar<'a>>,
    limit: Option<Scalar<'a>>,
    local_key: Option<Scalar<'a>>,
    id: Option<Scalar<'a>>,
    text: Option<Scalar<'a>>,
    action: Option<Scalar<'a>>,
    reply_to: Option<Scalar<'a>>,
    to: Option<Scalar<'a>>,
    query: Option<Scalar<'a>>,
    seq: Option<Scalar<'a>>,
    password: Option<Scalar<'a>>,
    moderator_key: Option<Scalar<'a>>,
    room_password: Option<Scalar<'a>>,
    pub act: Option<Scalar<'a>>,
    pub seconds: Option<Scalar<'a>>,
    pub on: Option<Scalar<'a>>,
}

impl<'a> Fields<'a> {
    /// Reads all fields. On the heap and in a stack frame of its own: a thread keeps each stack page that it once touched,
    /// and there may be ten thousand threads.
    #[inline(never)]
    fn read(json: &'a str) -> serde_json::Result<Box<Self>> {
        // A derived struct would also take an array of its fields.
        if !json.trim_ascii_start().starts_with('{') {
            return Err(serde::de::Error::custom("not an object"));
        }
        serde_json::from_str(json)
    }

    /// The message with its id, or its refusal with its id.
    fn request(&self) -> Result<ClientRequest, Refusal> {
        let message = self.message().map_err(|refusal| {
            let id = self.readable_id().map(str::to_owned);
            Refusal { id, ..refusal }
        })?;
        let text_changed = match (message.text(), &self.text) {
            (Some(cleaned), Some(Scalar::Text(sent))) => cleaned != sent,
            _ => false,
        };
        let mut request = match message.id() {
            Some(_) => ClientRequest::from(message),
            None => match self.readable_id() {
                Some(id) => ClientRequest::with_id(message, id),
                None => ClientRequest::from(message),
            },
        };
        request.text_changed = text_changed;
        Ok(request)
    }

    /// The id, if it has the form of one.
    fn readable_id(&self) -> Option<&str> {
        match &self.id {
            Some(Scalar::Text(id)) if is_id(id) => Some(id),
            _ => None,
        }
    }

    fn message(&self) -> Result<ClientMessage, Refusal> {
        match scalar::text("type", &self.kind)? {
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
                name: name("name", &self.name)?,
            })),
            "room_password" => Ok(ClientMessage::RoomPassword(SetRoomPassword {
                room: self.room()?,
                password: password("password", &self.password)?,
            })),
            "moderate" => self.moderate(),
            "rooms" => Ok(ClientMessage::Rooms),
            "ping" => Ok(ClientMessage::Ping),
            _ => Err(Refusal::new(ErrorCode::UnknownType)),
        }
    }

    fn enter(&self) -> Result<ClientMessage, Refusal> {
        let token = self.token()?;
        let room = match &self.room {
            None => None,
            Some(_) => Some(self.room()?),
        };
        let local_key = opaque("local_key", &self.local_key)?;
        let credentials = Credentials {
            password: password("password", &self.password)?,
            moderator_key: password("moderator_key", &self.moderator_key)?,
            room_password: password("room_password", &self.room_password)?,
        };
        Ok(ClientMessage::Enter(Enter {
            name: name("name", &self.name)?,
            token,
            room,
            resume: self.resume_point()?,
            local_key,
            credentials,
        }))
    }

    fn token(&self) -> Result<Option<Token>, Refusal> {
        let Some(raw) = scalar::optional_text("token", &self.token)? else {
            return Ok(None);
        };
        let token = Token::new(raw).ok_or_else(|| {
            let min = Token::MIN;
            let max = Token::MAX;
            let expected = format!("um segredo de {min} a {max} caracteres visíveis");
            Refusal::bad_field("token", &expected)
        });
        token.map(Some)
    }

    fn join(&self) -> Result<ClientMessage, Refusal> {
        let room_password = password("room_password", &self.room_password)?;
        Ok(ClientMessage::Join(Join {
            room: self.room()?,
            resume: self.resume_point()?,
            room_password,
        }))
    }

    // The fields are checked in the order in which they stand here.

    fn say(&self) -> Result<ClientMessage, Refusal> {
        Ok(ClientMessage::Say(Say {
            id: self.id()?,
            room: self.room()?,
            action: scalar::flag("action", &self.action)?.unwrap_or(false),
            reply_to: scalar::number("reply_to", &self.reply_to)?,
            text: self.text()?,
        }))
    }

    fn edit(&self) -> Result<ClientMessage, Refusal> {
        Ok(ClientMessage::Edit(Edit {
            id: self.id()?,
            room: self.room()?,
            seq: self.seq()?,
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
        Ok(ClientMessage::Whisper(Whisper {
            id: self.id()?,
            to: name("to", &self.to)?,
            text: self.text()?,
        }))
    }

    fn history(&self) -> Result<ClientMessage, Refusal> {
        let page = match (
            scalar::number("before", &self.before)?,
            scalar::number("after", &self.after)?,
        ) {
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
        let query = text::clean_line(scalar::text("query", &self.query)?);
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
            epoch: opaque("epoch", &self.epoch)?,
            after: scalar::number("after", &self.after)?,
        })
    }

    pub(super) fn room(&self) -> Result<RoomName, Refusal> {
        RoomName::new(scalar::text("room", &self.room)?)
            .map_err(|_| Refusal::new(ErrorCode::RoomInvalid))
    }

    pub(super) fn id(&self) -> Result<String, Refusal> {
        let id = scalar::text("id", &self.id)?;
        if !is_id(id) {
            let expected = format!("um texto de 1 a {MAX_ID} caracteres");
            return Err(Refusal::bad_field("id", &expected));
        }
        Ok(id.to_owned())
    }

    pub(super) fn text(&self) -> Result<String, Refusal> {
        let text = text::clean(scalar::text("text", &self.text)?);
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
        scalar::number("seq", &self.seq)?
            .ok_or_else(|| Refusal::bad_field("seq", "o número de uma mensagem"))
    }

    fn limit(&self) -> Result<Option<u64>, Refusal> {
        match scalar::number("limit", &self.limit)? {
            Some(0) => Err(Refusal::bad_field(
                "limit",
                &format!("um número de 1 a {MAX_PAGE}"),
            )),
            limit => Ok(limit),
        }
    }
}

/// The refusal of a text whose fields could not be read.
#[cold]
fn unreadable(json: &str, error: &serde_json::Error) -> Refusal {
    let id = broken_json::find_id(json).filter(|id| is_id(id));
    Refusal {
        id,
        ..scalar::unreadable(json, error)
    }
}

fn is_id(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.chars().count()) && !id.chars().any(char::is_control)
}

pub(super) fn name(field: &str, value: &Option<Scalar<'_>>) -> Result<Name, Refusal> {
    Name::new(scalar::text(field, value)?).map_err(Refusal::name_invalid)
}

/// An empty password counts as absent.
fn password(field: &str, value: &Option<Scalar<'_>>) -> Result<Option<Password>, Refusal> {
    match scalar::optional_text(field, value)? {
        None | Some("") => Ok(None),
        Some(raw) => Password::new(raw).map(Some).ok_or_else(|| {
            let expected = format!("um texto de até {} caracteres, em uma linha", Password::MAX);
            Refusal::bad_field(field, &expected)
        }),
    }
}

/// An epoch or a key: opaque, and bounded in bytes.
fn opaque(field: &str, value: &Option<Scalar<'_>>) -> Result<Option<String>, Refusal> {
    let raw = scalar::optional_text(field, value)?;
    if raw.is_some_and(|raw| raw.len() > MAX_OPAQUE) {
        let expected = format!("um texto de até {MAX_OPAQUE} caracteres");
        return Err(Refusal::bad_field(field, &expected));
    }
    Ok(raw.map(str::to_owned))
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
