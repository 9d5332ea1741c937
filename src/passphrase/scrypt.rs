//! How much work and memory does one guess of a passphrase cost?

use pkcs5::pbes2;

use crate::error::Error;

/// The parameters of scrypt (RFC 7914), which makes a key of a passphrase. They are written into the file,
/// so reading needs none.
///
/// One call needs `128 N r` bytes of memory, and time in proportion to `N r p`.
///
/// ```
/// use twinseal::passphrase::Scrypt;
///
/// assert_eq!(Scrypt::DEFAULT, Scrypt::new(1 << 17, 8, 1)?);
/// let for_openssl = Scrypt::new(1 << 14, 8, 8)?; // 16 MiB: OpenSSL refuses 32
/// assert!(Scrypt::new(1 << 30, 8, 1).is_err()); // 1 TiB
/// # Ok::<(), twinseal::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scrypt {
    log_n: u8,
    r: u16,
    p: u16,
}

impl Scrypt {
    /// N = 2^17, r = 8, p = 1: 128 MiB, and about 0.4 s on one core.
    pub const DEFAULT: Self = Self { log_n: 17, r: 8, p: 1 };

    /// Any parameters within the bounds that this crate reads.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] unless N is a power of two from 2 on and less than 2^(16 r), r is 1 to 32, p is
    /// from 1 to 16, `128 N r` is at most 256 MiB, and `N r p` is at most 2^21.
    pub fn new(n: u64, r: u32, p: u32) -> Result<Self, Error> {
        Self::within_bounds(n, r.into(), p.into())
            .map_err(|reason| Error::Misuse { what: "scrypt parameters", reason })
    }

    /// The parameters, or the bound that they break. No number is too large to ask.
    pub(super) fn within_bounds(n: u64, r: u64, p: u64) -> Result<Self, &'static str> {
        let log_n = u8::try_from(n.trailing_zeros()).expect("a u64 has 64 bits");
        if !n.is_power_of_two() || n < 2 {
            return Err("N is not a power of two, or is less than 2");
        }
        let r = u16::try_from(r).ok().filter(|r| (1..=32).contains(r));
        let r = r.ok_or("r is not from 1 to 32")?;
        let p = u16::try_from(p).ok().filter(|p| (1..=16).contains(p));
        let p = p.ok_or("p is not from 1 to 16")?;
        if u16::from(log_n) >= 16 * r {
            return Err("N is not less than 2^(16 r)");
        }
        let blocks = n.saturating_mul(r.into());
        if blocks > MAX_MEMORY / 128 {
            return Err("it needs more than 256 MiB of memory");
        }
        if blocks * u64::from(p) > MAX_WORK {
            return Err("N r p is more than 2^21");
        }
        Ok(Self { log_n, r, p })
    }

    /// The cost N, a power of two.
    #[must_use]
    pub fn n(self) -> u64 {
        1 << self.log_n
    }

    /// The block size r, in units of 128 bytes.
    #[must_use]
    pub fn r(self) -> u32 {
        self.r.into()
    }

    /// The parallelisation p. This crate computes on one core, one after the other.
    #[must_use]
    pub fn p(self) -> u32 {
        self.p.into()
    }

    /// As PBES2 has them, without a key length: the cipher determines it.
    pub(super) fn with_salt(self, salt: pbes2::Salt) -> pbes2::ScryptParams {
        pbes2::ScryptParams {
            salt,
            cost_parameter: self.n(),
            block_size: self.r,
            parallelization: self.p,
            key_length: None,
        }
    }
}

/// Bytes.
const MAX_MEMORY: u64 = 256 << 20;

/// Of `N r p`: less than a second.
const MAX_WORK: u64 = 1 << 21;
