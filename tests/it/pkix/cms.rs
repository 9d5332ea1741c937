//! Are CMS messages for our keys, as RFC 9629 and RFC 5652 have them, read with a secret that we decapsulate?
//!
//! Everything but the decapsulation is calculated here.

use aes::{
    Aes128, Aes256, Block,
    cipher::{BlockCipherDecrypt, KeyInit},
};
use hkdf::Hkdf;
use sha2::Sha256;
use twinseal::{DecapsulationKey, kem::Ciphertext, provider::PORTABLE};

use super::{changed, kem::MAKERS, vectors};
use crate::common::{der::tlv, keys::P384};

const MESSAGES: [&str; 4] = [
    "kemri_id-alg-hkdf-with-sha256.der",
    "kemri_id-alg-hkdf-with-sha256_ukm.der",
    "kemri_auth_id-alg-hkdf-with-sha256.der",
    "kemri_auth_id-alg-hkdf-with-sha256_ukm.der",
];

const EVERY_CONTENT: &[u8] = b"abc";

/// A message that its maker wrote: exactly these fields in exactly this order.
#[derive(Clone)]
struct Message<'a> {
    kem_ciphertext: &'a [u8],
    /// The content of the DER `INTEGER`.
    kek_length: &'a [u8],
    /// A DER `OCTET STRING`.
    keying_material: Option<&'a [u8]>,
    /// A DER `AlgorithmIdentifier`.
    wrap: Vec<u8>,
    wrapped_key: &'a [u8],
    /// The initialization vector of CBC, the nonce of GCM.
    iv: &'a [u8],
    encrypted: &'a [u8],
    /// Only of authenticated messages.
    tag: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut info = Fields(Fields(der).only(0x30)?);
        info.next(0x06)?;
        let mut enveloped = Fields(Fields(info.last(0xa0)?).only(0x30)?);
        enveloped.next(0x02)?;
        let mut other = Fields(Fields(enveloped.next(0x31)?).only(0xa4)?);
        let mut content = Fields(enveloped.next(0x30)?);
        let tag = if enveloped.0.is_empty() { None } else { Some(enveloped.last(0x04)?) };

        other.next(0x06)?;
        let mut recipient = Fields(other.last(0x30)?);
        recipient.next(0x02)?;
        recipient.next(0x80)?; // the subject key identifier
        recipient.next(0x30)?;
        let kem_ciphertext = recipient.next(0x04)?;
        recipient.next(0x30)?;
        let kek_length = recipient.next(0x02)?;
        let keying_material = recipient.next(0xa0);
        let wrap = tlv(0x30, &[recipient.next(0x30)?]);
        let wrapped_key = recipient.last(0x04)?;

        content.next(0x06)?;
        let mut cipher = Fields(content.next(0x30)?);
        cipher.next(0x06)?;
        let iv = match tag {
            None => cipher.last(0x04)?,
            Some(_) => Fields(cipher.last(0x30)?).next(0x04)?,
        };
        let encrypted = content.last(0x80)?;
        Some(Self {
            kem_ciphertext,
            kek_length,
            keying_material,
            wrap,
            wrapped_key,
            iv,
            encrypted,
            tag,
        })
    }

    /// The content, if everything that has to match does.
    fn open(&self, key: &DecapsulationKey) -> Option<Vec<u8>> {
        let ciphertext = Ciphertext::from_bytes(P384, self.kem_ciphertext).ok()?;
        let secret = key.decapsulate(&ciphertext).ok()?;
        let keying_material = self.keying_material.map(|ukm| tlv(0xa0, &[ukm]));
        // CMSORIforKEMOtherInfo of RFC 9629 §5.
        let info = tlv(
            0x30,
            &[&self.wrap, &tlv(0x02, &[self.kek_length]), &keying_material.unwrap_or_default()],
        );
        let mut kek = vec![0; usize::from(*self.kek_length.first()?)];
        Hkdf::<Sha256>::new(None, secret.as_bytes()).expand(&info, &mut kek).ok()?;
        match self.tag {
            None => {
                let key = unwrap(&Aes128::new_from_slice(&kek).ok()?, self.wrapped_key)?;
                decrypt_cbc(&Aes128::new_from_slice(&key).ok()?, self.iv, self.encrypted)
            }
            Some(tag) => {
                let key = unwrap(&Aes256::new_from_slice(&kek).ok()?, self.wrapped_key)?;
                let key = PORTABLE.aes_256_gcm.key(&key.try_into().ok()?).ok()?;
                let (nonce, tag) = (self.iv.try_into().ok()?, tag.try_into().ok()?);
                let mut content = self.encrypted.to_vec();
                key.open_in_place(nonce, b"", &mut content, tag).ok()?;
                Some(content)
            }
        }
    }
}

/// The rest of a sequence of DER values.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The content of the next value, if it has this tag.
    fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (length, rest) = match *self.0 {
            [first, short @ 0..=0x7f, ref rest @ ..] if first == tag => (usize::from(short), rest),
            [first, 0x81, length, ref rest @ ..] if first == tag => (usize::from(length), rest),
            [first, 0x82, high, low, ref rest @ ..] if first == tag => {
                (usize::from(u16::from_be_bytes([high, low])), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    /// The content of the next value, which must be the last.
    fn last(&mut self, tag: u8) -> Option<&'a [u8]> {
        let content = self.next(tag)?;
        self.0.is_empty().then_some(content)
    }

    fn only(mut self, tag: u8) -> Option<&'a [u8]> {
        self.last(tag)
    }
}

/// RFC 3394 §2.2.2.
fn unwrap(
    cipher: &impl BlockCipherDecrypt<BlockSize = aes::cipher::consts::U16>,
    wrapped: &[u8],
) -> Option<Vec<u8>> {
    let (start, rest) = wrapped.split_at_checked(8)?;
    let mut start: [u8; 8] = start.try_into().ok()?;
    let mut key = rest.to_vec();
    let count = key.len() / 8;
    for round in (0..6).rev() {
        for index in (0..count).rev() {
            let place = 8 * index..8 * index + 8;
            let step = (round * count + index + 1) as u64;
            let mut block = Block::default();
            let mixed = (u64::from_be_bytes(start) ^ step).to_be_bytes();
            block[..8].copy_from_slice(&mixed);
            block[8..].copy_from_slice(&key[place.clone()]);
            cipher.decrypt_block(&mut block);
            start.copy_from_slice(&block[..8]);
            key[place].copy_from_slice(&block[8..]);
        }
    }
    (start == [0xa6; 8]).then_some(key)
}

/// One block in CBC mode, without its padding.
fn decrypt_cbc(cipher: &Aes128, iv: &[u8], encrypted: &[u8]) -> Option<Vec<u8>> {
    let mut block = Block::try_from(encrypted).ok()?;
    cipher.decrypt_block(&mut block);
    let mut padded: Vec<u8> = block.iter().zip(iv).map(|(byte, mask)| byte ^ mask).collect();
    let padding = usize::from(*padded.last()?);
    let content = padded.len().checked_sub(padding)?;
    let is_padding = padded[content..].iter().all(|byte| usize::from(*byte) == padding);
    padded.truncate(content);
    is_padding.then_some(padded)
}

/// The name of a message, and its bytes.
type Named = (&'static str, Vec<u8>);

/// The messages, and the key that they are for.
fn messages() -> Option<(DecapsulationKey, [Named; 4])> {
    let vectors = vectors()?;
    let maker = MAKERS.into_iter().find(|maker| maker.starts_with("carl-redhound/cms/"))?;
    let private = vectors.read(&format!("{maker}_priv.der"));
    let read = |name| (name, vectors.read(&format!("{maker}_{name}")));
    Some((DecapsulationKey::from_pkcs8_der(&private).unwrap(), MESSAGES.map(read)))
}

#[test]
fn messages_open() {
    let Some((key, messages)) = messages() else { return };
    for (name, der) in messages {
        let message = Message::read(&der).expect("its form is known");
        let content = message.open(&key);
        assert_eq!(content.as_deref(), Some(EVERY_CONTENT), "{name}");
    }
}

/// The key that is wrapped is authenticated by the shared secret.
#[test]
fn changed_messages_do_not_open() {
    let Some((key, messages)) = messages() else { return };
    for (name, der) in messages {
        let message = Message::read(&der).expect("its form is known");
        for kem_ciphertext in changed(message.kem_ciphertext) {
            let changed = Message { kem_ciphertext: &kem_ciphertext, ..message.clone() };
            assert_eq!(changed.open(&key), None, "{name}");
        }
    }
}
