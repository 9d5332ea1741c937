//! Recognises good keys of twinseal's suites in a form that only `import` reads, and names the form.

use pkcs8::der::{
    Decode, Tag,
    Tag::{BitString, Integer, OctetString, Sequence},
    Tagged,
    asn1::AnyRef,
};
use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, KeyId, SigningKey, VerifyingKey,
    key_files::PemDocument,
};
use zeroize::Zeroizing;

use super::role::Role;
use crate::kind::der::parts;

/// A good key in a form that twinseal does not write.
pub(crate) struct OtherForm {
    /// As in "PKCS#8 with attributes".
    pub(crate) form: &'static str,
    /// Whether it can become a key file of twinseal. A key without its seed cannot.
    is_importable: bool,
    /// The name and number of its suite.
    pub(crate) suite: (&'static str, u16),
    pub(crate) key_id: KeyId,
}

/// The advice about a key that `import` reads.
pub(crate) const IMPORT: &str = "`twinseal import` makes a key file of it";

impl OtherForm {
    /// `None` if the key has the form that twinseal writes; an error if it is no good key in any form.
    pub(crate) fn of(document: PemDocument<'_>, role: Role) -> Result<Option<Self>, Error> {
        let text = text_of(document);
        let mut found = match role {
            Role::Seal => Self::of_kem(&EncapsulationKey::import_pem(&text)?),
            Role::Open => Self::of_kem(DecapsulationKey::import_pem(&text)?.encapsulation_key()),
            Role::Verify => Self::of_signing(&VerifyingKey::import_pem(&text)?),
            Role::Sign => match SigningKey::import_pem(&text) {
                Ok(key) => Self::of_signing(key.verifying_key()),
                Err(error) => {
                    let key = SigningKey::import_expanded_pem(&text).map_err(|_| error)?;
                    let found = Self::of_signing(key.verifying_key());
                    return Ok(Some(Self { form: EXPANDED, is_importable: false, ..found }));
                }
            },
        };
        let is_ours = match role {
            Role::Seal => EncapsulationKey::try_from(document).is_ok(),
            Role::Open => DecapsulationKey::try_from(document).is_ok(),
            Role::Verify => VerifyingKey::try_from(document).is_ok(),
            Role::Sign => SigningKey::try_from(document).is_ok(),
        };
        found.form = form(document).unwrap_or("in another encoding");
        Ok((!is_ours).then_some(found))
    }

    fn of_kem(key: &EncapsulationKey) -> Self {
        let suite = key.suite();
        Self {
            form: "",
            is_importable: true,
            suite: (suite.name(), suite.id()),
            key_id: key.key_id(),
        }
    }

    fn of_signing(key: &VerifyingKey) -> Self {
        let suite = key.suite();
        Self {
            form: "",
            is_importable: true,
            suite: (suite.name(), suite.id()),
            key_id: key.key_id(),
        }
    }

    /// What to do with it.
    pub(crate) fn advice(&self) -> &'static str {
        match self.is_importable {
            true => IMPORT,
            false => {
                "no seed can be computed from it; export it with its seed, or use it through the library"
            }
        }
    }
}

const EXPANDED: &str = "expanded, without its seed";

/// One document as a text of its own. It may be secret, so the buffer does not grow.
fn text_of(document: PemDocument<'_>) -> Zeroizing<String> {
    let (label, body) = (document.label(), document.body());
    let parts = ["-----BEGIN ", label, "-----\n", body, "\n-----END ", label, "-----\n"];
    let mut text = Zeroizing::new(String::with_capacity(parts.iter().map(|it| it.len()).sum()));
    parts.iter().for_each(|part| text.push_str(part));
    text
}

/// What about a good key differs from twinseal's own form.
fn form(document: PemDocument<'_>) -> Option<&'static str> {
    if document.label().starts_with("TWINSEAL ") {
        return Some("as an earlier twinseal wrote it");
    }
    let content = document.decode().ok()?;
    let fields = parts(AnyRef::from_der(&content).ok()?)?;
    let tags: Vec<Tag> = fields.iter().map(Tagged::tag).collect();
    Some(match tags.as_slice() {
        [Sequence, BitString] => "SPKI with a compressed point",
        [Integer, Sequence, OctetString] if has_point(fields.last()?.value()) => {
            "PKCS#8 with the public key of its P-384 half"
        }
        [Integer, Sequence, OctetString] => "PKCS#8 with its halves in another encoding",
        [Integer, Sequence, OctetString, ..] if fields.first()?.value() == [0] => {
            "PKCS#8 with attributes"
        }
        [Integer, Sequence, OctetString, ..] => "PKCS#8 with its public key",
        _ => return None,
    })
}

/// Whether the `ECPrivateKey` behind the seed of the post-quantum half has its public key.
fn has_point(private_key: &[u8]) -> bool {
    let after = |seed| parts(AnyRef::from_der(private_key.get(seed..)?).ok()?);
    let ec_private_key = [32, 64].into_iter().find_map(after).unwrap_or_default();
    let has_number_1 =
        |field: &AnyRef<'_>| field.tag().is_context_specific() && field.tag().number().value() == 1;
    ec_private_key.iter().any(has_number_1)
}
