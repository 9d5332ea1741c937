//! Which bytes is a sealed store made of, by SPEC.md's steps?

use sha2::{Digest, Sha384, Sha512};
use twinseal::{
    DecapsulationKey, EncapsulationKey, Signature, SigningKey, VerifyingKey, envelope::Header,
    hazmat,
};

use super::{
    blocks::Block,
    compute::{Computed, DEFAULT, P384, hkdf, spec_kem_key, spec_signing_key},
    envelopes::{cobblestone_keys, pattern, seal},
    requests::body,
};

const SEALED_IN: &[u8] = b"twinseal/store-keys/v1";
const SIGNED_IN: &[u8] = b"twinseal/store/v1";

/// The content of a keys object.
pub(crate) struct Keys {
    pub(crate) store_id: [u8; 16],
    /// The fingerprints of all keys objects before this one.
    pub(crate) history: Vec<[u8; 48]>,
    /// In the order of a header.
    pub(crate) recipients: Vec<EncapsulationKey>,
    pub(crate) epochs: Vec<(u32, [u8; 32])>,
}

impl Keys {
    /// All before the signature.
    pub(crate) fn signed(&self, owner: &VerifyingKey) -> Vec<u8> {
        let serial = u32::try_from(self.history.len() + 1).unwrap();
        let mut bytes = [b"twinstor\x01", &self.store_id[..], &serial.to_be_bytes()].concat();
        bytes.extend(self.history.concat());
        bytes.extend(u16::try_from(self.recipients.len()).unwrap().to_be_bytes());
        for key in &self.recipients {
            bytes.extend([&key.suite().id().to_be_bytes()[..], key.as_bytes()].concat());
        }
        bytes.extend(u32::try_from(self.epochs.len()).unwrap().to_be_bytes());
        for (epoch, key) in &self.epochs {
            bytes.extend([&epoch.to_be_bytes()[..], key].concat());
        }
        bytes.extend([&owner.suite().id().to_be_bytes()[..], owner.key_id().as_bytes()].concat());
        bytes
    }
}

/// What the owner signs.
pub(crate) fn signed_sha512(signed: &[u8], owner: &VerifyingKey, context: &[u8]) -> [u8; 64] {
    Sha512::digest([signed, owner.as_bytes(), context].concat()).into()
}

pub(crate) fn signature(signed: &[u8], owner: &SigningKey, context: &[u8]) -> Signature {
    let digest = signed_sha512(signed, owner.verifying_key(), context);
    hazmat::sign_prehashed(owner, SIGNED_IN, &digest).unwrap()
}

/// The sealed keys object with this plaintext.
pub(crate) fn keys_object(
    keys: &[&DecapsulationKey],
    encapsulations: &[&[u8]],
    content_key: &[u8],
    salt: &[u8],
    plaintext: &[u8],
) -> Vec<u8> {
    // A header depends neither on the context nor on the body.
    let envelope = seal(keys, encapsulations, content_key, salt, b"example.com", b"");
    let header = &envelope[..Header::parse(&envelope).unwrap().len()];
    [header, &body(&body_key(content_key), salt, SEALED_IN, plaintext)].concat()
}

fn body_key(content_key: &[u8]) -> [u8; 32] {
    let keys: [u8; 80] = hkdf(content_key, &[b"twinseal/envelope/v1", &[0x01, 0x01]]);
    *keys.last_chunk().unwrap()
}

/// The plaintext of a keys object whose content key is known.
#[cfg(feature = "object_store")]
pub(crate) fn open_keys_object(content_key: &[u8], body: &[u8]) -> Vec<u8> {
    let key = body_key(content_key);
    let provider = &twinseal::provider::PORTABLE;
    hazmat::cobblestone_open(provider, &key, SEALED_IN, body).unwrap().to_vec()
}

pub(crate) fn input_key(store_key: &[u8], store_id: &[u8], epoch: u32) -> [u8; 32] {
    hkdf(store_key, &[b"twinseal/object/v1", store_id, &epoch.to_be_bytes()])
}

/// The context of an object's body.
pub(crate) fn bound(context: &[u8], path: &str) -> Vec<u8> {
    [&[u8::try_from(context.len()).unwrap()], context, path.as_bytes()].concat()
}

pub(crate) fn object(
    input_key: &[u8],
    epoch: u32,
    salt: &[u8],
    context: &[u8],
    path: &str,
    plaintext: &[u8],
) -> Vec<u8> {
    let body = body(input_key, salt, &bound(context, path), plaintext);
    [b"twinobjt\x01", &epoch.to_be_bytes()[..], &body].concat()
}

/// The two keys objects of the vectors' store.
pub(crate) fn compute_store_keys(block: &mut Computed<'_>) {
    let context = block.input("context");
    let store_id = block.input("store_id").try_into().unwrap();
    let store_keys = ["store_key_1", "store_key_2"].map(|name| block.input(name));
    let contents = ["content_key_1", "content_key_2"].map(|name| block.input(name));
    let salts = ["salt_1", "salt_2"].map(|name| block.input(name));

    let owner = spec_signing_key();
    let readers = [spec_kem_key(DEFAULT), spec_kem_key(P384)];
    let kems = ["kem-0001", "kem-0051"].map(Block::read);
    let mut keys = Keys { store_id, history: vec![], recipients: vec![], epochs: vec![] };
    for index in 0..2 {
        let number = u32::try_from(index + 1).unwrap();
        keys.recipients.push(readers[index].encapsulation_key().clone());
        keys.epochs.push((number, store_keys[index][..].try_into().unwrap()));
        let signed = keys.signed(owner.verifying_key());
        let fingerprint = Sha384::digest(&signed);
        let signature = signature(&signed, &owner, &context);
        let plaintext = [&signed, signature.as_bytes()].concat();
        let to: Vec<_> = readers[..=index].iter().collect();
        let randomness: Vec<_> = kems[..=index].iter().map(|kem| kem.get("randomness")).collect();
        let sealed = keys_object(&to, &randomness, &contents[index], &salts[index], &plaintext);

        let digest = signed_sha512(&signed, owner.verifying_key(), &context);
        block.output(&format!("fingerprint_{number}"), &fingerprint);
        block.output(&format!("signed_sha512_{number}"), &digest);
        block.output(&format!("signature_{number}"), signature.as_bytes());
        let length = u32::try_from(sealed.len()).unwrap();
        block.output(&format!("keys_{number}_length"), &length.to_be_bytes());
        block.output(&format!("keys_{number}_sha384"), &Sha384::digest(&sealed));
        keys.history.push(fingerprint.into());
    }
}

/// Objects of that store, at one path.
pub(crate) fn compute_store_objects(block: &mut Computed<'_>) {
    let path = String::from_utf8(block.input("path")).unwrap();
    let plaintext = block.input("plaintext");
    let salt = block.input("salt");
    let store = Block::read("store-keys");
    let (context, id) = (store.get("context"), store.get("store_id"));

    let first = input_key(store.get("store_key_1"), id, 1);
    block.output("input_key_1", &first);
    block.output("bound", &bound(context, &path));
    let derived = cobblestone_keys(&first, &salt, &bound(context, &path));
    block.output("chunk_key", &derived[..32]);
    block.output("base_nonce", &derived[32..44]);
    block.output("commitment", &derived[44..]);
    block.output("object_1", &object(&first, 1, &salt, context, &path, &plaintext));
    block.output("object_1_empty", &object(&first, 1, &salt, context, &path, b""));
    for length in [16383, 16384, 16385] {
        let sealed = object(&first, 1, &salt, context, &path, &pattern(length));
        block.output(&format!("object_1_sha384_{length}"), &Sha384::digest(&sealed));
    }
    let second = input_key(store.get("store_key_2"), id, 2);
    block.output("input_key_2", &second);
    block.output("object_2", &object(&second, 2, &salt, context, &path, &plaintext));
}
