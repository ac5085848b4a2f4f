//! From JSON text to a checked [`ClientMessage`], without building a tree.
//!
//! Every field that the protocol knows is read as a scalar, whatever its type; the rest is skipped. The kind is examined
//! afterwards: `type` may stand anywhere, and the fields of other kinds are not checked.

use super::fields::{Checked, Field, Fields, bad_field, refuse};
use super::scalar::{self, Scalar};
use super::{
    ClientMessage, ClientRequest, Credentials, Edit, Enter, Erase, ErrorCode, FetchHistory, Join,
    Leave, MAX_PAGE, PageRequest, Password, Refusal, Rename, ResumePoint, Say, Search,
    SetRoomPassword, Token, Typing, Whisper, broken_json,
};
use crate::name::{Name, NameError, RoomName};
use crate::text;

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
        match Self::parse_boxed(json) {
            Ok(request) => Ok(*request),
            Err(refusal) => Err(*refusal),
        }
    }

    /// [`ClientMessage::parse`] for a connection's thread, which keeps each stack page that it once touched: a request is
    /// large, and would lie there in several copies.
    ///
    /// # Errors
    /// Those of [`ClientMessage::parse`].
    pub(crate) fn parse_boxed(json: &str) -> Result<Box<ClientRequest>, Box<Refusal>> {
        match Fields::read(json) {
            Ok(fields) => fields.request(),
            Err(error) => parse_repaired(json, &error),
        }
    }
}

/// Parses a text that could not be read as it is.
#[cold]
#[inline(never)]
fn parse_repaired(json: &str, error: &serde_json::Error) -> Checked<Box<ClientRequest>> {
    let Some(repaired) = broken_json::replace_lone_surrogates(json) else {
        return Err(unreadable(json, error).into());
    };
    match Fields::read(&repaired) {
        Ok(fields) => {
            let mut request = fields.request()?;
            let text = request.message.text();
            request.text_changed |=
                text.is_some_and(|text| text.contains(char::REPLACEMENT_CHARACTER));
            Ok(request)
        }
        Err(error) => Err(unreadable(&repaired, &error).into()),
    }
}

/// Moves a message to the heap. Not inlined, so that each kind of message has a frame of its own.
#[inline(never)]
fn boxed(read: impl FnOnce() -> Checked<ClientMessage>) -> Checked<Box<ClientRequest>> {
    let message = read()?;
    Ok(Box::new(ClientRequest::from(message)))
}

impl Fields<'_> {
    /// The message with its id, or its refusal with its id.
    fn request(&self) -> Checked<Box<ClientRequest>> {
        let mut request = self.message().map_err(|mut refusal| {
            refusal.id = self.readable_id().map(str::to_owned);
            refusal
        })?;
        request.text_changed = match (request.message.text(), self.get(Field::Text)) {
            (Some(cleaned), Some(Scalar::Text(sent))) => cleaned != sent,
            _ => false,
        };
        if request.message.id().is_none() {
            request.optional_id = self.readable_id().map(str::to_owned);
        }
        Ok(request)
    }

    /// The id, if it has the form of one.
    fn readable_id(&self) -> Option<&str> {
        match self.get(Field::Id) {
            Some(Scalar::Text(id)) if is_id(id) => Some(id),
            _ => None,
        }
    }

    fn message(&self) -> Checked<Box<ClientRequest>> {
        match self.required_text(Field::Type)? {
            "enter" => boxed(|| self.enter()),
            "join" => boxed(|| self.join()),
            "leave" => boxed(|| Ok(ClientMessage::Leave(Leave { room: self.room()? }))),
            "say" => boxed(|| self.say()),
            "edit" => boxed(|| self.edit()),
            "erase" => boxed(|| self.erase()),
            "whisper" => boxed(|| self.whisper()),
            "typing" => boxed(|| Ok(ClientMessage::Typing(Typing { room: self.room()? }))),
            "history" => boxed(|| self.history()),
            "search" => boxed(|| self.search()),
            "rename" => boxed(|| self.rename()),
            "room_password" => boxed(|| self.set_room_password()),
            "moderate" => boxed(|| self.moderate()),
            "rooms" => boxed(|| Ok(ClientMessage::Rooms)),
            "ping" => boxed(|| Ok(ClientMessage::Ping)),
            _ => Err(refuse(ErrorCode::UnknownType)),
        }
    }

    fn rename(&self) -> Checked<ClientMessage> {
        Ok(ClientMessage::Rename(Rename {
            name: self.name(Field::Name)?,
        }))
    }

    fn set_room_password(&self) -> Checked<ClientMessage> {
        Ok(ClientMessage::RoomPassword(SetRoomPassword {
            room: self.room()?,
            password: self.password(Field::Password)?,
        }))
    }

    fn enter(&self) -> Checked<ClientMessage> {
        let token = self.token()?;
        let room = match self.get(Field::Room) {
            None => None,
            Some(_) => Some(self.room()?),
        };
        let local_key = self.opaque(Field::LocalKey)?;
        let credentials = self.credentials()?;
        Ok(ClientMessage::Enter(Enter {
            name: self.name(Field::Name)?,
            token,
            room,
            resume: self.resume_point()?,
            local_key,
            credentials,
        }))
    }

    #[inline(never)]
    fn credentials(&self) -> Checked<Credentials> {
        Ok(Credentials {
            password: self.password(Field::Password)?,
            moderator_key: self.password(Field::ModeratorKey)?,
            room_password: self.password(Field::RoomPassword)?,
        })
    }

    fn token(&self) -> Checked<Option<Token>> {
        let Some(raw) = self.optional_text(Field::Token)? else {
            return Ok(None);
        };
        let token = Token::new(raw).ok_or_else(|| {
            let min = Token::MIN;
            let max = Token::MAX;
            let expected = format!("um segredo de {min} a {max} caracteres visíveis");
            bad_field(Field::Token, &expected)
        });
        token.map(Some)
    }

    fn join(&self) -> Checked<ClientMessage> {
        let room_password = self.password(Field::RoomPassword)?;
        Ok(ClientMessage::Join(Join {
            room: self.room()?,
            resume: self.resume_point()?,
            room_password,
        }))
    }

    // The fields are checked in the order in which they stand here.

    fn say(&self) -> Checked<ClientMessage> {
        Ok(ClientMessage::Say(Say {
            id: self.id()?,
            room: self.room()?,
            action: self.flag(Field::Action)?.unwrap_or(false),
            reply_to: self.number(Field::ReplyTo)?,
            text: self.text()?,
        }))
    }

    fn edit(&self) -> Checked<ClientMessage> {
        Ok(ClientMessage::Edit(Edit {
            id: self.id()?,
            room: self.room()?,
            seq: self.seq()?,
            text: self.text()?,
        }))
    }

    fn erase(&self) -> Checked<ClientMessage> {
        Ok(ClientMessage::Erase(Erase {
            id: self.id()?,
            room: self.room()?,
            seq: self.seq()?,
        }))
    }

    fn whisper(&self) -> Checked<ClientMessage> {
        Ok(ClientMessage::Whisper(Whisper {
            id: self.id()?,
            to: self.name(Field::To)?,
            text: self.text()?,
        }))
    }

    fn history(&self) -> Checked<ClientMessage> {
        let page = match (self.number(Field::Before)?, self.number(Field::After)?) {
            (Some(seq), None) => PageRequest::Before(seq),
            (None, Some(seq)) => PageRequest::After(seq),
            (None, None) => PageRequest::Latest,
            (Some(_), Some(_)) => {
                let text =
                    "Peça o histórico antes ou depois de uma mensagem, não os dois ao mesmo tempo.";
                return Err(Refusal::with_text(ErrorCode::BadField, text).into());
            }
        };
        Ok(ClientMessage::History(FetchHistory {
            room: self.room()?,
            page,
            limit: self.limit()?,
        }))
    }

    fn search(&self) -> Checked<ClientMessage> {
        let query = text::clean_line(self.required_text(Field::Query)?);
        if query.chars().count() > MAX_QUERY {
            return Err(bad_field(
                Field::Query,
                &format!("um texto de até {MAX_QUERY} caracteres"),
            ));
        }
        Ok(ClientMessage::Search(Search {
            room: self.room()?,
            query,
            limit: self.limit()?,
        }))
    }

    fn resume_point(&self) -> Checked<ResumePoint> {
        Ok(ResumePoint {
            epoch: self.opaque(Field::Epoch)?,
            after: self.number(Field::After)?,
        })
    }

    pub(super) fn room(&self) -> Checked<RoomName> {
        RoomName::new(self.required_text(Field::Room)?).map_err(|_| refuse(ErrorCode::RoomInvalid))
    }

    pub(super) fn id(&self) -> Checked<String> {
        let id = self.required_text(Field::Id)?;
        if !is_id(id) {
            let expected = format!("um texto de 1 a {MAX_ID} caracteres");
            return Err(bad_field(Field::Id, &expected));
        }
        Ok(id.to_owned())
    }

    pub(super) fn text(&self) -> Checked<String> {
        let text = text::clean(self.required_text(Field::Text)?);
        // Joiners and variation selectors alone show nothing.
        if text
            .chars()
            .all(|c| c.is_whitespace() || text::is_invisible(c))
        {
            return Err(refuse(ErrorCode::TextEmpty));
        }
        if text.chars().count() > MAX_TEXT {
            return Err(refuse(ErrorCode::TextTooLong));
        }
        Ok(text)
    }

    fn seq(&self) -> Checked<u64> {
        self.number(Field::Seq)?
            .ok_or_else(|| bad_field(Field::Seq, "o número de uma mensagem"))
    }

    fn limit(&self) -> Checked<Option<u64>> {
        match self.number(Field::Limit)? {
            Some(0) => Err(bad_field(
                Field::Limit,
                &format!("um número de 1 a {MAX_PAGE}"),
            )),
            limit => Ok(limit),
        }
    }

    pub(super) fn name(&self, field: Field) -> Checked<Name> {
        Name::new(self.required_text(field)?).map_err(refuse_name)
    }

    /// An empty password counts as absent.
    fn password(&self, field: Field) -> Checked<Option<Password>> {
        match self.optional_text(field)? {
            None | Some("") => Ok(None),
            Some(raw) => Password::new(raw).map(Some).ok_or_else(|| {
                let expected =
                    format!("um texto de até {} caracteres, em uma linha", Password::MAX);
                bad_field(field, &expected)
            }),
        }
    }

    /// An epoch or a key: opaque, and bounded in bytes.
    fn opaque(&self, field: Field) -> Checked<Option<String>> {
        let raw = self.optional_text(field)?;
        if raw.is_some_and(|raw| raw.len() > MAX_OPAQUE) {
            let expected = format!("um texto de até {MAX_OPAQUE} caracteres");
            return Err(bad_field(field, &expected));
        }
        Ok(raw.map(str::to_owned))
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

#[cold]
#[inline(never)]
fn refuse_name(error: NameError) -> Box<Refusal> {
    Box::new(Refusal::name_invalid(error))
}

fn is_id(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.chars().count()) && !id.chars().any(char::is_control)
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
