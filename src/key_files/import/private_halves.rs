//! The content of a private key: a post-quantum half in any of its forms, then the P-384 half.

use pkcs8::der::{
    self, Reader, SliceReader,
    asn1::{AnyRef, OctetStringRef},
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{ec_private_key::EcPrivateKey, private_info::tagged};
use crate::{error::Error, provider};

/// The two halves of a composite private key.
pub(super) struct PrivateHalves<'a> {
    pub(super) post_quantum: PostQuantum<'a>,
    pub(super) traditional: EcPrivateKey<'a>,
}

/// A private key of ML-KEM or ML-DSA.
pub(super) enum PostQuantum<'a> {
    Seed(&'a [u8]),
    /// As FIPS 203 and FIPS 204 encode it. It cannot be turned back into a seed.
    Expanded(&'a [u8]),
    SeedAndExpanded {
        seed: &'a [u8],
        expanded: &'a [u8],
    },
}

type Expand = fn(&[u8]) -> Result<Zeroizing<Vec<u8>>, Error>;

/// What a post-quantum half is like in all its forms.
pub(super) struct Scheme {
    /// The name of the whole key in errors.
    pub(super) what: &'static str,
    seed: usize,
    expanded: usize,
    expand: Expand,
    /// The errors for keys without a seed and for keys that are nothing of this.
    expanded_only: &'static str,
    unknown: &'static str,
}

pub(super) const ML_KEM_1024: Scheme = Scheme {
    what: "decapsulation key",
    seed: 64,
    expanded: 3168,
    expand: |seed| Ok(provider::expand_ml_kem_1024(seed)?.1),
    expanded_only: "its ML-KEM half is only the expanded form; export the key with its seed",
    unknown: "it is neither a seed (32 bytes), nor an ML-KEM seed (64) and a P-384 key (RFC 5915, or 48)",
};

pub(super) const ML_DSA_87: Scheme = Scheme {
    what: "signing key",
    seed: 32,
    expanded: 4896,
    expand: |seed| Ok(provider::expand_ml_dsa_87(seed)?.1),
    expanded_only: "its ML-DSA half is only the expanded form, which has no key file here; \
                    import_expanded loads it, or export the key with its seed",
    unknown: "it is not an ML-DSA seed (32 bytes) and a P-384 key (RFC 5915, or 48)",
};

/// Whether this is the reason of an error about a key that has no seed.
pub(super) fn is_without_seed(reason: &str) -> bool {
    [ML_KEM_1024, ML_DSA_87].iter().any(|scheme| scheme.expanded_only == reason)
}

impl<'a> PrivateHalves<'a> {
    /// Splits the key. No key reads in two ways: every form of the first half has one place where the second
    /// begins, and no two of these leave lengths that the second can both have.
    pub(super) fn read(scheme: &Scheme, key: &'a [u8]) -> Result<Self, Error> {
        let mut error = Error::Invalid { what: scheme.what, reason: scheme.unknown };
        for (post_quantum, rest) in PostQuantum::candidates(scheme, key).into_iter().flatten() {
            match EcPrivateKey::read(rest) {
                Ok(traditional) => return Ok(Self { post_quantum, traditional }),
                Err(reason) if EcPrivateKey::looks_like(rest) => error = reason,
                Err(_) => {}
            }
        }
        Err(error)
    }

    /// The seed of the first half, after its expanded form, if that is there too, was compared.
    pub(super) fn seed(&self, scheme: &Scheme) -> Result<&'a [u8], Error> {
        let invalid = |reason| Error::Invalid { what: scheme.what, reason };
        match self.post_quantum {
            PostQuantum::Seed(seed) => Ok(seed),
            PostQuantum::Expanded(_) => Err(invalid(scheme.expanded_only)),
            PostQuantum::SeedAndExpanded { seed, expanded } => {
                if (scheme.expand)(seed)?.ct_eq(expanded).into() {
                    Ok(seed)
                } else {
                    Err(invalid("its expanded form is not that of its seed"))
                }
            }
        }
    }
}

impl<'a> PostQuantum<'a> {
    /// Every reading of the key's start, with the rest: bare octets, and the alternatives of RFC 9881 §6 and
    /// RFC 9935 §6 (`[0] seed`, `OCTET STRING`, and a SEQUENCE of both).
    fn candidates(scheme: &Scheme, key: &'a [u8]) -> [Option<(Self, &'a [u8])>; 5] {
        let bare = |length| key.split_at_checked(length);
        let is = |length| move |value: &&[u8]| value.len() == length;
        let tagged = |tag, length| {
            let mut reader = SliceReader::new(key).ok()?;
            let value = tagged(&mut reader, tag).ok()?.filter(is(length))?;
            Some((value, rest(key, &reader)?))
        };
        let both = || {
            let mut reader = SliceReader::new(key).ok()?;
            let (seed, expanded) = reader.decode::<AnyRef<'a>>().ok()?.sequence(octets).ok()?;
            let (seed, expanded) =
                (Some(seed).filter(is(scheme.seed))?, Some(expanded).filter(is(scheme.expanded))?);
            Some((Self::SeedAndExpanded { seed, expanded }, rest(key, &reader)?))
        };
        let seed = |(seed, rest)| (Self::Seed(seed), rest);
        let expanded = |(expanded, rest)| (Self::Expanded(expanded), rest);
        [
            bare(scheme.seed).map(seed),
            tagged(0x80, scheme.seed).map(seed),
            bare(scheme.expanded).map(expanded),
            tagged(0x04, scheme.expanded).map(expanded),
            both(),
        ]
    }
}

/// Two OCTET STRINGs.
fn octets<'a>(parts: &mut SliceReader<'a>) -> der::Result<(&'a [u8], &'a [u8])> {
    let mut next = || parts.decode::<&OctetStringRef>().map(OctetStringRef::as_bytes);
    Ok((next()?, next()?))
}

/// The bytes that the reader has not read.
fn rest<'a>(bytes: &'a [u8], reader: &SliceReader<'a>) -> Option<&'a [u8]> {
    let position = usize::try_from(reader.position()).ok()?;
    bytes.get(position..)
}
