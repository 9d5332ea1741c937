//! The keys of a store as bytes: who may read, with which keys, and what was before.

#![warn(clippy::indexing_slicing)] // a length that the bytes themselves claim is never an index

use std::{collections::BTreeMap, fmt};

use sha2::{Digest, Sha384, Sha512};
use zeroize::Zeroizing;

use super::id::StoreId;
use crate::{
    constants,
    envelope::Recipients,
    error::{Error, StoreRefusal},
    kem::{EncapsulationKey, KemSuite},
    key_id::KeyId,
    secret::SecretBuffer,
    sign::{Sign, Signature, SignatureSuite, VerifyingKey, sign_checked},
    wire,
};

/// The greatest serial. The history of a keys object before it then has 3 MiB.
pub(super) const LAST_SERIAL: u32 = 65536;

const MALFORMED: Error = Error::Store(StoreRefusal::Malformed);

pub(super) type StoreKey = Zeroizing<[u8; 32]>;
pub(super) type Fingerprint = [u8; 48];

/// The content of one keys object.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) store_id: StoreId,
    pub(super) serial: u32,
    /// The fingerprints of keys objects 1, 2 and so on, up to the one before this.
    pub(super) history: Vec<Fingerprint>,
    /// By suite and key id, as in an envelope's header.
    pub(super) recipients: Vec<EncapsulationKey>,
    /// By the serial that began each.
    pub(super) epochs: BTreeMap<u32, StoreKey>,
}

/// A keys object that its owner signed.
#[derive(Clone, Debug)]
pub(super) struct SignedKeys {
    pub(super) keys: Keys,
    pub(super) fingerprint: Fingerprint,
}

impl Keys {
    /// Signs and encodes them.
    pub(super) fn sign(
        &self,
        owner: &dyn Sign,
        context: &[u8],
    ) -> Result<(SecretBuffer, Fingerprint), Error> {
        let public = owner.verifying_key();
        let mut bytes = self.encode(public);
        let fingerprint = Sha384::digest(&*bytes).into();
        let signature = sign_checked(
            owner,
            public,
            constants::STORE_SIGNATURE_CONTEXT,
            &digest(&bytes, public, context),
        )?;
        bytes.extend_from_slice(signature.as_bytes());
        Ok((bytes, fingerprint))
    }

    /// All before the signature. It holds the store's keys, so it is never reallocated.
    fn encode(&self, owner: &VerifyingKey) -> SecretBuffer {
        let recipients: usize = self.recipients.iter().map(|key| 2 + key.as_bytes().len()).sum();
        let epochs = self.epochs.len() * EPOCH;
        let signer = 2 + KeyId::LEN;
        let signed = START + self.history.len() * 48 + 2 + recipients + 4 + epochs + signer;
        let signature = owner.suite().max_signature_len();
        let mut bytes = SecretBuffer::with_capacity(signed + signature);

        bytes.extend_from_slice(constants::STORE_KEYS_MAGIC);
        bytes.extend_from_slice(&[constants::STORE_KEYS_VERSION]);
        bytes.extend_from_slice(self.store_id.as_bytes());
        bytes.extend_from_slice(&self.serial.to_be_bytes());
        bytes.extend_from_slice(self.history.as_flattened());
        let count = u16::try_from(self.recipients.len()).expect("there are at most 1000");
        bytes.extend_from_slice(&count.to_be_bytes());
        for key in &self.recipients {
            bytes.extend_from_slice(&key.suite().id().to_be_bytes());
            bytes.extend_from_slice(key.as_bytes());
        }
        let count = u32::try_from(self.epochs.len()).expect("there are at most 65536");
        bytes.extend_from_slice(&count.to_be_bytes());
        for (epoch, key) in &self.epochs {
            bytes.extend_from_slice(&epoch.to_be_bytes());
            bytes.extend_from_slice(&**key);
        }
        bytes.extend_from_slice(&owner.suite().id().to_be_bytes());
        bytes.extend_from_slice(owner.key_id().as_bytes());
        debug_assert_eq!(bytes.len(), signed);
        bytes
    }

    /// Begins an epoch, which is named by the serial.
    pub(super) fn begin_epoch(&mut self, key: StoreKey) {
        self.epochs.insert(self.serial, key);
    }

    /// The epoch of what is written now. There is always one.
    pub(super) fn newest_epoch(&self) -> u32 {
        self.epochs.last_key_value().map_or(self.serial, |(epoch, _)| *epoch)
    }

    /// The recipients, to seal to.
    pub(super) fn to_recipients(&self) -> Result<Recipients, Error> {
        Recipients::new(&self.recipients)
    }
}

/// What the owner signs: all that precedes the signature, his whole key, and the context.
fn digest(signed: &[u8], owner: &VerifyingKey, context: &[u8]) -> [u8; 64] {
    Sha512::new()
        .chain_update(signed)
        .chain_update(owner.as_bytes())
        .chain_update(context)
        .finalize()
        .into()
}

/// Magic, version, store id, serial.
const START: usize = 8 + 1 + StoreId::LEN + 4;
/// Its number, and its key.
const EPOCH: usize = 4 + 32;

/// The fields of a keys object, of which nothing is trusted yet except their lengths.
struct Fields<'a> {
    store_id: StoreId,
    serial: u32,
    history: &'a [u8],
    recipients: Vec<(KemSuite, &'a [u8])>,
    epochs: &'a [u8],
    owner: (SignatureSuite, KeyId),
    signed: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Fields<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = wire::Reader::new("store keys", bytes);
        let magic = reader.take(constants::STORE_KEYS_MAGIC.len())?;
        if magic != constants::STORE_KEYS_MAGIC {
            return Err(MALFORMED);
        }
        match reader.u8()? {
            constants::STORE_KEYS_VERSION => {}
            other => return Err(Error::Unknown { what: "store keys version", id: other.into() }),
        }
        let store_id = StoreId::from_bytes(reader.array()?);
        let serial = u32::from_be_bytes(reader.array()?);
        if !(1..=LAST_SERIAL).contains(&serial) {
            return Err(MALFORMED);
        }
        let history = reader.take((serial as usize - 1) * 48)?;
        let count = usize::from(reader.u16()?);
        if !(1..=constants::MAX_RECIPIENTS).contains(&count) {
            return Err(MALFORMED);
        }
        let mut recipients = Vec::with_capacity(count);
        for _ in 0..count {
            let suite = KemSuite::from_id(reader.u16()?)?;
            recipients.push((suite, reader.take(suite.encapsulation_key_len())?));
        }
        let count = u32::from_be_bytes(reader.array()?);
        if !(1..=serial).contains(&count) {
            return Err(MALFORMED);
        }
        let epochs = reader.take(count as usize * EPOCH)?;
        let owner = (SignatureSuite::from_id(reader.u16()?)?, KeyId::from_bytes(reader.array()?));
        let signed = reader.taken();
        let signature = reader.rest();
        Ok(Self { store_id, serial, history, recipients, epochs, owner, signed, signature })
    }

    fn verify(&self, owner: &VerifyingKey, context: &[u8]) -> Result<(), Error> {
        let refused = |_| Error::Store(StoreRefusal::Owner);
        if self.owner != (owner.suite(), owner.key_id()) {
            return Err(Error::Store(StoreRefusal::Owner));
        }
        let signature = Signature::from_bytes(owner.suite(), self.signature).map_err(refused)?;
        let digest = digest(self.signed, owner, context);
        owner
            .verify_prehashed(constants::STORE_SIGNATURE_CONTEXT, &digest, &signature)
            .map_err(refused)
    }

    fn into_keys(self) -> Result<Keys, Error> {
        let order = |key: &EncapsulationKey| (key.suite().id(), key.key_id());
        let mut recipients: Vec<EncapsulationKey> = Vec::with_capacity(self.recipients.len());
        for (suite, bytes) in self.recipients {
            let key = EncapsulationKey::from_bytes(suite, bytes).map_err(|_| MALFORMED)?;
            if recipients.last().is_some_and(|last| order(last) >= order(&key)) {
                return Err(MALFORMED);
            }
            recipients.push(key);
        }
        let mut epochs = BTreeMap::new();
        for bytes in self.epochs.as_chunks::<EPOCH>().0 {
            let (epoch, key) = bytes.split_first_chunk::<4>().ok_or(MALFORMED)?;
            let epoch = u32::from_be_bytes(*epoch);
            let after = epochs.last_key_value().map_or(0, |(last, _)| *last);
            if epoch <= after || epoch > self.serial {
                return Err(MALFORMED);
            }
            epochs.insert(epoch, Zeroizing::new(wire::array("store key", key)?));
        }
        Ok(Keys {
            store_id: self.store_id,
            serial: self.serial,
            history: self.history.as_chunks::<48>().0.to_vec(),
            recipients,
            epochs,
        })
    }
}

impl SignedKeys {
    /// Reads keys that were found under a name, after their envelope was opened. The signature is verified before
    /// anything else is believed.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] with [`Owner`](StoreRefusal::Owner), [`Misplaced`](StoreRefusal::Misplaced) or
    /// [`Malformed`](StoreRefusal::Malformed).
    pub(super) fn parse(
        bytes: &[u8],
        name: u32,
        owner: &VerifyingKey,
        context: &[u8],
    ) -> Result<Self, Error> {
        let fields = Fields::parse(bytes).map_err(|error| match error {
            Error::Truncated { .. } => MALFORMED,
            other => other,
        })?;
        fields.verify(owner, context)?;
        if fields.serial != name {
            return Err(Error::Store(StoreRefusal::Misplaced));
        }
        let fingerprint = Sha384::digest(fields.signed).into();
        Ok(Self { keys: fields.into_keys()?, fingerprint })
    }

    /// The fingerprint of the keys object with a serial up to this one's.
    pub(super) fn fingerprint_of(&self, serial: u32) -> Option<&Fingerprint> {
        if serial == self.keys.serial {
            return Some(&self.fingerprint);
        }
        self.keys.history.get(usize::try_from(serial.checked_sub(1)?).ok()?)
    }

    /// The history of the keys object that follows.
    pub(super) fn history(&self) -> Vec<Fingerprint> {
        let mut history = self.keys.history.clone();
        history.push(self.fingerprint);
        history
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("store_id", &self.store_id)
            .field("serial", &self.serial)
            .field("recipients", &self.recipients)
            .field("epochs", &self.epochs.keys())
            .finish_non_exhaustive()
    }
}
