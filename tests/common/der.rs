//! Which DER and PEM do tests build by hand?

/// RFC 5915 `ECPrivateKey` on secp384r1 without its public key.
pub(crate) fn ec_private_key(scalar: &[u8]) -> Vec<u8> {
    let curve = tlv(0x06, &[b"\x2b\x81\x04\x00\x22"]);
    tlv(0x30, &[&tlv(0x02, &[&[1]]), &tlv(0x04, &[scalar]), &tlv(0xa0, &[&curve])])
}

/// A DER value: a tag, the shortest form of the length, and the concatenated content.
pub(crate) fn tlv(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let length = match content.len() {
        short @ 0..=127 => vec![short as u8],
        one @ 128..=255 => vec![0x81, one as u8],
        two => vec![0x82, (two >> 8) as u8, two as u8],
    };
    [&[tag], &length[..], &content].concat()
}

/// The object identifier 1.3.6.1.5.5.7.6.49 in DER: id-MLDSA87-ECDSA-P384-SHA512.
pub(crate) fn composite_oid() -> Vec<u8> {
    tlv(0x06, &[b"\x2b\x06\x01\x05\x05\x07\x06\x31"])
}

/// The object identifier 1.3.6.1.5.5.7.6.63 in DER: id-MLKEM1024-ECDH-P384-SHA3-256.
pub(crate) fn kem_oid() -> Vec<u8> {
    tlv(0x06, &[b"\x2b\x06\x01\x05\x05\x07\x06\x3f"])
}

/// PKCS#8 version 1 without parameters.
pub(crate) fn pkcs8(oid: &[u8], key: &[u8]) -> Vec<u8> {
    pkcs8_of(0, &tlv(0x30, &[oid]), key, b"")
}

/// PKCS#8 of any version, with fields `behind` the key.
pub(crate) fn pkcs8_of(version: u8, algorithm: &[u8], key: &[u8], behind: &[u8]) -> Vec<u8> {
    let version = tlv(0x02, &[&[version]]);
    tlv(0x30, &[&version, algorithm, &tlv(0x04, &[key]), behind])
}

/// `SubjectPublicKeyInfo`.
pub(crate) fn spki(algorithm: &[u8], unused_bits: u8, key: &[u8]) -> Vec<u8> {
    tlv(0x30, &[algorithm, &tlv(0x03, &[&[unused_bits], key])])
}

/// PEM with 64 characters to a line.
pub(crate) fn pem(label: &str, bytes: &[u8]) -> String {
    pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, bytes).expect("it is short")
}
