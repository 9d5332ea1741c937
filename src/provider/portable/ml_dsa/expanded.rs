//! Is this an expanded signing key of ML-DSA-87 (FIPS 204 Algorithm 24), whose parts belong together?
//!
//! Everything but the seed K follows from rho, s1 and s2: `t = A s1 + s2`, whose high bits are the verifying
//! key, whose low bits are t0, and whose hash is tr. Signatures of a key with another t0 may still verify, so
//! signing once does not replace the comparison.

use shake::{ExtendableOutput, Shake128, Shake256, Update, XofReader};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{error::Error, wire};

/// Length of the key, in bytes: rho (32), K (32), tr (64), s1 (7 * 96), s2 (8 * 96), t0 (8 * 416).
pub(super) const LENGTH: usize = 4896;

/// Rows and columns of A.
const K: u8 = 8;
const L: u8 = 7;

/// Bits of a coefficient, and bytes of a polynomial, of s1 and s2, of t0, and of t1.
const S: Packed = Packed { bits: 3 };
const T0: Packed = Packed { bits: 13 };
const T1: Packed = Packed { bits: 10 };

/// The key in its parts.
pub(super) struct Expanded<'a> {
    rho: &'a [u8],
    tr: &'a [u8],
    s1: &'a [u8],
    s2: &'a [u8],
    t0: &'a [u8],
}

impl<'a> Expanded<'a> {
    /// Splits the key, and checks that every coefficient of s1 and s2 is from -2 to 2.
    pub(super) fn read(key: &'a [u8]) -> Result<Self, Error> {
        let mut reader = wire::Reader::new(WHAT, wire::exact(WHAT, key, LENGTH)?);
        let rho = reader.take(32)?;
        let _seed_of_signatures = reader.take(32)?;
        let tr = reader.take(64)?;
        let s1 = reader.take(usize::from(L) * S.bytes())?;
        let s2 = reader.take(usize::from(K) * S.bytes())?;
        let key = Self { rho, tr, s1, s2, t0: reader.rest() };
        // Whether a key is valid may show in the time that it takes.
        let in_range = |s: &[u8]| S.polynomials(s).all(|s| s.iter().all(|&value| value <= 4));
        if in_range(key.s1) && in_range(key.s2) {
            Ok(key)
        } else {
            Err(Error::Invalid {
                what: WHAT,
                reason: "a coefficient of s1 or s2 is not from -2 to 2",
            })
        }
    }

    /// Compares tr and t0 with the verifying key that was computed from rho, s1 and s2.
    pub(super) fn check(&self, verifying_key: &[u8]) -> Result<(), Error> {
        let mut tr = [0; 64];
        Shake256::default().chain(verifying_key).finalize_xof().read(&mut tr);
        let t1 = verifying_key.get(32..).unwrap_or_default();
        if tr.ct_eq(self.tr).into() && self.t_is(t1) {
            Ok(())
        } else {
            Err(Error::Invalid { what: WHAT, reason: "its parts contradict each other" })
        }
    }

    /// Whether `A s1 + s2 = t1 * 2^13 + t0`, compared after the number-theoretic transform.
    fn t_is(&self, t1: &[u8]) -> bool {
        let s1: Vec<_> =
            S.polynomials(self.s1).map(|s1| ntt(map(&s1, |value| Q + 2 - value))).collect();
        let rows = (0..K).zip(S.polynomials(self.s2)).zip(T0.polynomials(self.t0));
        let mut rows = rows.zip(T1.polynomials(t1));
        rows.all(|(((row, s2), t0), t1)| {
            let difference = s2.iter().zip(t0.iter()).zip(t1.iter());
            let difference = difference.map(|((s2, t0), t1)| {
                reduce((Q + 2 - s2) + (Q + t0 - 4096) + (Q - reduce(t1 << 13)))
            });
            let mut sum = ntt(Zeroizing::new(difference.collect()));
            for (column, s1) in (0..L).zip(&s1) {
                let a = element_of_a(self.rho, row, column);
                for ((sum, a), s1) in sum.iter_mut().zip(a).zip(s1.iter()) {
                    *sum = reduce(*sum + a * s1);
                }
            }
            sum.iter().fold(0, |all, value| all | value) == 0
        })
    }
}

const WHAT: &str = "expanded ML-DSA-87 key";

/// Numbers below 2^46, usually below q.
type Polynomial = Zeroizing<Vec<u64>>;

const Q: u64 = 8_380_417;

/// `value mod q` for values below 2^46, without a division.
fn reduce(value: u64) -> u64 {
    const INVERSE: u128 = (1 << 64) / Q as u128;
    let quotient = (u128::from(value) * INVERSE) >> 64;
    let remainder = value - quotient as u64 * Q; // below 2q
    let reduced = remainder.wrapping_sub(Q);
    reduced.wrapping_add(Q & (reduced >> 63).wrapping_neg())
}

fn map(polynomial: &Polynomial, of: impl Fn(u64) -> u64) -> Polynomial {
    Zeroizing::new(polynomial.iter().map(|&value| of(value)).collect())
}

/// Polynomials of 256 coefficients with so many bits each (Algorithm 19, before the subtraction).
struct Packed {
    bits: usize,
}

impl Packed {
    const fn bytes(&self) -> usize {
        32 * self.bits
    }

    fn polynomials(&self, bytes: &[u8]) -> impl Iterator<Item = Polynomial> {
        bytes.chunks_exact(self.bytes()).map(|polynomial| {
            let mut values = Zeroizing::new(Vec::with_capacity(256));
            for chunk in polynomial.chunks_exact(self.bits) {
                let eight =
                    chunk.iter().rev().fold(0, |all: u128, &byte| all << 8 | u128::from(byte));
                let value = |index| (eight >> (index * self.bits)) as u64 & ((1 << self.bits) - 1);
                values.extend((0..8).map(value));
            }
            values
        })
    }
}

/// Algorithm 41.
fn ntt(mut w: Polynomial) -> Polynomial {
    let mut zetas = ZETAS.iter().skip(1);
    for length in [128, 64, 32, 16, 8, 4, 2, 1] {
        for (block, zeta) in w.chunks_exact_mut(2 * length).zip(&mut zetas) {
            let (low, high) = block.split_at_mut(length);
            for (low, high) in low.iter_mut().zip(high) {
                let t = reduce(zeta * *high);
                (*low, *high) = (reduce(*low + t), reduce(*low + Q - t));
            }
        }
    }
    w
}

/// 1753 to the power of the number whose 8 bits are those of the index in reverse (Appendix B).
const ZETAS: [u64; 256] = {
    let mut zetas = [0; 256];
    let (mut power, mut exponent) = (1, 0);
    while exponent < 256 {
        zetas[(exponent as u8).reverse_bits() as usize] = power;
        power = power * 1753 % Q;
        exponent += 1;
    }
    zetas
};

/// An element of A, transformed (Algorithms 30 and 32). It is public.
fn element_of_a(rho: &[u8], row: u8, column: u8) -> impl Iterator<Item = u64> {
    let mut bytes = Shake128::default().chain(rho).chain([column, row]).finalize_xof();
    let candidates = std::iter::repeat_with(move || {
        let mut three = [0; 4];
        bytes.read(&mut three[..3]);
        u64::from(u32::from_le_bytes(three) & 0x7f_ffff)
    });
    candidates.filter(|candidate| *candidate < Q).take(256)
}
