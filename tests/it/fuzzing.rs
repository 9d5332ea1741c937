//! The bodies of the fuzz targets, which `cargo test` runs over the corpus, too.
//!
//! Each takes an input (see [`script`]) and panics if the library does, if two providers differ, or if something is
//! accepted that nobody made.

#![allow(unreachable_pub, reason = "the package of the fuzz targets exports them")]
#![allow(dead_code, reason = "a fuzz target is one of them")]

mod certificates;
#[cfg(test)]
mod corpus;
mod directories;
mod envelopes;
mod imports;
mod key_files;
mod models;
mod passphrases;
mod people;
mod primitives;
mod requests;
mod script;
mod sessions;
mod stores;

macro_rules! targets {
    ($($module:ident: $($name:ident),+;)+) => {
        $(pub use $module::{$($name),+};)+

        /// Every target, by name.
        pub const TARGETS: &[(&str, fn(&[u8]))] = &[$($((stringify!($name), $name)),+),+];

        /// The corpus, target by target.
        #[cfg(test)]
        mod over_the_corpus {
            $($(#[test]
            fn $name() {
                super::corpus::run(stringify!($name), super::$name);
            })+)+
        }
    };
}

targets! {
    certificates: certificate, chain;
    directories: model_directory;
    envelopes: body, header, open, rewrap;
    imports: import;
    key_files: bundle, pem, pem_key, pkcs8, spki;
    models: model_bundle, model_verify, trusted_key;
    passphrases: encrypted_content, encrypted_key;
    primitives: ecdsa, kem_ciphertext, kem_key, ml_dsa, signature, verify, verifying_key;
    requests: accept, answer, pieces, request_head;
    sessions: frames, hello, receiver;
    stores: pin, store_keys, store_object;
}
