//! All fields of a client message, read into one table on the heap: a thread keeps each stack page that it once touched.

use super::scalar::{Scalar, ScalarSeed};
use super::{ErrorCode, Refusal};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// A field that some kind of message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Type,
    Name,
    Token,
    Room,
    Epoch,
    After,
    Before,
    Limit,
    LocalKey,
    Id,
    Text,
    Action,
    ReplyTo,
    To,
    Query,
    Seq,
    Password,
    ModeratorKey,
    RoomPassword,
    Act,
    Seconds,
    On,
}

impl Field {
    /// Every field with its name on the wire, in the order above.
    const ALL: [(Field, &'static str); 22] = [
        (Field::Type, "type"),
        (Field::Name, "name"),
        (Field::Token, "token"),
        (Field::Room, "room"),
        (Field::Epoch, "epoch"),
        (Field::After, "after"),
        (Field::Before, "before"),
        (Field::Limit, "limit"),
        (Field::LocalKey, "local_key"),
        (Field::Id, "id"),
        (Field::Text, "text"),
        (Field::Action, "action"),
        (Field::ReplyTo, "reply_to"),
        (Field::To, "to"),
        (Field::Query, "query"),
        (Field::Seq, "seq"),
        (Field::Password, "password"),
        (Field::ModeratorKey, "moderator_key"),
        (Field::RoomPassword, "room_password"),
        (Field::Act, "act"),
        (Field::Seconds, "seconds"),
        (Field::On, "on"),
    ];

    /// The name on the wire.
    pub(super) fn name(self) -> &'static str {
        let (_, name) = Self::ALL[self as usize];
        name
    }

    fn from_name(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(field, _)| *field)
    }
}

/// What a check found. A refusal is boxed, because each `?` on the way keeps room for one on the stack.
pub(super) type Checked<T> = Result<T, Box<Refusal>>;

/// A refusal with the sentence of its code.
#[cold]
#[inline(never)]
pub(super) fn refuse(code: ErrorCode) -> Box<Refusal> {
    Box::new(Refusal::new(code))
}

/// The refusal of a field that is not what it has to be.
#[cold]
#[inline(never)]
pub(super) fn bad_field(field: Field, expected: &str) -> Box<Refusal> {
    Box::new(Refusal::bad_field(field.name(), expected))
}

/// Every field of every kind of message, still unchecked.
#[derive(Default)]
pub(super) struct Fields<'a> {
    values: [Option<Scalar<'a>>; Field::ALL.len()],
    /// Which fields the text has; one that is `null` has no value.
    present: [bool; Field::ALL.len()],
}

impl<'a> Fields<'a> {
    /// Reads all fields of a text that is one JSON object.
    #[inline(never)]
    pub(super) fn read(json: &'a str) -> serde_json::Result<Box<Self>> {
        let mut fields = Box::<Self>::default();
        let mut deserializer = serde_json::Deserializer::from_str(json);
        deserializer.deserialize_map(FieldsVisitor(&mut fields))?;
        deserializer.end()?;
        Ok(fields)
    }

    /// The value of a field, whatever its type.
    pub(super) fn get(&self, field: Field) -> Option<&Scalar<'a>> {
        self.values[field as usize].as_ref()
    }

    /// The text of a field that a message may leave out.
    pub(super) fn optional_text(&self, field: Field) -> Checked<Option<&str>> {
        match self.get(field) {
            None => Ok(None),
            Some(Scalar::Text(text)) => Ok(Some(text)),
            Some(_) => Err(bad_field(field, "um texto")),
        }
    }

    /// The text of a field that a message must have.
    pub(super) fn required_text(&self, field: Field) -> Checked<&str> {
        self.optional_text(field)?
            .ok_or_else(|| bad_field(field, "um texto"))
    }

    /// The whole number of a field that a message may leave out.
    pub(super) fn number(&self, field: Field) -> Checked<Option<u64>> {
        match self.get(field) {
            None => Ok(None),
            Some(Scalar::Number(number)) => Ok(Some(*number)),
            Some(_) => Err(bad_field(field, "um número inteiro, a partir de 0")),
        }
    }

    /// The switch of a field that a message may leave out.
    pub(super) fn flag(&self, field: Field) -> Checked<Option<bool>> {
        match self.get(field) {
            None => Ok(None),
            Some(Scalar::Flag(flag)) => Ok(Some(*flag)),
            Some(_) => Err(bad_field(field, "true ou false")),
        }
    }
}

/// Writes each value straight into the table; a derived visitor would first gather all of them on the stack.
struct FieldsVisitor<'f, 'a>(&'f mut Fields<'a>);

impl<'de> Visitor<'de> for FieldsVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(FieldSeed)? {
            let Some(field) = key else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let index = field as usize;
            if self.0.present[index] {
                return Err(A::Error::duplicate_field(field.name()));
            }
            self.0.present[index] = true;
            map.next_value_seed(ScalarSeed(&mut self.0.values[index]))?;
        }
        Ok(())
    }
}

/// The field that a key names; `None` if the protocol knows none of that name.
struct FieldSeed;

impl<'de> DeserializeSeed<'de> for FieldSeed {
    type Value = Option<Field>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for FieldSeed {
    type Value = Option<Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Field::from_name(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_found_by_its_own_name() {
        for (index, (field, name)) in Field::ALL.into_iter().enumerate() {
            assert_eq!(field as usize, index, "{name}");
            assert_eq!(field.name(), name);
            assert_eq!(Field::from_name(name), Some(field));
        }
        assert_eq!(Field::from_name("x"), None);
    }

    #[test]
    fn repeated_field_is_refused_even_after_null() {
        for json in [
            r#"{"on":null,"on":true}"#,
            r#"{"on":1,"x":2,"\u006fn":null}"#,
        ] {
            let error = Fields::read(json).err().expect(json).to_string();
            assert!(error.starts_with("duplicate field `on`"), "{error}");
        }
    }
}
