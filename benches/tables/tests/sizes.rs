//! Do real keys, ciphertexts and signatures have the lengths that their standards give, and BENCHMARKS.md
//! shows?

#[path = "../sizes.rs"]
mod sizes;

use sizes::Sizes;

/// FIPS 203 table 3 and FIPS 204 table 2, RFC 7748, SEC 1, the Falcon submission (round 3),
/// draft-ietf-lamps-pq-composite-sigs, draft-irtf-cfrg-concrete-hybrid-kems and SPEC.md: public key,
/// private key as it is stored, expanded private key, ciphertext, longest signature.
type Expected = (&'static str, usize, usize, Option<usize>, Option<usize>, Option<usize>);

const EXPECTED: [Expected; 11] = [
    ("ECDSA P-256", 65, 32, None, None, Some(64)),
    ("ML-KEM-1024", 1568, 64, Some(3168), Some(1568), None),
    ("ML-DSA-87", 2592, 32, Some(4896), None, Some(4627)),
    ("Falcon-1024", 1793, 2305, None, None, Some(1462)),
    ("X25519", 32, 32, None, Some(32), None),
    ("ECDH P-384", 97, 48, None, Some(97), None),
    ("ECDSA P-384", 97, 48, None, None, Some(96)),
    ("X25519-ML-KEM-1024", 1600, 32, None, Some(1600), None),
    ("MLKEM1024-P384", 1665, 32, None, Some(1665), None),
    ("id-MLDSA87-ECDSA-P384-SHA512", 2689, 96, None, None, Some(4731)),
    ("experimental-ECDSA-P384-Falcon-1024", 1890, 4162, None, None, Some(1568)),
];

#[test]
fn sizes_are_those_of_the_standards() {
    let (rsa, others) = {
        let mut all = sizes::all();
        (all.remove(0), all)
    };
    let expected =
        EXPECTED.map(|(name, public_key, private_key, expanded, ciphertext, signature)| Sizes {
            name,
            public_key,
            private_key,
            expanded,
            ciphertext,
            signature,
        });
    assert_eq!(others, expected);

    // In DER, its numbers make a private key a few bytes longer or shorter.
    assert_eq!((rsa.name, rsa.public_key), ("RSA-2048", 294));
    assert!((1210..=1220).contains(&rsa.private_key), "{}", rsa.private_key);
    assert_eq!((rsa.ciphertext, rsa.signature), (Some(256), Some(256)));
}
