//! JSON that refuses a repeated member, more than 32 levels, and more than 256 MiB.
//!
//! `serde_json` parses. It would let the last of several equal members win, so the visitor here compares names, also in
//! objects that nobody reads.

use std::{borrow::Cow, cell::Cell, collections::BTreeSet, fmt};

use serde_core::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::error::{Error, ModelRefusal};

/// The longest text, in bytes.
pub(super) const MAX_LEN: usize = 256 * 1024 * 1024;

/// How deep objects and arrays may be in each other.
const MAX_LEVELS: usize = 32;

/// The most members of one object: their names are compared, so they are kept.
const MAX_MEMBERS: usize = 1024;

/// The largest number that every reader of JSON has exactly.
pub(super) const MAX_INTEGER: u64 = 1 << 53;

/// Where a value belongs, and so of which type it must be.
pub(super) enum Slot<'s, 'de> {
    Text(&'s mut Option<Cow<'de, str>>),
    /// Null leaves it as it is.
    TextOrNull(&'s mut Option<Cow<'de, str>>),
    Boolean(&'s mut Option<bool>),
    /// Any form of a number whose value is an integer from 0 to 2^53, such as 100.0 or 1e2.
    Integer(&'s mut Option<u64>),
    Object(&'s mut dyn Members<'de>),
    Array(&'s mut dyn Elements<'de>),
    /// Of any type.
    Ignored,
}

/// An object that is read. No name comes twice.
pub(super) trait Members<'de> {
    fn member(&mut self, name: &str) -> Result<Slot<'_, 'de>, Error>;
}

/// An array that is read.
pub(super) trait Elements<'de> {
    fn element(&mut self) -> Result<Slot<'_, 'de>, Error>;

    /// After each element.
    fn done(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Reads an object and nothing else, except white space. `what` names it in errors.
pub(super) fn read<'de>(
    what: &'static str,
    json: &'de [u8],
    object: &mut dyn Members<'de>,
) -> Result<(), Error> {
    if json.len() > MAX_LEN {
        return Err(Error::Model(ModelRefusal::TooLarge));
    }
    let text = Text { what, fault: Cell::new(None) };
    let value = Value { text: &text, levels: 0, slot: Slot::Object(object) };
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let read = value.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    read.map_err(|error| {
        let reason = if error.is_eof() { "its JSON ends early" } else { "it is not JSON" };
        text.fault.take().unwrap_or(Error::Invalid { what, reason })
    })
}

/// The text that is read, and what its parser's own error type cannot carry.
struct Text {
    what: &'static str,
    fault: Cell<Option<Error>>,
}

impl Text {
    fn refuse<E: serde_core::de::Error>(&self, error: Error) -> E {
        self.fault.set(Some(error));
        E::custom("refused")
    }

    fn invalid<E: serde_core::de::Error>(&self, reason: &'static str) -> E {
        self.refuse(Error::Invalid { what: self.what, reason })
    }
}

/// A value, and in how many objects and arrays it is.
struct Value<'t, 's, 'de> {
    text: &'t Text,
    levels: usize,
    slot: Slot<'s, 'de>,
}

impl<'t, 'de> Value<'t, '_, 'de> {
    /// One that is ignored, or of the wrong type.
    fn unused<E: serde_core::de::Error>(self) -> Result<(), E> {
        match self.slot {
            Slot::Ignored => Ok(()),
            _ => Err(self.text.invalid("a value in it has the wrong type")),
        }
    }

    fn text<E: serde_core::de::Error>(self, text: Cow<'de, str>) -> Result<(), E> {
        match self.slot {
            Slot::Text(to) | Slot::TextOrNull(to) => {
                *to = Some(text);
                Ok(())
            }
            _ => self.unused(),
        }
    }

    /// The number of levels inside.
    fn deeper<E: serde_core::de::Error>(&self) -> Result<usize, E> {
        if self.levels < MAX_LEVELS {
            Ok(self.levels + 1)
        } else {
            Err(self.text.refuse(Error::Model(ModelRefusal::TooLarge)))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Slot::Integer(to) = self.slot else {
            return deserializer.deserialize_any(self);
        };
        let value = integer(<&RawValue>::deserialize(deserializer)?.get());
        let wrong = || self.text.invalid("a number in it is not an integer from 0 to 2^53");
        *to = Some(value.ok_or_else(wrong)?);
        Ok(())
    }
}

impl<'de> Visitor<'de> for Value<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: serde_core::de::Error>(self) -> Result<(), E> {
        match self.slot {
            Slot::TextOrNull(_) => Ok(()),
            _ => self.unused(),
        }
    }

    fn visit_bool<E: serde_core::de::Error>(self, value: bool) -> Result<(), E> {
        match self.slot {
            Slot::Boolean(to) => {
                *to = Some(value);
                Ok(())
            }
            _ => self.unused(),
        }
    }

    fn visit_i64<E: serde_core::de::Error>(self, _: i64) -> Result<(), E> {
        self.unused()
    }

    fn visit_u64<E: serde_core::de::Error>(self, _: u64) -> Result<(), E> {
        self.unused()
    }

    fn visit_f64<E: serde_core::de::Error>(self, _: f64) -> Result<(), E> {
        self.unused()
    }

    fn visit_borrowed_str<E: serde_core::de::Error>(self, text: &'de str) -> Result<(), E> {
        self.text(text.into())
    }

    fn visit_str<E: serde_core::de::Error>(self, text: &str) -> Result<(), E> {
        self.text(text.to_owned().into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let (text, levels) = (self.text, self.deeper()?);
        match self.slot {
            Slot::Array(of) => {
                while array.next_element_seed(Element { text, levels, of })?.is_some() {}
            }
            Slot::Ignored => {
                let ignored = || Value { text, levels, slot: Slot::Ignored };
                while array.next_element_seed(ignored())?.is_some() {}
            }
            _ => return self.unused(),
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let (text, levels) = (self.text, self.deeper()?);
        let mut members = match self.slot {
            Slot::Object(members) => Some(members),
            Slot::Ignored => None,
            _ => return self.unused(),
        };
        let mut names = BTreeSet::new();
        while let Some(name) = object.next_key_seed(Name)? {
            let slot = match &mut members {
                Some(members) => members.member(&name).map_err(|error| text.refuse(error))?,
                None => Slot::Ignored,
            };
            if !names.insert(name) {
                return Err(text.refuse(Error::Model(ModelRefusal::RepeatedMember)));
            }
            if names.len() > MAX_MEMBERS {
                return Err(text.refuse(Error::Model(ModelRefusal::TooLarge)));
            }
            object.next_value_seed(Value { text, levels, slot })?;
        }
        Ok(())
    }
}

/// An element, if there is one: that shows only when it is asked for.
struct Element<'t, 's, 'de> {
    text: &'t Text,
    levels: usize,
    of: &'s mut dyn Elements<'de>,
}

impl<'de> DeserializeSeed<'de> for Element<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { text, levels, of } = self;
        let slot = of.element().map_err(|error| text.refuse(error))?;
        Value { text, levels, slot }.deserialize(deserializer)?;
        of.done().map_err(|error| text.refuse(error))
    }
}

/// The name of a member, borrowed unless it has escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: serde_core::de::Error>(
        self,
        name: &'de str,
    ) -> Result<Self::Value, E> {
        Ok(name.into())
    }

    fn visit_str<E: serde_core::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(name.to_owned().into())
    }
}

/// The value of a JSON number, if it is an integer from 0 to 2^53. It is computed from the digits: a float would round.
fn integer(number: &str) -> Option<u64> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let zeros = digits.len() - significant.len();
    let power = i64::from(exponent.parse::<i32>().ok()?) + i64::try_from(zeros).ok()?
        - i64::try_from(fraction.len()).ok()?;
    let power = 10_u64.checked_pow(u32::try_from(power).ok()?)?;
    let value = significant.parse::<u64>().ok()?.checked_mul(power)?;
    (value <= MAX_INTEGER).then_some(value)
}
