//! Does misuse of the API fail to compile? This file compiles only if it does.

use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, Plaintext, Signature, SigningKey, VerifyingKey,
    envelope::BodyKey,
    kem::{Ciphertext, SharedSecret},
    key_files::{PrivateDer, PrivatePem},
    session::{ReplyNonce, SessionId, SessionReceiver, SessionSender},
};

/// Does not compile if the type implements one of the traits: `ambiguous` would be two functions.
macro_rules! assert_not {
    ($type:ty: $($trait:path),+ $(,)?) => {$(
        const _: () = {
            trait Ambiguous<Which> {
                fn ambiguous() {}
            }
            struct Implemented;
            impl<T: ?Sized> Ambiguous<()> for T {}
            impl<T: ?Sized + $trait> Ambiguous<Implemented> for T {}
            let _ = <$type as Ambiguous<_>>::ambiguous;
        };
    )+};
}

// Secrets are not copied, compared, printed or made from nothing.
macro_rules! assert_secret {
    ($($type:ty),+ $(,)?) => {$(
        assert_not!($type: Clone, PartialEq, PartialOrd, std::hash::Hash, std::fmt::Display, Default);
    )+};
}

assert_secret!(
    DecapsulationKey,
    SigningKey,
    SharedSecret,
    BodyKey,
    Plaintext,
    PrivateDer,
    PrivatePem,
);

// A secret's text is asked for by name.
assert_not!(PrivatePem: AsRef<str>, std::ops::Deref, std::borrow::Borrow<str>);
assert_not!(PrivateDer: AsRef<[u8]>, std::ops::Deref, std::borrow::Borrow<[u8]>);
assert_not!(SharedSecret: AsRef<[u8]>, std::ops::Deref);
assert_not!(DecapsulationKey: AsRef<[u8]>, std::ops::Deref);
assert_not!(SigningKey: AsRef<[u8]>, std::ops::Deref);

// No key and no wire value is made from nothing, or from bytes that nobody checked.
assert_not!(EncapsulationKey: Default, From<Vec<u8>>, From<&'static [u8]>);
assert_not!(VerifyingKey: Default, From<Vec<u8>>, From<&'static [u8]>);
assert_not!(Ciphertext: Default, From<Vec<u8>>, From<&'static [u8]>);
assert_not!(Signature: Default, From<Vec<u8>>, From<&'static [u8]>);

// The name of a session and the start of a reply have 32 bytes both, and are not mistaken.
const _: fn(&mut SessionSender, ReplyNonce) -> Result<SessionReceiver, Error> =
    SessionSender::accept_reply;
assert_not!(SessionId: Into<ReplyNonce>, Default);
assert_not!(ReplyNonce: Into<SessionId>, Default);

// A ciphertext is sent and a secret is kept: neither stands where the other is asked for.
const _: fn(&EncapsulationKey) -> Result<(Ciphertext, SharedSecret), Error> =
    EncapsulationKey::encapsulate;
const _: fn(&DecapsulationKey, &Ciphertext) -> Result<SharedSecret, Error> =
    DecapsulationKey::decapsulate;
assert_not!(SharedSecret: Into<Ciphertext>, std::borrow::Borrow<Ciphertext>, AsRef<Ciphertext>);
assert_not!(Ciphertext: Into<SharedSecret>, std::borrow::Borrow<SharedSecret>, AsRef<SharedSecret>);

// A verdict is a `Result`, which must be used; never a `bool`.
type Verify = fn(&VerifyingKey, &[u8], &[u8], &Signature) -> Result<(), Error>;
const _: Verify = VerifyingKey::verify;
