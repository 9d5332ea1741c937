//! Private keys.

use twinseal::{DecapsulationKey, Error, KemSuite, SigningKey, key_files::PrivatePem};

use super::fixture::{Pieces, SECP384R1, attributes, ec_private_key, public_field};
use crate::common::{
    der::{pem, tlv},
    errors::{invalid, outcome},
    keys::{COMPOSITE, P384, X25519, kem_key, signing_key},
};

/// What is the same for both kinds of keys.
struct Kind {
    pieces: Pieces,
    /// Of another key of the kind.
    other: Pieces,
    what: &'static str,
    canonical: PrivatePem,
    /// Each returns the canonical PEM of the key, or its error.
    pem: fn(&str) -> Result<PrivatePem, Error>,
    der: fn(&[u8]) -> Result<PrivatePem, Error>,
    bytes: fn(&[u8]) -> Result<PrivatePem, Error>,
    from_der: fn(&[u8]) -> Result<PrivatePem, Error>,
}

fn kinds() -> [Kind; 2] {
    let (kem, decapsulation_key) = Pieces::of_decapsulation_key(21);
    let (sign, signing_key) = Pieces::of_signing_key(21);
    [
        Kind {
            pieces: kem,
            other: Pieces::of_decapsulation_key(22).0,
            what: "decapsulation key",
            canonical: decapsulation_key.to_pem(),
            pem: |text| DecapsulationKey::import_pem(text).map(|key| key.to_pem()),
            der: |der| DecapsulationKey::import_der(der).map(|key| key.to_pem()),
            bytes: |bytes| DecapsulationKey::import_bytes(P384, bytes).map(|key| key.to_pem()),
            from_der: |der| DecapsulationKey::from_pkcs8_der(der).map(|key| key.to_pem()),
        },
        Kind {
            pieces: sign,
            other: Pieces::of_signing_key(22).0,
            what: "signing key",
            canonical: signing_key.to_pem(),
            pem: |text| SigningKey::import_pem(text).map(|key| key.to_pem()),
            der: |der| SigningKey::import_der(der).map(|key| key.to_pem()),
            bytes: |bytes| SigningKey::import_bytes(COMPOSITE, bytes).map(|key| key.to_pem()),
            from_der: |der| SigningKey::from_pkcs8_der(der).map(|key| key.to_pem()),
        },
    ]
}

impl Kind {
    fn assert_imported(&self, form: &str, found: &Result<PrivatePem, Error>) {
        match found {
            Ok(pem) => assert_eq!(pem.as_str(), self.canonical.as_str(), "{}, {form}", self.what),
            Err(error) => panic!("{}, {form}: {error}", self.what),
        }
    }
}

/// What the functions say that read only the canonical form.
const NOT_CANONICAL: &str =
    "it has attributes, extra fields or another encoding; import it to get the canonical one";

#[test]
fn every_form_of_the_halves() {
    for kind in kinds() {
        for (first, post_quantum) in kind.pieces.post_quantum() {
            for (second, traditional) in kind.pieces.traditional() {
                let form = format!("{first}, {second}");
                let bytes = [&post_quantum[..], &traditional].concat();
                let der = kind.pieces.pkcs8(0, &bytes, &[]);
                kind.assert_imported(&form, &(kind.bytes)(&bytes));
                kind.assert_imported(&form, &(kind.der)(&der));
                let read = outcome((kind.from_der)(&der));
                match bytes == kind.pieces.canonical() {
                    true => assert_eq!(read, "Ok"),
                    false => assert_eq!(read, invalid("PKCS#8 key", NOT_CANONICAL), "{form}"),
                }
            }
        }
    }
}

#[test]
fn every_form_of_pkcs8() {
    for kind in kinds() {
        let Kind { pieces, .. } = &kind;
        let content = pieces.canonical();
        let public = public_field(&pieces.public);
        let compressed = public_field(&pieces.compressed_public());
        let attributes = attributes();
        let table = [
            ("canonical", pieces.pkcs8(0, &content, &[])),
            ("with attributes", pieces.pkcs8(0, &content, &[&attributes])),
            ("with empty attributes", pieces.pkcs8(0, &content, &[b"\xa0\0"])),
            ("version 2", pieces.pkcs8(1, &content, &[&public])),
            ("version 2, compressed", pieces.pkcs8(1, &content, &[&compressed])),
            ("version 2 with attributes", pieces.pkcs8(1, &content, &[&attributes, &public])),
        ];
        for (form, der) in table {
            kind.assert_imported(form, &(kind.der)(&der));
            kind.assert_imported(form, &(kind.pem)(&pem("PRIVATE KEY", &der)));
        }
    }
}

/// A seed may end as a P-384 half begins, where the reading as another form would look for one.
#[test]
fn seeds_that_look_like_der() {
    for kind in kinds() {
        let Pieces { mut seed, scalar, .. } = kind.pieces;
        let ec = ec_private_key(1, &scalar, SECP384R1, None);
        seed.truncate(seed.len() - 2);
        seed.extend_from_slice(&[0x30, ec.len() as u8]);
        let canonical = (kind.bytes)(&[&seed[..], &ec].concat()).unwrap();
        let imported = (kind.bytes)(&[&tlv(0x80, &[&seed])[..], &ec].concat()).unwrap();
        assert_eq!(imported.as_str(), canonical.as_str());
    }
}

/// Whatever `from_pem` reads is imported, too, and files of suite 0x0051 as they once were.
#[test]
fn own_files() {
    for &suite in KemSuite::ALL {
        let key = kem_key(suite, 23);
        let imported = DecapsulationKey::import_pem(key.to_pem().as_str()).unwrap();
        assert_eq!(imported.encapsulation_key(), key.encapsulation_key());
        let seed = key.seed().unwrap();
        let old = [&suite.id().to_be_bytes(), seed].concat();
        let imported =
            DecapsulationKey::import_pem(&pem("TWINSEAL KEM PRIVATE KEY", &old)).unwrap();
        assert_eq!(imported.seed(), Some(seed));
        let longer = [&suite.id().to_be_bytes(), &[7; 64 + 48][..]].concat();
        let found =
            outcome(DecapsulationKey::import_pem(&pem("TWINSEAL KEM PRIVATE KEY", &longer)));
        assert!(found.starts_with("Length"), "{found}");
        let imported = DecapsulationKey::import_bytes(suite, seed).unwrap();
        assert_eq!(imported.encapsulation_key(), key.encapsulation_key());
    }
    #[cfg(feature = "experimental-falcon")]
    {
        let suite = twinseal::SignatureSuite::EXPERIMENTAL_FALCON_1024_ECDSA_P384;
        let key = SigningKey::generate_for(suite).unwrap();
        let imported = SigningKey::import_pem(key.to_pem().as_str()).unwrap();
        assert_eq!(imported.verifying_key(), key.verifying_key());
        let imported = SigningKey::import_bytes(suite, key.secret_bytes()).unwrap();
        assert_eq!(imported.verifying_key(), key.verifying_key());
    }
    let key = signing_key(23);
    let imported = SigningKey::import_pem(key.to_pem().as_str()).unwrap();
    assert_eq!(imported.secret_bytes(), key.secret_bytes());
}

/// Every bit that only repeats what another says.
#[test]
fn contradictions() {
    let of_another = "its public key belongs to another private key";
    for kind in kinds() {
        let Kind { pieces, other, what, .. } = &kind;
        for point in [other.point().to_vec(), super::fixture::compressed(other.point())] {
            let ec = ec_private_key(1, &pieces.scalar, SECP384R1, Some(&point));
            let found = outcome((kind.bytes)(&[&pieces.seed[..], &ec].concat()));
            assert_eq!(found, invalid("ECPrivateKey", of_another));
        }
        // Each half of the public key.
        let (own, foreign) = (&pieces.public, &other.public);
        let split = own.len() - 97;
        for public in [
            foreign.clone(),
            [&own[..split], &foreign[split..]].concat(),
            [&foreign[..split], &own[split..]].concat(),
        ] {
            let der = pieces.pkcs8(1, &pieces.canonical(), &[&public_field(&public)]);
            assert_eq!(outcome((kind.der)(&der)), invalid("PKCS#8 key", of_another));
        }
        let ec = ec_private_key(1, &pieces.scalar, SECP384R1, None);
        for at in [0, pieces.expanded.len() / 2, pieces.expanded.len() - 1] {
            let mut expanded = pieces.expanded.clone();
            expanded[at] ^= 1;
            let both = tlv(0x30, &[&tlv(0x04, &[&pieces.seed]), &tlv(0x04, &[&expanded])]);
            let found = outcome((kind.bytes)(&[both, ec.clone()].concat()));
            assert_eq!(found, invalid(what, "its expanded form is not that of its seed"));
        }
    }
}

#[test]
fn other_curves_versions_and_lengths() {
    const P256: &[u8] = b"\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
    let not_48 = "its scalar is not 48 bytes long";
    let not_der = "it is not RFC 5915 in DER";
    for kind in kinds() {
        let Pieces { seed, scalar, .. } = &kind.pieces;
        let ec = |scalar: &[u8]| ec_private_key(1, scalar, SECP384R1, None);
        let bits = tlv(0xa1, &[&tlv(0x03, &[&[1], &[0; 97]])]);
        let table = [
            (ec_private_key(1, scalar, P256, None), "its curve is not secp384r1"),
            (ec_private_key(2, scalar, SECP384R1, None), "its version is not 1"),
            (ec(&scalar[1..]), not_48),
            (ec(&[&[0], &scalar[..]].concat()), not_48),
            (ec_private_key(1, scalar, b"\xa0\x02\x30\x00", None), not_der),
            (ec_private_key(1, scalar, &bits, None), not_der),
            (
                ec_private_key(1, scalar, SECP384R1, Some(&[4; 98])),
                "its public key is neither 49 nor 97 bytes long",
            ),
            (ec_private_key(1, scalar, &[SECP384R1, SECP384R1].concat(), None), not_der),
            (ec_private_key(1, scalar, &[SECP384R1, b"\x05\0"].concat(), None), not_der),
        ];
        for (ec, reason) in table {
            let found = outcome((kind.bytes)(&[&seed[..], &ec].concat()));
            assert_eq!(found, invalid("ECPrivateKey", reason), "{}", kind.what);
        }
        for scalar in [[0; 48], [0xff; 48]] {
            for ec in [scalar.to_vec(), ec(&scalar)] {
                let found = outcome((kind.bytes)(&[&seed[..], &ec].concat()));
                assert_eq!(found, invalid("P-384 scalar", "it is not from 1 to n - 1"));
            }
        }
    }
}

/// What to do with a key in another form.
#[test]
fn other_forms() {
    for kind in kinds() {
        let Kind { pieces, what, .. } = &kind;
        let ec = ec_private_key(1, &pieces.scalar, SECP384R1, None);
        for expanded in [pieces.expanded.clone(), tlv(0x04, &[&pieces.expanded])] {
            let reason = match *what {
                "signing key" => {
                    "its ML-DSA half is only the expanded form, which has no key file here; \
                     import_expanded loads it, or export the key with its seed"
                }
                _ => "its ML-KEM half is only the expanded form; export the key with its seed",
            };
            let bytes = [expanded, ec.clone()].concat();
            assert_eq!(outcome((kind.bytes)(&bytes)), invalid(what, reason));
            let found = outcome((kind.from_der)(&pieces.pkcs8(0, &bytes, &[])));
            assert_eq!(found, invalid(what, reason));
        }
        let canonical = pieces.canonical();
        let unknown = [
            [&canonical[..], &[0]].concat(),
            canonical[1..].to_vec(),
            tlv(0x04, &[&canonical]),
            pieces.seed[..31].to_vec(),
            pieces.scalar.clone(),
            [&ec[..], &pieces.seed].concat(),
            vec![],
        ];
        for bytes in unknown {
            let found = outcome((kind.bytes)(&bytes));
            assert!(found.contains(" an ML-") && found.contains(" a P-384 key"), "{found}");
        }

        let valid = pieces.pkcs8(0, &canonical, &[]);
        let public = public_field(&pieces.public);
        let spki = tlv(0x30, &[&pieces.algorithm, &tlv(0x03, &[&[0], &pieces.public])]);
        let encrypted = tlv(0x30, &[&pieces.algorithm, &tlv(0x04, &[&canonical])]);
        let certificate = tlv(0x30, &[&pieces.algorithm, &pieces.algorithm, &tlv(0x03, &[&[0]])]);
        let parameters = Pieces {
            algorithm: tlv(0x30, &[&pieces.algorithm[2..], b"\x05\0"]),
            ..Pieces::of_signing_key(1).0
        };
        let extra = "it has another encoding than DER, or fields that PKCS#8 does not have";
        let version = "version 2 has a public key, and version 1 has none";
        let table = [
            (spki, "it is a public key (SPKI)"),
            (
                certificate,
                "it is a certificate or a request for one; certificates are read by x509::Certificate",
            ),
            (
                ec,
                "it is only an EC private key (RFC 5915); a hybrid key has a post-quantum half, too",
            ),
            ([&valid[..], &[0]].concat(), "it is not DER of this type"),
            (pieces.pkcs8(0, &canonical, &[b"\x05\0"]), extra),
            (pieces.pkcs8(1, &canonical, &[&public, &public]), extra),
            (pieces.pkcs8(1, &canonical, &[]), version),
            (pieces.pkcs8(0, &canonical, &[&public]), version),
            (pieces.pkcs8(2, &canonical, &[]), "its version is neither 1 nor 2"),
            (pieces.pkcs8(0, &canonical, &[b"\xa0\x02\x05\0"]), "its attributes are damaged"),
            (parameters.pkcs8(0, &canonical, &[]), "its algorithm has parameters"),
        ];
        for (der, reason) in table {
            assert_eq!(outcome((kind.der)(&der)), invalid("PKCS#8 key", reason));
        }
        let text = pem("ENCRYPTED PRIVATE KEY", &valid);
        assert_eq!((kind.pem)(&text).unwrap_err(), Error::Encrypted);
        assert_eq!((kind.der)(&encrypted).unwrap_err(), Error::Encrypted);
        let found = outcome((kind.pem)(&pem("EC PRIVATE KEY", &valid)));
        assert!(found.starts_with("PemLabel"), "{found}");
        let found = outcome((kind.pem)(&kind.canonical.as_str().repeat(2)));
        assert!(found.starts_with("PemCount"), "{found}");
    }
    // A key of the other kind is for another algorithm.
    let [kem, sign] = kinds();
    let found = outcome((kem.pem)(sign.canonical.as_str()));
    assert!(found.starts_with("Algorithm"), "{found}");
    let found = outcome((sign.pem)(kem.canonical.as_str()));
    assert!(found.starts_with("Algorithm"), "{found}");
    let found = outcome(DecapsulationKey::import_bytes(X25519, &kem.pieces.canonical()));
    assert!(found.starts_with("Length"), "{found}");
}
