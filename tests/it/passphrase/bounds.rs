//! Is a file with hostile numbers, or encrypted in another way, refused before any work?
//!
//! Doing the work would take gigabytes, for ever, or a panic.

use proptest::prelude::*;
use twinseal::{
    Error, SigningKey,
    passphrase::{PrivateKey, Scrypt, Whose},
};

use super::PASSPHRASE;
use crate::common::{
    der::{pem, tlv},
    errors::{invalid, misuse, outcome},
};

const PBES2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d";
const PBES1: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x03";
const SCRYPT: &[u8] = b"\x2b\x06\x01\x04\x01\xda\x47\x04\x0b";
const PBKDF2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c";
const HMAC: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x02"; // and 7 for SHA-1, 8 for -224, 9 for -256
const AES: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01"; // and 2a for AES-256-CBC
const TRIPLE_DES: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x03\x07";

const KEY: &str = "encrypted private key";
const NUMBERS: &str = "scrypt parameters";
const NOT_DER: &str = "it is not DER of this type";
const NOT_OURS: &str = "it is not encrypted as this crate does it; import_encrypted_pem reads it";
const MEMORY: &str = "it needs more than 256 MiB of memory";

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, parts)
}

fn octets(bytes: &[u8]) -> Vec<u8> {
    tlv(0x04, &[bytes])
}

fn integer(number: u128) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count().min(15);
    let zeros = if bytes[zeros] < 0x80 { zeros } else { zeros - 1 };
    tlv(0x02, &[&bytes[zeros..]])
}

fn algorithm(oid: &[u8], parameters: &[u8]) -> Vec<u8> {
    sequence(&[&tlv(0x06, &[oid]), parameters])
}

/// Everything up to the ciphertext is given.
fn file(scheme: &[u8], ciphertext: &[u8]) -> Vec<u8> {
    sequence(&[scheme, &octets(ciphertext)])
}

fn pbes2(kdf: &[u8], cipher: &[u8]) -> Vec<u8> {
    file(&algorithm(PBES2, &sequence(&[kdf, cipher])), &[7; 160])
}

fn aes(last: u8, iv: usize) -> Vec<u8> {
    algorithm(&[AES, &[last]].concat(), &octets(&vec![7; iv]))
}

fn aes_256_cbc() -> Vec<u8> {
    aes(0x2a, 16)
}

fn scrypt(salt: usize, n: u128, r: u128, p: u128, behind: &[u8]) -> Vec<u8> {
    let numbers = [integer(n), integer(r), integer(p)].concat();
    algorithm(SCRYPT, &sequence(&[&octets(&vec![7; salt]), &numbers, behind]))
}

fn pbkdf2(iterations: u128, behind: &[u8]) -> Vec<u8> {
    algorithm(PBKDF2, &sequence(&[&octets(&[7; 16]), &integer(iterations), behind]))
}

fn prf(last: u8) -> Vec<u8> {
    algorithm(&[HMAC, &[last]].concat(), &[5, 0])
}

/// The outcome with a passphrase. What is refused without using one is refused with an empty one, too, in the
/// same way: so nothing was computed.
fn found(der: &[u8]) -> String {
    let text = pem("ENCRYPTED PRIVATE KEY", der);
    let found = outcome(SigningKey::from_encrypted_pem(&text, PASSPHRASE));
    let empty = outcome(SigningKey::from_encrypted_pem(&text, ""));
    if found == format!("{:?}", Error::Passphrase) {
        assert_eq!(empty, misuse("passphrase", "it is empty"));
    } else {
        assert_eq!(empty, found);
    }
    found
}

#[test]
fn the_numbers_of_scrypt() {
    let not_a_power = "N is not a power of two, or is less than 2";
    let table = [
        (0, 8, 1, not_a_power),
        (1, 8, 1, not_a_power),
        (3, 8, 1, not_a_power),
        ((1 << 17) + 1, 8, 1, not_a_power),
        (u64::MAX.into(), 8, 1, not_a_power),
        (1 << 64, 8, 1, not_a_power), // as every number from here on
        (1 << 64 | 1 << 17, 8, 1, not_a_power),
        (1 << 63, 8, 1, MEMORY),
        (1 << 19, 8, 1, MEMORY),
        (1 << 18, 9, 1, MEMORY),
        (1 << 17, 8, 3, "N r p is more than 2^21"),
        (1 << 16, 1, 1, "N is not less than 2^(16 r)"),
        (1 << 4, 0, 1, "r is not from 1 to 32"),
        (1 << 4, 33, 1, "r is not from 1 to 32"),
        (1 << 4, 1 << 16 | 8, 1, "r is not from 1 to 32"),
        (1 << 4, 1 << 100, 1, "r is not from 1 to 32"),
        (1 << 4, 8, 0, "p is not from 1 to 16"),
        (1 << 4, 8, 17, "p is not from 1 to 16"),
        (1 << 4, 8, 1 << 32 | 1, "p is not from 1 to 16"),
    ];
    for (n, r, p, reason) in table {
        let der = pbes2(&scrypt(16, n, r, p, b""), &aes_256_cbc());
        assert_eq!(found(&der), invalid(NUMBERS, reason), "{n} {r} {p}");
        if let (Ok(n), Ok(r), Ok(p)) = (n.try_into(), r.try_into(), p.try_into()) {
            assert_eq!(outcome(Scrypt::new(n, r, p)), misuse(NUMBERS, reason), "{n} {r} {p}");
        }
    }
    for (n, r, p) in
        [(1 << 18, 8, 1), (1 << 16, 32, 1), (1 << 15, 4, 16), (1 << 15, 1, 16), (2, 1, 1)]
    {
        let scrypt = Scrypt::new(n, r, p).unwrap();
        assert_eq!((scrypt.n(), scrypt.r(), scrypt.p()), (n, r, p));
    }
    let negative = tlv(0x02, &[&[0x80]]);
    let der =
        algorithm(SCRYPT, &sequence(&[&octets(&[7; 16]), &negative, &integer(8), &integer(1)]));
    assert_eq!(found(&pbes2(&der, &aes_256_cbc())), invalid(KEY, NOT_DER));
}

#[test]
fn other_ways_of_encrypting() {
    let kdf = scrypt(16, 16, 1, 1, b"");
    let right = pbes2(&kdf, &aes_256_cbc());
    assert_eq!(found(&right), format!("{:?}", Error::Passphrase), "the table starts from this");

    let scheme = algorithm(PBES2, &sequence(&[&kdf, &aes_256_cbc()]));
    let blocks = "its encrypted content is cut off: it is not whole blocks";
    let key_length = "its key length is not that of its cipher";
    let iterations = "PBKDF2 has no iterations, or more than 1 000 000";
    let of_scrypt = |behind: &[u8]| pbes2(&scrypt(16, 16, 1, 1, behind), &aes_256_cbc());
    let of_pbkdf2 = |count, behind: &[u8]| pbes2(&pbkdf2(count, behind), &aes_256_cbc());
    let table = [
        (vec![0], NOT_DER),
        (scheme.clone(), NOT_DER),
        ([&right[..], &[0]].concat(), NOT_DER),
        (sequence(&[&scheme, &octets(&[7; 160]), &[5, 0]]), NOT_DER),
        (file(&scheme, &[]), blocks),
        (file(&scheme, &[7; 159]), blocks),
        (file(&scheme, &[7; 161]), blocks),
        (file(&algorithm(PBES2, b""), &[7; 160]), "its algorithm has no parameters"),
        (file(&algorithm(PBES2, &sequence(&[&kdf])), &[7; 160]), NOT_DER),
        (pbes2(&scrypt(33, 16, 1, 1, b""), &aes_256_cbc()), "its salt is longer than 32 bytes"),
        (pbes2(&scrypt(15, 16, 1, 1, b""), &aes_256_cbc()), NOT_OURS),
        (of_scrypt(&integer(32)), NOT_OURS),
        (of_scrypt(&integer(16)), key_length),
        (of_scrypt(&integer(1 << 40)), key_length),
        (of_scrypt(&[5, 0]), NOT_DER),
        (of_pbkdf2(1000, &prf(9)), NOT_OURS),
        (of_pbkdf2(1000, &[integer(16), prf(9)].concat()), key_length),
        (of_pbkdf2(0, &prf(9)), iterations),
        (of_pbkdf2(1_000_001, &prf(9)), iterations),
        (of_pbkdf2(1 << 32 | 1000, &prf(9)), iterations),
        (pbes2(&kdf, &aes(0x02, 16)), NOT_OURS),
        (pbes2(&kdf, &aes(0x2a, 15)), NOT_DER),
        (pbes2(&kdf, &aes(0x2a, 17)), NOT_DER),
    ];
    for (row, (der, reason)) in table.into_iter().enumerate() {
        assert_eq!(found(&der), invalid(KEY, reason), "row {row}");
    }

    let table = [
        (file(&algorithm(PBES1, &[5, 0]), &[7; 160]), "1.2.840.113549.1.5.3"),
        (pbes2(&algorithm(b"\x2b\x65\x70", b""), &aes_256_cbc()), "1.3.101.112"),
        (of_pbkdf2(1000, b""), "1.2.840.113549.2.7"),
        (of_pbkdf2(1000, &prf(7)), "1.2.840.113549.2.7"),
        (of_pbkdf2(1000, &prf(8)), "1.2.840.113549.2.8"),
        (pbes2(&kdf, &algorithm(TRIPLE_DES, &octets(&[7; 8]))), "1.2.840.113549.3.7"),
        (pbes2(&kdf, &aes(0x2e, 12)), "2.16.840.1.101.3.4.1.46"),
    ];
    for (der, oid) in table {
        let error = Error::Algorithm { what: "encryption of the private key", oid: oid.into() };
        assert_eq!(found(&der), format!("{error:?}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    /// As SPEC.md has the bounds, in numbers that do not overflow.
    #[test]
    fn parameters_are_within_bounds(
        log_n in 0_u32..64, off in 0_u64..2, r in 0_u32..40, p in 0_u32..20,
    ) {
        let n = (1_u64 << log_n) + off * (log_n as u64 % 3);
        let [wide_n, wide_r, wide_p] = [n.into(), r.into(), p.into()].map(|number: u128| number);
        let are_within = n.is_power_of_two() && n >= 2
            && (1..=32).contains(&r)
            && (1..=16).contains(&p)
            && 128 * wide_n * wide_r <= 256 << 20
            && wide_n * wide_r * wide_p <= 1 << 21
            && log_n < 16 * r;
        prop_assert_eq!(Scrypt::new(n, r, p).is_ok(), are_within);
    }

    /// None panics; what it says does not matter here.
    #[test]
    fn nearly_valid_files(at in any::<prop::sample::Index>(), noise in prop::collection::vec(any::<u8>(), 0..20)) {
        for kdf in [scrypt(16, 16, 1, 1, b""), pbkdf2(2, &prf(9))] {
            let mut der = pbes2(&kdf, &aes_256_cbc());
            let start = at.index(der.len());
            der[start..].iter_mut().zip(&noise).for_each(|(byte, noise)| *byte = *noise);
            found(&der);
            let imported = PrivateKey::import_encrypted_der(&der, PASSPHRASE, Whose::Unauthenticated);
            prop_assert!(imported.is_err());
        }
        let _ = PrivateKey::import_encrypted_der(&noise, PASSPHRASE, Whose::Unauthenticated);
    }
}
