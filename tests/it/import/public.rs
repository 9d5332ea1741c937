//! Public keys.

use twinseal::{EncapsulationKey, Error, KemSuite, VerifyingKey};

use super::fixture::Pieces;
use crate::common::{
    der::{pem, spki, tlv},
    errors::{invalid, length, outcome},
    keys::{COMPOSITE, P384, kem_key},
};

/// A function that imports a key, and returns its canonical bytes.
type Import = Box<dyn Fn(&[u8]) -> Result<Vec<u8>, Error>>;

/// What is the same for both kinds of keys.
struct Kind {
    what: &'static str,
    pieces: Pieces,
    pem: Import,
    der: Import,
    bytes: Import,
    from_spki_der: Import,
}

fn text(pem: &[u8]) -> &str {
    str::from_utf8(pem).unwrap()
}

fn kinds() -> [Kind; 2] {
    let kem = |key: EncapsulationKey| key.as_bytes().to_vec();
    let sign = |key: VerifyingKey| key.as_bytes().to_vec();
    [
        Kind {
            what: "encapsulation key",
            pieces: Pieces::of_decapsulation_key(31).0,
            pem: Box::new(move |pem| EncapsulationKey::import_pem(text(pem)).map(kem)),
            der: Box::new(move |der| EncapsulationKey::import_der(der).map(kem)),
            bytes: Box::new(move |bytes| EncapsulationKey::import_bytes(P384, bytes).map(kem)),
            from_spki_der: Box::new(move |der| EncapsulationKey::from_spki_der(der).map(kem)),
        },
        Kind {
            what: "verifying key",
            pieces: Pieces::of_signing_key(31).0,
            pem: Box::new(move |pem| VerifyingKey::import_pem(text(pem)).map(sign)),
            der: Box::new(move |der| VerifyingKey::import_der(der).map(sign)),
            bytes: Box::new(move |bytes| VerifyingKey::import_bytes(COMPOSITE, bytes).map(sign)),
            from_spki_der: Box::new(move |der| VerifyingKey::from_spki_der(der).map(sign)),
        },
    ]
}

/// A compressed point is imported, and read by no other function.
#[test]
fn every_form() {
    for Kind { pieces, pem: import_pem, der, bytes, from_spki_der, .. } in kinds() {
        for (form, read_as_it_is) in [(&pieces.public, true), (&pieces.compressed_public(), false)]
        {
            let spki = spki(&pieces.algorithm, 0, form);
            let pem = pem("PUBLIC KEY", &spki);
            for found in [bytes(form), der(&spki), import_pem(pem.as_bytes())] {
                assert_eq!(found.as_ref(), Ok(&pieces.public));
            }
            let read = outcome(from_spki_der(&spki));
            let not_canonical = "it has attributes, extra fields or another encoding; \
                                 import it to get the canonical one";
            match read_as_it_is {
                true => assert_eq!(read, "Ok"),
                false => assert_eq!(read, invalid("SubjectPublicKeyInfo", not_canonical)),
            }
        }
    }
}

/// Whatever `from_pem` reads is imported, too, and files of suite 0x0051 as they once were.
#[test]
fn own_files() {
    for &suite in KemSuite::ALL {
        let key = kem_key(suite, 32).encapsulation_key().clone();
        assert_eq!(EncapsulationKey::import_pem(&key.to_pem()).as_ref(), Ok(&key));
        let old = [&suite.id().to_be_bytes(), key.as_bytes()].concat();
        let old = pem("TWINSEAL KEM PUBLIC KEY", &old);
        assert_eq!(EncapsulationKey::import_pem(&old).as_ref(), Ok(&key));
        assert_eq!(EncapsulationKey::import_bytes(suite, key.as_bytes()).as_ref(), Ok(&key));
    }
    #[cfg(feature = "experimental-falcon")]
    {
        let suite = twinseal::SignatureSuite::EXPERIMENTAL_FALCON_1024_ECDSA_P384;
        let key = twinseal::SigningKey::generate_for(suite).unwrap().verifying_key().clone();
        assert_eq!(VerifyingKey::import_pem(&key.to_pem()).as_ref(), Ok(&key));
        assert_eq!(VerifyingKey::import_bytes(suite, key.as_bytes()).as_ref(), Ok(&key));
    }
}

#[test]
fn refused() {
    let point = |reason| invalid("P-384 point", reason);
    for Kind { what, pieces, pem: import_pem, der, bytes, .. } in kinds() {
        let (start, whole) = pieces.public.split_at(pieces.public.len() - 97);
        let compressed = &pieces.compressed_public()[start.len()..];
        let off_the_curve = [&compressed[..48], &[compressed[48] ^ 1]].concat();
        // Half of all X are on the curve.
        let is_on = p384::PublicKey::from_sec1_bytes(&off_the_curve).is_ok();
        let hybrid = [&[0x06 | whole[96] & 1], &whole[1..]].concat();
        let not_uncompressed = point("it is not in uncompressed form");
        let table = [
            (off_the_curve, if is_on { "Ok".into() } else { point("it is not on the curve") }),
            ([&[0x02], &[0xff; 48][..]].concat(), point("it is not on the curve")),
            ([&[0x05], &compressed[1..]].concat(), length("P-384 point", 97, 49)),
            ([&[0x04], &compressed[1..]].concat(), length("P-384 point", 97, 49)),
            (hybrid, not_uncompressed),
            (vec![0], length(what, pieces.public.len(), start.len() + 1)),
            (compressed[1..].to_vec(), length(what, pieces.public.len(), start.len() + 48)),
            (vec![], length(what, pieces.public.len(), start.len())),
        ];
        for (point, expected) in table {
            assert_eq!(outcome(bytes(&[start, &point].concat())), expected);
        }

        let valid = spki(&pieces.algorithm, 0, &pieces.public);
        let null = tlv(0x30, &[&pieces.algorithm[2..], b"\x05\0"]);
        let not_der = "it is not DER of this type";
        let table = [
            (spki(&null, 0, &pieces.public), "its algorithm has parameters"),
            (spki(&pieces.algorithm, 1, &vec![0; pieces.public.len()]), not_der),
            ([&valid[..], &[0]].concat(), not_der),
            (pieces.pkcs8(0, &pieces.canonical(), &[]), "it is a private key (PKCS#8)"),
        ];
        for (bytes, reason) in table {
            assert_eq!(outcome(der(&bytes)), invalid("SubjectPublicKeyInfo", reason));
        }
        let found = outcome(import_pem(pem("CERTIFICATE", &valid).as_bytes()));
        assert!(found.starts_with("PemLabel"), "{found}");
    }
    // A key of the other kind is for another algorithm.
    let [kem, sign] = kinds();
    let of = |pieces: &Pieces| spki(&pieces.algorithm, 0, &pieces.public);
    assert!(outcome((kem.der)(&of(&sign.pieces))).starts_with("Algorithm"));
    assert!(outcome((sign.der)(&of(&kem.pieces))).starts_with("Algorithm"));
}
