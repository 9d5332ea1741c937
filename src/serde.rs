//! How public values appear in the formats of `serde`.
//!
//! The suite's identifier (2 bytes, big-endian), then the bytes: as bytes in a binary format, and in base64 with
//! padding (RFC 4648 §4) in a text format. A key id is its 16 bytes, and in text the digits that
//! [`Display`](std::fmt::Display) prints. SPEC.md, "Values in other formats".

use std::{fmt, marker::PhantomData};

use base64ct::{Base64, Encoding};
use serde_core::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    error::Error,
    kem::{ciphertext::Ciphertext, encapsulation_key::EncapsulationKey, suite::KemSuite},
    key_id::KeyId,
    sign::{signature::Signature, suite::SignatureSuite, verifying_key::VerifyingKey},
    wire::{self, Reader},
};

/// A public value with one form in binary formats and one in text.
trait Public: Sized {
    /// What an error calls it.
    const WHAT: &'static str;

    fn to_binary(&self) -> Vec<u8>;

    fn to_text(&self) -> String {
        Base64::encode_string(&self.to_binary())
    }

    fn from_binary(bytes: &[u8]) -> Result<Self, Error>;

    fn from_text(text: &str) -> Result<Self, Error> {
        let reason = "it must be base64 with padding, and nothing else";
        let bytes = Base64::decode_vec(text);
        Self::from_binary(&bytes.map_err(|_| Error::Invalid { what: Self::WHAT, reason })?)
    }
}

fn behind(suite: u16, bytes: &[u8]) -> Vec<u8> {
    [&suite.to_be_bytes(), bytes].concat()
}

fn suite_and_rest<'a>(what: &'static str, bytes: &'a [u8]) -> Result<(u16, &'a [u8]), Error> {
    let mut reader = Reader::new(what, bytes);
    Ok((reader.u16()?, reader.rest()))
}

macro_rules! public {
    ($type:ty, $suite:ty, $what:literal) => {
        impl Public for $type {
            const WHAT: &'static str = $what;

            fn to_binary(&self) -> Vec<u8> {
                behind(self.suite().id(), self.as_bytes())
            }

            fn from_binary(bytes: &[u8]) -> Result<Self, Error> {
                let (suite, bytes) = suite_and_rest($what, bytes)?;
                Self::from_bytes(<$suite>::from_id(suite)?, bytes)
            }
        }

        serde!($type);
    };
}

macro_rules! serde {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serialize(self, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize(deserializer)
            }
        }
    };
}

public!(EncapsulationKey, KemSuite, "encapsulation key");
public!(Ciphertext, KemSuite, "ciphertext");
public!(VerifyingKey, SignatureSuite, "verifying key");
public!(Signature, SignatureSuite, "signature");

impl Public for KeyId {
    const WHAT: &'static str = "key id";

    fn to_binary(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn to_text(&self) -> String {
        self.to_string()
    }

    fn from_binary(bytes: &[u8]) -> Result<Self, Error> {
        wire::array(Self::WHAT, bytes).map(Self::from_bytes)
    }

    fn from_text(text: &str) -> Result<Self, Error> {
        text.parse()
    }
}

serde!(KeyId);

fn serialize<S: Serializer>(value: &impl Public, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.serialize_str(&value.to_text())
    } else {
        serializer.serialize_bytes(&value.to_binary())
    }
}

fn deserialize<'de, T: Public, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let visitor = Visitor(PhantomData);
    if deserializer.is_human_readable() {
        deserializer.deserialize_str(visitor)
    } else {
        // Some formats hold borrowed bytes only up to a length, which these exceed.
        deserializer.deserialize_byte_buf(visitor)
    }
}

/// Takes both forms: behind `flatten` and in untagged enums, `serde` keeps a binary format's bytes and calls
/// that format human-readable.
struct Visitor<T>(PhantomData<T>);

impl<T: Public> de::Visitor<'_> for Visitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} as bytes, or as text", T::WHAT)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).map_err(E::custom)
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<T, E> {
        T::from_binary(bytes).map_err(E::custom)
    }
}
