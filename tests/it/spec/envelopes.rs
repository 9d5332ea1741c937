//! Does the crate seal the envelopes that SPEC.md's steps give?

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha384, Sha512};
use twinseal::{
    DecapsulationKey, Error, Recipients,
    envelope::Header,
    hazmat::{self, SealRandomness},
    kem::SharedSecret,
    provider::PORTABLE,
};

use super::{
    blocks::Block,
    compute::{Computed, DEFAULT, P384, hkdf, spec_kem_key},
};

fn hmac_sha512(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mac = Hmac::<Sha512>::new_from_slice(key).unwrap();
    let mac = mac.chain_update(parts.concat());
    mac.finalize().into_bytes().to_vec()
}

/// HKDF-Expand over HMAC-SHA512, two blocks of it.
pub(crate) fn cobblestone_keys(body_key: &[u8], salt: &[u8], context: &[u8]) -> Vec<u8> {
    let label = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";
    let first = hmac_sha512(body_key, &[label, salt, context, &[1]]);
    let second = hmac_sha512(body_key, &[&first, label, salt, context, &[2]]);
    [first, second].concat()[..76].to_vec()
}

/// VECTORS.md's long plaintexts.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

pub(crate) fn seal(
    keys: &[&DecapsulationKey],
    encapsulations: &[&[u8]],
    content_key: &[u8],
    salt: &[u8],
    context: &[u8],
    plaintext: &[u8],
) -> Vec<u8> {
    let recipients = Recipients::new(keys.iter().map(|key| key.encapsulation_key())).unwrap();
    let randomness = SealRandomness {
        content_key: content_key.try_into().unwrap(),
        salt: salt.try_into().unwrap(),
        encapsulations,
    };
    let sealed = hazmat::seal(&recipients, context, plaintext, &randomness).unwrap();
    let length = recipients.sealed_len(plaintext.len() as u64);
    assert_eq!(length, Some(sealed.len() as u64));
    for key in keys {
        assert_eq!(&key.open(context, &sealed).unwrap()[..], plaintext);
    }
    sealed
}

pub(crate) fn compute_envelope_one(block: &mut Computed<'_>) {
    let content_key = block.input("content_key");
    let salt = block.input("salt");
    let context = block.input("context");
    let plaintext = block.input("plaintext");

    let kem = Block::read("kem-0001").recompute();
    let key = spec_kem_key(DEFAULT);
    let ids = [&[0x00, 0x01][..], kem.get("key_id")].concat();
    let wrap: [u8; 44] = hkdf(kem.get("ss"), &[b"twinseal/wrap/v1", &ids]);
    let (wrap_key, wrap_nonce) = wrap.split_at(32);
    block.output("wrap_key", wrap_key);
    block.output("wrap_nonce", wrap_nonce);
    let wrap_aad = [&b"twinseal\x01\x01"[..], &ids].concat();
    block.output("wrap_aad", &wrap_aad);
    let mut wrapped = content_key.clone();
    let aead = PORTABLE.aes_256_gcm.key(wrap_key.try_into().unwrap());
    let tag = aead
        .unwrap()
        .seal_in_place(wrap_nonce.try_into().unwrap(), &wrap_aad, &mut wrapped)
        .unwrap();
    wrapped.extend(tag);
    block.output("wrapped_content_key", &wrapped);

    let keys: [u8; 80] = hkdf(&content_key, &[b"twinseal/envelope/v1", &[0x01, 0x01]]);
    let (header_key, body_key) = keys.split_at(48);
    block.output("header_key", header_key);
    block.output("body_key", body_key);

    let start = b"twinseal\x01\x01\x00\x01";
    let ct = kem.get("ct");
    let length = u16::try_from(ct.len()).unwrap().to_be_bytes();
    let header = [&start[..], &ids, &length, ct, &wrapped].concat();
    let mac = Hmac::<Sha384>::new_from_slice(header_key).unwrap();
    let header_tag = &mac.chain_update(&header).finalize().into_bytes()[..32];
    block.output("header_tag", header_tag);

    let derived = cobblestone_keys(body_key, &salt, &context);
    block.output("chunk_key", &derived[..32]);
    block.output("base_nonce", &derived[32..44]);
    block.output("commitment", &derived[44..]);

    let body_key = body_key.try_into().unwrap();
    let salt_array = salt[..].try_into().unwrap();
    let body =
        hazmat::cobblestone_seal(&PORTABLE, body_key, salt_array, &context, &plaintext).unwrap();
    assert_eq!(body[..24], salt);
    assert_eq!(body[24..56], derived[44..]);
    let sealed = seal(&[&key], &[kem.get("randomness")], &content_key, &salt, &context, &plaintext);
    assert_eq!(sealed, [&header, header_tag, &body].concat());
    block.output("sealed", &sealed);

    let header = Header::parse(&sealed).unwrap();
    let recipient = header.find(key.encapsulation_key()).unwrap();
    let secret = SharedSecret::from_bytes(DEFAULT, kem.get("ss")).unwrap();
    let body_key = header.unlock(&recipient, &secret).unwrap();
    let opened = body_key.open(&context, &sealed[header.len()..]).unwrap();
    assert_eq!(opened[..], plaintext);
}

pub(crate) fn compute_envelope_two(block: &mut Computed<'_>) {
    let content_key = block.input("content_key");
    let salt = block.input("salt");
    let context = block.input("context");
    let plaintext_length = block.input("plaintext_length");
    let length = u16::from_be_bytes(plaintext_length.try_into().unwrap());
    let sealed = seal(
        &[&spec_kem_key(DEFAULT), &spec_kem_key(P384)],
        &[Block::read("kem-0001").get("randomness"), Block::read("kem-0051").get("randomness")],
        &content_key,
        &salt,
        &context,
        &pattern(length.into()),
    );
    let length = u32::try_from(sealed.len()).unwrap();
    block.output("sealed_length", &length.to_be_bytes());
    block.output("sealed_sha384", &Sha384::digest(&sealed));
}

pub(crate) fn compute_envelope_lengths(block: &mut Computed<'_>) {
    let one = Block::read("envelope-one");
    let key = spec_kem_key(DEFAULT);
    for length in [0, 1, 16383, 16384, 16385, 32768] {
        let sealed = seal(
            &[&key],
            &[Block::read("kem-0001").get("randomness")],
            one.get("content_key"),
            one.get("salt"),
            one.get("context"),
            &pattern(length),
        );
        block.output(&format!("sha384_{length}"), &Sha384::digest(&sealed));
    }
}

/// Each is read or refused as its name says.
pub(crate) fn compute_envelope_limits(block: &mut Computed<'_>) {
    let key = spec_kem_key(DEFAULT);
    for (number, length) in
        [(1, 8192), (1000, 4000), (1000, 4126), (1, 8193), (1, 65535), (1000, 4127), (1000, 4200)]
    {
        let mut header = [b"twinseal\x01\x01", &u16::to_be_bytes(number)[..]].concat();
        for recipient in 0..u128::from(number) {
            let length = u16::to_be_bytes(length);
            header.extend([&[0x7f, 0xff][..], &recipient.to_be_bytes(), &length].concat());
            header.resize(header.len() + usize::from(u16::from_be_bytes(length)) + 48, 0);
        }
        header.resize(header.len() + 32, 0);
        let name = match (Header::parse(&header), key.open(b"example.com", &header)) {
            (Ok(_), Err(Error::NotARecipient)) => "read",
            (Err(Error::Invalid { .. }), Err(Error::Invalid { .. })) => "refused",
            other => panic!("{other:?}"),
        };
        block.output(&format!("{name}_{number}_{length}"), &Sha384::digest(&header));
    }
}
