//! Private keys under a passphrase.

use twinseal::passphrase::Scrypt;

mod bounds;
#[cfg(feature = "hazmat")]
mod changed;
#[cfg(feature = "hazmat")]
mod contents;
mod import;
#[cfg(feature = "hazmat")]
mod oracles;
mod round_trips;

const PASSPHRASE: &str = "correct horse battery staple";

/// 2 KiB, and less time than a signature takes.
fn little() -> Scrypt {
    Scrypt::new(1 << 4, 1, 1).unwrap()
}
