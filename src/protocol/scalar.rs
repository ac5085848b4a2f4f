//! One field of a client message: a JSON scalar whose type is checked only when a message needs the field.

use super::{ErrorCode, Refusal};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
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

/// Writes one value to its place, `None` for `null`.
pub(super) struct ScalarSeed<'s, 'a>(pub &'s mut Option<Scalar<'a>>);

impl<'de> DeserializeSeed<'de> for ScalarSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ScalarSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        *self.0 = None;
        Ok(())
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        *self.0 = Some(Scalar::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        *self.0 = Some(Scalar::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        *self.0 = Some(Scalar::Number(number));
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        *self.0 = Some(Scalar::Other);
        Ok(())
    }

    /// Some languages write whole numbers as `5.0`.
    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        const EXACT: f64 = (1_u64 << 53) as f64;
        let whole = (0.0..=EXACT).contains(&number) && number.fract() == 0.0;
        *self.0 = Some(if whole {
            Scalar::Number(number as u64)
        } else {
            Scalar::Other
        });
        Ok(())
    }

    fn visit_bool<E>(self, flag: bool) -> Result<(), E> {
        *self.0 = Some(Scalar::Flag(flag));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        *self.0 = Some(Scalar::Other);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        *self.0 = Some(Scalar::Other);
        Ok(())
    }
}
