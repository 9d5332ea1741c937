//! Do all providers give the right answer to encodings at the edge of what is valid?

use p384::{
    ecdsa::{Signature, signature::Verifier},
    elliptic_curve::sec1::ToSec1Point,
};
use twinseal::{
    Error, hazmat,
    provider::{Kem, PORTABLE, Random, SignatureScheme},
};

use super::{PROVIDERS, pairs, same_on_all};
use crate::common::{
    der::{ec_private_key, tlv},
    errors::outcome,
    numbers::{ORDER, PRIME, minus_one, plus},
};

// X25519.

#[test]
fn x25519_public_values() {
    let mut prime = [0xff; 32];
    (prime[0], prime[31]) = (0xed, 0x7f);
    let with_first = |byte: u8| {
        let mut value = prime;
        value[0] = byte;
        value
    };
    let with_high_bit = |mut value: [u8; 32]| {
        value[31] |= 0x80;
        value
    };
    let small = |byte: u8| {
        let mut value = [0; 32];
        value[0] = byte;
        value
    };
    let pair = hazmat::x25519(&PORTABLE).key_pair(&[7; 32]).unwrap();
    let valid: [u8; 32] = pair.encapsulation_key.try_into().unwrap();

    let mut accepted = vec![valid];
    accepted.extend((2..=100).map(small));
    accepted.extend((0x80..=0xeb).map(with_first)); // p - 2 and below
    let mut refused = vec![small(0), small(1), with_first(0xec), [0xff; 32]];
    refused.extend((0xed..=0xff).map(with_first)); // p and above
    refused.extend(accepted.clone().into_iter().map(with_high_bit));
    for value in [small(0), small(1), with_first(0xec), prime] {
        refused.push(with_high_bit(value));
    }

    let judge = |value: &[u8]| {
        same_on_all("X25519", |provider| {
            let kem = hazmat::x25519(provider);
            let as_key = kem
                .encapsulator(value)
                .and_then(|key| key.encapsulate(&mut Random::System, &mut [0; 32], &mut [0; 32]));
            let mut secret = [0; 32];
            let pair = kem.key_pair(&[8; 32]).unwrap();
            let as_ciphertext = pair.decapsulator.decapsulate(value, &mut secret);
            assert_eq!(outcome(as_key), outcome(as_ciphertext.as_ref()));
            as_ciphertext.map(|()| secret).map_err(|error| error.to_string())
        })
    };
    let what = "invalid X25519 public value: ";
    assert!(accepted.iter().all(|value| judge(value).is_ok()));
    assert!(refused.iter().all(|value| judge(value).is_err_and(|error| error.starts_with(what))));
}

// P-384 points.

/// A point whose x-coordinate is so small that there is a second form, above the prime.
fn point_with_small_x() -> [u8; 97] {
    let compressed = (0..=255).find_map(|x| {
        let mut bytes = [0; 49];
        (bytes[0], bytes[48]) = (0x02, x);
        p384::PublicKey::from_sec1_bytes(&bytes).ok()
    });
    let point = compressed.expect("half of all x have a point").to_sec1_point(false);
    point.as_bytes().try_into().unwrap()
}

#[test]
fn p384_points() {
    let valid = hazmat::p384(&PORTABLE).key_pair(&[7; 48]).unwrap().encapsulation_key;
    let (x, y) = valid[1..].split_at(48);
    let with = |first: u8, x: &[u8], y: &[u8]| [&[first], x, y].concat();
    let small = point_with_small_x();
    let small_y = &small[49..];
    // -y = p - y, and p is odd.
    let odd = y[47] & 1;
    let above = plus(&PRIME, small[48]);

    let refused = [
        ("compressed", with(0x02 + odd, x, b"")),
        ("compressed, the other y", with(0x03 - odd, x, b"")),
        ("hybrid", with(0x06 + odd, x, y)),
        ("hybrid, the other y", with(0x07 - odd, x, y)),
        ("another first byte", with(0x05, x, y)),
        ("without first byte", valid[1..].to_vec()),
        ("infinity", vec![0]),
        ("infinity in 97 bytes", vec![0; 97]),
        ("infinity as coordinates", with(0x04, &[0; 48], &[0; 48])),
        ("x = p", with(0x04, &PRIME, y)),
        ("y = p", with(0x04, x, &PRIME)),
        ("x = 0, y = p", with(0x04, &[0; 48], &PRIME)),
        ("x above p, which is a point when reduced", with(0x04, &above, small_y)),
        ("all ones", with(0x04, &[0xff; 48], &[0xff; 48])),
        ("exchanged coordinates", with(0x04, y, x)),
        ("y + 1", with(0x04, x, &plus(y.try_into().unwrap(), 1))),
        ("a byte short", valid[..96].to_vec()),
        ("a byte long", [&valid[..], &[0]].concat()),
        ("nothing", vec![]),
    ];
    let accepted = [("valid", valid.clone()), ("small x", small.to_vec())];

    let judge = |name: &str, point: &[u8]| {
        same_on_all(name, |provider| {
            let kem = hazmat::p384(provider);
            let as_key = kem
                .encapsulator(point)
                .and_then(|key| key.encapsulate(&mut Random::System, &mut [0; 97], &mut [0; 48]));
            let as_verifying_key = hazmat::ecdsa_p384(provider).verifier(point).map(drop);
            let mut secret = [0; 48];
            let pair = kem.key_pair(&[8; 48]).unwrap();
            let as_ciphertext = pair.decapsulator.decapsulate(point, &mut secret);
            assert_eq!(as_key.is_ok(), as_ciphertext.is_ok(), "{name}");
            assert_eq!(as_verifying_key.is_ok(), as_ciphertext.is_ok(), "{name}");
            as_ciphertext.map(|()| secret).map_err(|error| error.to_string())
        })
    };
    for (name, point) in accepted {
        assert!(judge(name, &point).is_ok(), "{name}");
    }
    for (name, point) in refused {
        assert!(judge(name, &point).is_err(), "{name}");
    }
}

#[test]
fn p384_scalars() {
    let mut small = [0; 48];
    small[47] = 1;
    let judge = |scalar: &[u8; 48]| {
        same_on_all("a scalar", |provider| {
            let kem = hazmat::p384(provider).key_pair(scalar).map(|pair| pair.encapsulation_key);
            let ecdsa = hazmat::ecdsa_p384(provider)
                .key_pair(&ec_private_key(scalar))
                .map(|pair| pair.verifying_key);
            let [kem, ecdsa] = [kem, ecdsa].map(|key| key.map_err(|error| error.to_string()));
            assert_eq!(kem, ecdsa);
            kem
        })
    };
    for accepted in [small, plus(&small, 1), [0x7f; 48], minus_one(&ORDER)] {
        judge(&accepted).unwrap();
    }
    for refused in [[0; 48], ORDER, plus(&ORDER, 1), PRIME, [0xff; 48]] {
        judge(&refused).unwrap_err();
    }
}

// ML-KEM-1024.

#[test]
fn ml_kem_coefficients() {
    let valid = hazmat::ml_kem_1024(&PORTABLE).key_pair(&[7; 64]).unwrap().encapsulation_key;
    let judge =
        |position: usize, coefficient: u16| {
            let mut key = valid.clone();
            let [low, high] = coefficient.to_le_bytes();
            let (at, even) = (position / 2 * 3, position.is_multiple_of(2));
            if even {
                key[at] = low;
                key[at + 1] = key[at + 1] & 0xf0 | high;
            } else {
                key[at + 1] = key[at + 1] & 0x0f | low << 4;
                key[at + 2] = low >> 4 | high << 4;
            }
            same_on_all("an encapsulation key", |provider| {
                let kem = hazmat::ml_kem_1024(provider);
                outcome(kem.encapsulator(&key).and_then(|key| {
                    key.encapsulate(&mut Random::System, &mut [0; 1568], &mut [0; 32])
                }))
            })
        };
    for position in [0, 1, 2, 3, 254, 255, 256, 511, 512, 1022, 1023] {
        assert_eq!(judge(position, 0), "Ok");
        assert_eq!(judge(position, 3328), "Ok");
        for refused in [3329, 3330, 3585, 4095] {
            assert!(judge(position, refused).contains("is not below 3329"));
        }
    }
}

// ECDSA signatures.

/// A DER INTEGER of exactly this content.
fn raw(content: &[u8]) -> Vec<u8> {
    tlv(0x02, &[content])
}

/// The one DER form of an unsigned number.
fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = &number[zeros.min(number.len() - 1)..];
    if digits[0] & 0x80 == 0 { raw(digits) } else { raw(&[&[0], digits].concat()) }
}

/// `number + ORDER`, in 49 bytes.
fn plus_order(number: &[u8]) -> Vec<u8> {
    let mut sum = vec![0; 49];
    let mut carry = 0;
    for index in (0..48).rev() {
        carry += u16::from(number[index]) + u16::from(ORDER[index]);
        sum[index + 1] = carry as u8;
        carry >>= 8;
    }
    sum[0] = carry as u8;
    sum
}

#[test]
fn ecdsa_signatures() {
    let key = p384::ecdsa::SigningKey::from_slice(&[7; 48]).unwrap();
    let public = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
    let pair = hazmat::ecdsa_p384(&PORTABLE).key_pair(&ec_private_key(&[7; 48])).unwrap();
    assert_eq!(pair.verifying_key, public);

    // A message whose signature has r with, and s without, the highest bit.
    let (message, r, s) = (0..100_u8)
        .find_map(|number| {
            let der = pair.signer.sign_deterministic(b"", &[number]).unwrap();
            let bytes: [u8; 96] = Signature::from_der(&der).unwrap().to_bytes().into();
            let (r, s) = bytes.split_at(48);
            (r[0] >= 0x80 && s[0] < 0x80).then(|| (vec![number], r.to_vec(), s.to_vec()))
        })
        .expect("one in four has");
    let fixed = Signature::from_slice(&[&r[..], &s].concat()).unwrap();
    let (_, scalar) = fixed.split_scalars();
    let negated: [u8; 48] = (-*scalar).to_bytes().into();
    assert!(negated > s[..].try_into().unwrap(), "one of s and n - s is high");
    let high = Signature::from_slice(&[&r[..], &negated].concat()).unwrap();
    key.verifying_key().verify(&message, &high).unwrap();

    let sequence = |parts: &[&[u8]]| tlv(0x30, parts);
    let of = |r: &[u8], s: &[u8]| sequence(&[&integer(r), &integer(s)]);
    let (one, zero) = ([1], [0]);
    let valid = of(&r, &s);
    let content = &valid[2..];
    let length = content.len() as u8;

    let accepted = [("valid", valid.clone()), ("high s", of(&r, &negated))];
    let refused = [
        ("r = 0", of(&zero, &s)),
        ("s = 0", of(&r, &zero)),
        ("r = s = 0", of(&zero, &zero)),
        ("r = 1", of(&one, &s)),
        ("r = s = 1", of(&one, &one)),
        ("r = n", of(&ORDER, &s)),
        ("s = n", of(&r, &ORDER)),
        ("r = n + 1", of(&plus(&ORDER, 1), &s)),
        ("s = n + 1", of(&r, &plus(&ORDER, 1))),
        ("r = n - 1", of(&minus_one(&ORDER), &s)),
        ("r + n", of(&plus_order(&r), &s)),
        ("s + n", of(&r, &plus_order(&s))),
        ("r = p", of(&PRIME, &s)),
        ("exchanged", of(&s, &r)),
        ("negative r", sequence(&[&raw(&r), &integer(&s)])),
        ("negative s", sequence(&[&integer(&r), &raw(&negated)])),
        ("padded r", sequence(&[&raw(&[&[0, 0], &r[..]].concat()), &integer(&s)])),
        ("padded s", sequence(&[&integer(&r), &raw(&[&[0], &s[..]].concat())])),
        ("empty r", sequence(&[&raw(b""), &integer(&s)])),
        ("empty s", sequence(&[&integer(&r), &raw(b"")])),
        ("long-form length", [&[0x30, 0x81, length], content].concat()),
        ("longer form", [&[0x30, 0x82, 0, length], content].concat()),
        ("long-form length of r", {
            let r = integer(&r);
            sequence(&[&[0x02, 0x81, r[1]], &r[2..], &integer(&s)])
        }),
        ("indefinite length", [&[0x30, 0x80], content, &[0, 0]].concat()),
        ("trailing byte", [&valid[..], &[0]].concat()),
        ("trailing byte inside", sequence(&[content, &[0]])),
        ("third integer", sequence(&[content, &integer(&one)])),
        ("only r", sequence(&[&integer(&r)])),
        ("empty sequence", sequence(&[])),
        ("a set", tlv(0x31, &[content])),
        ("r as OCTET STRING", sequence(&[&tlv(0x04, &[&r]), &integer(&s)])),
        ("r || s", [&r[..], &s].concat()),
        ("a byte short", valid[..valid.len() - 1].to_vec()),
        ("nothing", vec![]),
    ];
    let judge = |name: &str, signature: &[u8]| {
        same_on_all(name, |provider| {
            let scheme = hazmat::ecdsa_p384(provider);
            outcome(scheme.verifier(&public).unwrap().verify(b"", &message, signature))
        })
    };
    for (name, signature) in accepted {
        assert_eq!(judge(name, &signature), "Ok", "{name}");
    }
    for (name, signature) in refused {
        assert_eq!(judge(name, &signature), "Verify", "{name}");
    }
}

/// Providers receive `r || s` from the parser: they must refuse values that it never passes on.
#[test]
fn ecdsa_signatures_of_fixed_length() {
    let pair = PORTABLE.ecdsa_p384.key_pair(&[7; 48]).unwrap();
    let valid = pair.signer.sign_deterministic(b"", b"message").unwrap();
    let (r, s) = valid.split_at(48);
    let zero: &[u8] = &[0; 48];
    let over = plus(&ORDER, 1);
    let judge = |signature: &[u8]| {
        same_on_all("r || s", |provider| {
            let verifier = provider.ecdsa_p384.verifier(&pair.verifying_key).unwrap();
            outcome(verifier.verify(b"", b"message", signature))
        })
    };
    assert_eq!(judge(&valid), "Ok");
    for halves in
        [[zero, s], [r, zero], [zero, zero], [&ORDER, s], [r, &ORDER], [&over, s], [r, &over]]
    {
        assert_eq!(judge(&halves.concat()), "Verify");
    }
    for length in [0, 1, 48, 95] {
        assert_eq!(judge(&valid[..length]), "Verify");
    }
    assert_eq!(judge(&[&valid[..], &[0]].concat()), "Verify");
}

// ML-DSA-87.

#[test]
fn ml_dsa_contexts() {
    for (a, b) in pairs() {
        let key = a.ml_dsa_87.key_pair(&[7; 32]).unwrap();
        let verifier = b.ml_dsa_87.verifier(&key.verifying_key).unwrap();
        for length in [0, 1, 2, 254, 255] {
            let context = vec![9; length];
            for message in [&b""[..], b"m", &[5; 10_000]] {
                let signature = key.signer.sign(&context, message).unwrap();
                verifier.verify(&context, message, &signature).unwrap();
                let longer = [&context[..], &[9]].concat();
                let result = verifier.verify(&longer, message, &signature);
                assert_eq!(outcome(result), "Verify", "{} bytes", longer.len());
                if let Some((_, shorter)) = context.split_first() {
                    let result = verifier.verify(shorter, message, &signature);
                    assert_eq!(outcome(result), "Verify");
                }
            }
            // Context and message are not run together.
            let signature = key.signer.sign(&context, b"99").unwrap();
            if length < 255 {
                let moved = verifier.verify(&[&context[..], b"9"].concat(), b"9", &signature);
                assert_eq!(outcome(moved), "Verify");
            }
        }
    }
}

#[test]
fn ml_dsa_contexts_that_are_too_long() {
    let too_long = format!("{:?}", Error::Context("it is longer than 255 bytes"));
    for length in [256, 257, 511, 512, 65_536, 100_000] {
        let context = vec![9; length];
        let key = PORTABLE.ml_dsa_87.key_pair(&[7; 32]).unwrap();
        // The context that a length of one byte would wrap around to.
        let wrapped = &context[..length % 256];
        let signature = key.signer.sign(wrapped, b"message").unwrap();
        for provider in *PROVIDERS {
            let key = provider.ml_dsa_87.key_pair(&[7; 32]).unwrap();
            let signed = key.signer.sign(&context, b"message");
            assert_eq!(outcome(signed), too_long, "{}", provider.name);
            let verified = key.verifier.verify(&context, b"message", &signature);
            assert_eq!(outcome(verified), "Verify", "{}", provider.name);
        }
    }
}

#[test]
fn ml_dsa_lengths() {
    let key = PORTABLE.ml_dsa_87.key_pair(&[7; 32]).unwrap();
    let valid = key.signer.sign_deterministic(b"", b"message").unwrap();
    let judge = |signature: &[u8]| {
        same_on_all("a signature", |provider| {
            let verifier = provider.ml_dsa_87.verifier(&key.verifying_key).unwrap();
            outcome(verifier.verify(b"", b"message", signature))
        })
    };
    assert_eq!(judge(&valid), "Ok");
    for length in (0..valid.len()).step_by(97).chain([valid.len() - 1]) {
        assert_eq!(judge(&valid[..length]), "Verify", "{length} bytes");
    }
    for more in [1, 2, 100, 5000] {
        assert_eq!(judge(&[&valid[..], &vec![0; more]].concat()), "Verify");
    }
}
