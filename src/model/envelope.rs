//! The JSON of a bundle: a Sigstore bundle v0.3 with a DSSE envelope, as far as it is read and written here.

use std::borrow::Cow;

use base64ct::{Base64, Base64Url, Encoding};

use super::{
    claimed_key::ClaimedKey,
    json::{self, Elements, Members, Slot},
};
use crate::error::{Error, ModelRefusal};

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const WHAT: &str = "bundle";

/// What a bundle has in it.
pub(super) struct Envelope {
    pub(super) key: ClaimedKey,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
    /// Whether there are entries of a transparency log, or timestamps. Nobody looks at them.
    pub(super) has_log: bool,
}

/// What is signed (DSSE's pre-authentication encoding).
pub(super) fn signed(payload: &[u8]) -> Vec<u8> {
    let (of_type, of_payload) = (PAYLOAD_TYPE.len(), payload.len());
    let mut signed = format!("DSSEv1 {of_type} {PAYLOAD_TYPE} {of_payload} ").into_bytes();
    signed.extend_from_slice(payload);
    signed
}

/// The bundle's bytes, with a line feed at their end.
pub(super) fn write(hint: &str, payload: &[u8], signature: &[u8]) -> String {
    let (payload, signature) = (Base64::encode_string(payload), Base64::encode_string(signature));
    [
        r#"{"mediaType":""#,
        MEDIA_TYPE,
        r#"","verificationMaterial":{"publicKey":{"hint":""#,
        hint,
        r#""},"tlogEntries":[]},"dsseEnvelope":{"payload":""#,
        &payload,
        r#"","payloadType":""#,
        PAYLOAD_TYPE,
        r#"","signatures":[{"sig":""#,
        &signature,
        "\",\"keyid\":\"\"}]}}\n",
    ]
    .concat()
}

impl Envelope {
    /// Parses a bundle.
    pub(super) fn parse(bundle: &[u8]) -> Result<Self, Error> {
        let mut fields = Fields::default();
        match json::read(WHAT, bundle, &mut fields).and_then(|()| fields.check()) {
            Ok(envelope) if ends_plainly(bundle) => Ok(envelope),
            Ok(_) => Err(invalid("white space before or after it")),
            // A bundle of another version breaks many rules of this one. What counts is that it is another.
            Err(error) => {
                let mut version = Version::default();
                json::read(WHAT, bundle, &mut version).map_err(|_| error.clone())?;
                version.check().and(Err(error))
            }
        }
    }
}

/// White space around the object would be a byte of the bundle that may change. A last line feed is what files have.
fn ends_plainly(bundle: &[u8]) -> bool {
    bundle.starts_with(b"{") && bundle.strip_suffix(b"\n").unwrap_or(bundle).ends_with(b"}")
}

#[derive(Default)]
struct Fields<'de> {
    version: Version<'de>,
    material: Material<'de>,
    envelope: Option<Dsse<'de>>,
}

impl<'de> Members<'de> for Fields<'de> {
    fn member(&mut self, name: &str) -> Result<Slot<'_, 'de>, Error> {
        match name {
            "mediaType" => self.version.member(name),
            "verificationMaterial" => Ok(Slot::Object(&mut self.material)),
            "dsseEnvelope" => Ok(Slot::Object(self.envelope.insert(Dsse::default()))),
            "messageSignature" => Err(Error::Model(ModelRefusal::PayloadType)),
            _ => unknown(),
        }
    }
}

impl Fields<'_> {
    fn check(self) -> Result<Envelope, Error> {
        self.version.check()?;
        let Material { key, log, timestamps } = self.material;
        let Key { hint, raw, details } = key;
        let Some(envelope) = self.envelope else {
            return Err(invalid("it has no DSSE envelope"));
        };
        let Dsse { payload, payload_type, signatures } = envelope;
        if payload_type.as_deref() != Some(PAYLOAD_TYPE) {
            return Err(Error::Model(ModelRefusal::PayloadType));
        }
        let (Some(payload), Some(Signature { text: Some(signature), key_id })) =
            (payload, signatures.first)
        else {
            return Err(invalid("it has no payload or no signature"));
        };
        if key_id.is_some_and(|id| !id.is_empty()) {
            return Err(Error::Model(ModelRefusal::KeyId));
        }
        let texts = [Some(&*payload), Some(&*signature), raw.as_deref()];
        // Either alphabet, but one in the whole bundle.
        let [payload, signature, raw] = decode::<Base64>(texts)
            .or_else(|| decode::<Base64Url>(texts))
            .ok_or_else(|| invalid("it is not base64 with padding, in one alphabet"))?;
        let key = ClaimedKey::new(hint.as_deref(), raw.as_deref(), details.as_deref())?;
        let (Some(payload), Some(signature)) = (payload, signature) else {
            return Err(invalid("it has no payload or no signature"));
        };
        Ok(Envelope { key, payload, signature, has_log: log.has_any || timestamps.are_there })
    }
}

type Texts<T> = [Option<T>; 3];

fn decode<Alphabet: Encoding>(texts: Texts<&str>) -> Option<Texts<Vec<u8>>> {
    let mut decoded = [None, None, None];
    for (to, text) in decoded.iter_mut().zip(texts) {
        *to = text.map(Alphabet::decode_vec).transpose().ok()?;
    }
    Some(decoded)
}

/// The member that says what the others mean.
#[derive(Default)]
struct Version<'de> {
    media_type: Option<Cow<'de, str>>,
}

impl<'de> Members<'de> for Version<'de> {
    fn member(&mut self, name: &str) -> Result<Slot<'_, 'de>, Error> {
        Ok(match name {
            "mediaType" => Slot::Text(&mut self.media_type),
            _ => Slot::Ignored,
        })
    }
}

impl Version<'_> {
    fn check(&self) -> Result<(), Error> {
        match self.media_type.as_deref() {
            Some(MEDIA_TYPE) => Ok(()),
            _ => Err(Error::Model(ModelRefusal::MediaType)),
        }
    }
}

#[derive(Default)]
struct Material<'de> {
    key: Key<'de>,
    log: Log,
    timestamps: Timestamps,
}

impl<'de> Members<'de> for Material<'de> {
    fn member(&mut self, name: &str) -> Result<Slot<'_, 'de>, Error> {
        match name {
            "publicKey" => Ok(Slot::Object(&mut self.key)),
            "certificate" | "x509CertificateChain" => Err(Error::Model(ModelRefusal::Certificate)),
            "tlogEntries" => Ok(Slot::Array(&mut self.log)),
            "timestampVerificationData" => {
                self.timestamps.are_there = true;
                Ok(Slot::Object(&mut self.timestamps))
            }
            _ => unknown(),
        }
    }
}

#[derive(Default)]
struct Key<'de> {
    hint: Option<Cow<'de, str>>,
    raw: Option<Cow<'de, str>>,
    details: Option<Cow<'de, str>>,
}

impl<'de> Members<'de> for Key<'de> {
    fn member(&mut self, name: &str) -> Result<Slot<'_, 'de>, Error> {
        match name {
            "hint" => Ok(Slot::Text(&mut self.hint)),
            "rawBytes" => Ok(Slot::Text(&mut self.raw)),
            "keyDetails" => Ok(Slot::Text(&mut self.details)),
            _ => unknown(),
        }
    }
}

/// Entries of a transparency log: objects with any members.
#[derive(Default)]
struct Log {
    has_any: bool,
}

impl<'de> Elements<'de> for Log {
    fn element(&mut self) -> Result<Slot<'_, 'de>, Error> {
        self.has_any = true;
        Ok(Slot::Object(self))
    }
}

impl<'de> Members<'de> for Log {
    fn member(&mut self, _: &str) -> Result<Slot<'_, 'de>, Error> {
        Ok(Slot::Ignored)
    }
}

#[derive(Default)]
struct Timestamps {
    are_there: bool,
}

impl<'de> Members<'de> for Timestamps {
    fn member(&mut self, name: &str) -> Result<Slot<'_, 'de>, Error> {
        match name {
            "rfc3161Timestamps" => Ok(Slot::Array(self)),
            "signedTimestamp" => Ok(Slot::Ignored),
            _ => unknown(),
        }
    }
}

impl<'de> Elements<'de> for Timestamps {
    fn element(&mut self) -> Result<Slot<'_, 'de>, Error> {
        Ok(Slot::Object(self))
    }
}

#[derive(Default)]
struct Dsse<'de> {
    payload: Option<Cow<'de, str>>,
    payload_type: Option<Cow<'de, str>>,
    signatures: Signatures<'de>,
}

impl<'de> Members<'de> for Dsse<'de> {
    fn member(&mut self, name: &str) -> Result<Slot<'_, 'de>, Error> {
        match name {
            "payload" => Ok(Slot::Text(&mut self.payload)),
            "payloadType" => Ok(Slot::Text(&mut self.payload_type)),
            "signatures" => Ok(Slot::Array(&mut self.signatures)),
            _ => unknown(),
        }
    }
}

#[derive(Default)]
struct Signatures<'de> {
    first: Option<Signature<'de>>,
}

impl<'de> Elements<'de> for Signatures<'de> {
    fn element(&mut self) -> Result<Slot<'_, 'de>, Error> {
        if self.first.is_some() {
            return Err(Error::Model(ModelRefusal::SeveralSignatures));
        }
        Ok(Slot::Object(self.first.insert(Signature::default())))
    }
}

#[derive(Default)]
struct Signature<'de> {
    text: Option<Cow<'de, str>>,
    key_id: Option<Cow<'de, str>>,
}

impl<'de> Members<'de> for Signature<'de> {
    fn member(&mut self, name: &str) -> Result<Slot<'_, 'de>, Error> {
        match name {
            "sig" => Ok(Slot::Text(&mut self.text)),
            "keyid" => Ok(Slot::TextOrNull(&mut self.key_id)),
            _ => unknown(),
        }
    }
}

fn unknown<T>() -> Result<T, Error> {
    Err(invalid("it has a member that nothing defines"))
}

fn invalid(reason: &'static str) -> Error {
    Error::Invalid { what: WHAT, reason }
}
