//! One JSON object as the fields that the protocol knows, each kept as a scalar whatever its type; nothing is judged yet.

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The names of all fields of all kinds.
#[derive(Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
pub enum Field {
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
    #[serde(other)]
    Unknown,
}

/// The same names as the wire has them.
pub const FIELDS: [&str; 22] = [
    "type",
    "name",
    "token",
    "room",
    "epoch",
    "after",
    "before",
    "limit",
    "local_key",
    "id",
    "text",
    "action",
    "reply_to",
    "to",
    "query",
    "seq",
    "password",
    "moderator_key",
    "room_password",
    "act",
    "seconds",
    "on",
];

/// One field's value; `null` counts as absent.
#[derive(Default)]
pub enum Value<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Number(u64),
    Flag(bool),
    /// An object, an array, a negative or broken number: no field has such a value.
    Other,
}

/// Everything that a client message may say, still unchecked.
#[derive(Default)]
pub struct Fields<'a> {
    pub values: [Value<'a>; FIELDS.len()],
    /// A field that stands there twice.
    pub repeated: Option<Field>,
}

impl<'a> Fields<'a> {
    /// Reads all of a text. On the heap and on a frame of its own: each page of its stack that a connection's thread ever
    /// touches stays with it, ten thousand times.
    #[inline(never)]
    pub fn read(json: &'a str) -> serde_json::Result<Box<Self>> {
        let mut fields = Box::<Self>::default();
        let mut deserializer = serde_json::Deserializer::from_str(json);
        deserializer.deserialize_map(FieldsVisitor(&mut fields))?;
        deserializer.end()?;
        Ok(fields)
    }
}

struct FieldsVisitor<'a, 'de>(&'a mut Fields<'de>);

impl<'de> Visitor<'de> for FieldsVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let fields = self.0;
        while let Some(field) = map.next_key::<Field>()? {
            if field == Field::Unknown {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let slot = &mut fields.values[field as usize];
            if !matches!(slot, Value::Absent) {
                fields.repeated = Some(field);
            }
            *slot = map.next_value()?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    /// Some languages write whole numbers as `5.0`.
    fn visit_f64<E>(self, number: f64) -> Result<Value<'de>, E> {
        const EXACT: f64 = (1_u64 << 53) as f64;
        let whole = (0.0..=EXACT).contains(&number) && number.fract() == 0.0;
        Ok(if whole {
            Value::Number(number as u64)
        } else {
            Value::Other
        })
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value<'de>, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Absent)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}
