//! `inspect`: what a file is, without using a key and without showing one.

use std::io::{Chain, Read};

use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, KemSuite, KeyId, Keyring, SecretBuffer, SigningKey,
    VerifyingKey, VerifyingKeyring,
};

use crate::{
    args::Inspect,
    envelope,
    failure::Failure,
    input::Input,
    keys,
    kind::{self, FileKind},
    name::{self, Name},
    output::{Content, Output, Sources},
};

mod inventory;
mod report;
mod retired;

use report::{Entry, Found, Kind};
pub(crate) use retired::{Retired, suite_names};

pub(crate) fn inspect(args: &Inspect) -> Result<(), Failure> {
    let is_standard = name::is_standard(&args.input);
    if args.recursive && is_standard {
        return Err(Failure::usage("--recursive lists a directory, not standard input; name one"));
    }
    if args.recursive {
        return inventory::list(&args.input, args.json, &args.in_use);
    }
    if !is_standard && args.input.is_dir() {
        let advice = "it is a directory; --recursive lists what is in it";
        return Err(Failure::of(&Name::of(&args.input), advice));
    }
    let mut input = Input::open(Some(&args.input))?;
    let name = input.name().clone();
    let length = input.length();
    let found = recognise(&mut input, length, &name)?;
    let report = if args.json { format!("{:#}\n", found.to_json()) } else { found.to_text(&name) };
    Output::create(None, Content::Text, &Sources::default())?.write_whole(report.as_bytes())?;
    if args.in_use.iter().any(|retired| retired.is_in(&found)) {
        return Err(Failure::in_use(
            &name,
            "it uses what --in-use names; rewrap, sign again or remove it",
        ));
    }
    if found.is_cut_off() { Err(envelope::cut_off(&name)) } else { Ok(()) }
}

fn recognise(input: &mut impl Read, length: Option<u64>, name: &Name) -> Result<Found, Failure> {
    let reading = |error: std::io::Error| envelope::failed(error, name);
    // It may be a private key: one buffer that does not grow, and is wiped.
    let limit = length.unwrap_or(keys::MAX_LENGTH).clamp(kind::ENOUGH as u64, keys::MAX_LENGTH);
    let mut bytes = SecretBuffer::with_capacity(limit as usize + 1);
    input.by_ref().take(kind::ENOUGH as u64).read_to_end(bytes.as_mut_vec()).map_err(reading)?;
    if kind::of(&bytes) == FileKind::Sealed {
        let mut whole: Chain<&[u8], _> = bytes.chain(input);
        let (header, _) = envelope::read_header(&mut whole, name)?;
        return Ok(Found::Envelope { header, length });
    }
    input.take(limit - bytes.len() as u64).read_to_end(bytes.as_mut_vec()).map_err(reading)?;
    match kind::of(&bytes) {
        FileKind::Empty => Err(Failure::of(name, "it is empty; fetch or make it again")),
        FileKind::Session => hello_of(&bytes).ok_or_else(|| {
            Failure::of(
                name,
                "it begins as a session does, of another version or cut off; fetch it again",
            )
        }),
        FileKind::Signature(suite) => Ok(Found::Signature { suite, length: bytes.len() }),
        FileKind::Other(what) => {
            Err(Failure::of(name, format_args!("it is {what}; check its name")))
        }
        FileKind::Pem => key_file(&bytes, name),
        FileKind::Sealed | FileKind::Unknown => Err(Failure::of(
            name,
            "it is no sealed file, key, signature or session of twinseal, or a damaged one; check \
             its name, or fetch it again",
        )),
    }
}

fn key_file(bytes: &[u8], name: &Name) -> Result<Found, Failure> {
    let damaged = "it is a damaged key file; fetch it again, or make another key";
    let text = std::str::from_utf8(bytes).map_err(|_| Failure::of(name, damaged))?;
    keys_of(text).map_err(|error| match error {
        Some(Error::PemLabel { found, .. }) => Failure::of(
            name,
            format_args!("it is {}; twinseal reads keys of its own suites", keys::describe(&found)),
        ),
        Some(error) => Failure::of(
            name,
            format_args!("it is a damaged key file, {error}; fetch it again, or make another key"),
        ),
        None => Failure::of(name, damaged),
    })
}

/// `magic (8) || version || suite (2) || KDF (2) || AEAD (2) || flags || key id`.
fn hello_of(bytes: &[u8]) -> Option<Found> {
    let (_, bytes) = bytes.split_first_chunk::<8>()?;
    let (&[1, high, low, _, _, _, _, flags], rest) = bytes.split_first_chunk()? else {
        return None;
    };
    let suite_id = u16::from_be_bytes([high, low]);
    let suite = KemSuite::from_id(suite_id).ok().map(KemSuite::name);
    let key_id = KeyId::from_bytes(*rest.first_chunk()?);
    Some(Found::Hello { signed: flags == 1, recipient: Entry { suite, suite_id, key_id } })
}

type Parser = fn(&str) -> Result<Found, Error>;

/// The keys in PEM. The error is that of a damaged one, if there is any PEM.
fn keys_of(text: &str) -> Result<Found, Option<Error>> {
    let parsers: [Parser; 6] = [
        |text| EncapsulationKey::from_pem(text).map(|key| found(Kind::PublicKem, [&key])),
        |text| {
            DecapsulationKey::from_pem(text)
                .map(|key| found(Kind::PrivateKem, [key.encapsulation_key()]))
        },
        |text| Keyring::from_pem(text).map(|ring| found(Kind::PrivateKem, ring.keys())),
        |text| {
            SigningKey::from_pem(text).map(|key| found(Kind::PrivateSigning, [key.verifying_key()]))
        },
        |text| VerifyingKey::from_pem(text).map(|key| found(Kind::PublicSigning, [&key])),
        |text| VerifyingKeyring::from_pem(text).map(|ring| found(Kind::PublicSigning, ring.keys())),
    ];
    let mut told = None;
    for parse in parsers {
        match parse(text) {
            Ok(found) => return Ok(found),
            // Of a key of this kind, this is what is wrong; of another kind it says nothing.
            Err(error @ Error::PemLabel { .. }) => told = told.or(Some(error)),
            Err(Error::NotPem { .. } | Error::PemCount { .. }) => {}
            Err(error) => told = Some(error),
        }
    }
    Err(told)
}

fn found<'a, Key: Named + 'a>(kind: Kind, keys: impl IntoIterator<Item = &'a Key>) -> Found {
    Found::Keys { kind, keys: keys.into_iter().map(Named::entry).collect() }
}

/// A public key of either kind.
trait Named {
    fn entry(&self) -> Entry;
}

impl Named for EncapsulationKey {
    fn entry(&self) -> Entry {
        let suite = self.suite();
        Entry { suite: Some(suite.name()), suite_id: suite.id(), key_id: self.key_id() }
    }
}

impl Named for VerifyingKey {
    fn entry(&self) -> Entry {
        let suite = self.suite();
        Entry { suite: Some(suite.name()), suite_id: suite.id(), key_id: self.key_id() }
    }
}
