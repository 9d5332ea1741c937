//! Private keys under a passphrase.

mod round_trips;
