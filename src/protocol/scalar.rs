//! One field of a client message: a JSON scalar whose type is checked only when a message needs the field.

use super::{ErrorCode, Refusal};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// One field's value. `null` counts as absent, and is no scalar.
pub(super) enum Scalar<'a> {
    Text(Cow<'a, str>),
    Number(u64),
    Flag(bool),
    /// An object, an array, a negative or broken number: no field has such a value.
    Other,
}

/// The text of a field that a message may leave out.
pub(super) fn optional_text<'s>(
    field: &str,
    value: &'s Option<Scalar<'_>>,
) -> Result<Option<&'s str>, Refusal> {
    match value {
        None => Ok(None),
        Some(Scalar::Text(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::bad_field(field, "um texto")),
    }
}

/// The text of a field that a message must have.
pub(super) fn text<'s>(field: &str, value: &'s Option<Scalar<'_>>) -> Result<&'s str, Refusal> {
    optional_text(field, value)?.ok_or_else(|| Refusal::bad_field(field, "um texto"))
}

pub(super) fn number(field: &str, value: &Option<Scalar<'_>>) -> Result<Option<u64>, Refusal> {
    match value {
        None => Ok(None),
        Some(Scalar::Number(number)) => Ok(Some(*number)),
        Some(_) => Err(Refusal::bad_field(
            field,
            "um número inteiro, a partir de 0",
        )),
    }
}

pub(super) fn flag(field: &str, value: &Option<Scalar<'_>>) -> Result<Option<bool>, Refusal> {
    match value {
        None => Ok(None),
        Some(Scalar::Flag(flag)) => Ok(Some(*flag)),
        Some(_) => Err(Refusal::bad_field(field, "true ou false")),
    }
}

/// The refusal of a text whose fields could not be read.
pub(super) fn unreadable(json: &str, error: &serde_json::Error) -> Refusal {
    let error = error.to_string();
    match repeated_field(&error) {
        // Serde stopped at the repeated field: whether the rest is JSON takes a second reading.
        Some(field) if serde_json::from_str::<IgnoredAny>(json).is_ok() => {
            let text = format!("O campo “{field}” aparece duas vezes.");
            Refusal::with_text(ErrorCode::BadField, text)
        }
        _ => Refusal::new(ErrorCode::BadJson),
    }
}

/// The field that serde found twice, which only the text of its error names.
fn repeated_field(error: &str) -> Option<&str> {
    let (field, _) = error.strip_prefix("duplicate field `")?.split_once('`')?;
    Some(field)
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    /// Some languages write whole numbers as `5.0`.
    fn visit_f64<E>(self, number: f64) -> Result<Scalar<'de>, E> {
        const EXACT: f64 = (1_u64 << 53) as f64;
        let whole = (0.0..=EXACT).contains(&number) && number.fract() == 0.0;
        Ok(if whole {
            Scalar::Number(number as u64)
        } else {
            Scalar::Other
        })
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Flag(flag))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}
