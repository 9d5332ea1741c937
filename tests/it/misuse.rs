//! Does misuse of the API fail to compile? This file compiles only if it does.

use twinseal::{
    DecapsulationKey, EncapsulationKey, Error, Plaintext, Signature, SigningKey, VerifyingKey,
    envelope::BodyKey,
    kem::{Ciphertext, SharedSecret},
    key_files::{PrivateDer, PrivatePem},
    request::{
        Asked, FailedAnswer, Pending, PieceOpener, PieceSealer, PreparedRequest, ReplayGuard,
        RequestOpener, RequestSealer, Unadmitted, UnlockedRequest, VerifiedHead,
    },
    session::{
        PreparedSender, ReplyNonce, SessionId, SessionReceiver, SessionSender, VerifiedHello,
    },
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
    twinseal::sign::ExpandedSigningKey,
    SharedSecret,
    BodyKey,
    Plaintext,
    PrivateDer,
    PrivatePem,
    UnlockedRequest,
    Unadmitted<(Plaintext, Asked)>,
    RequestOpener,
    RequestSealer,
    Asked,
    Pending,
    PieceSealer,
    PieceOpener,
    PreparedSender,
    PreparedRequest,
    SessionSender,
    SessionReceiver,
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

// A request is answered once, and an answer is opened once: both use up what they need. One that does not
// open gives it back.
const _: fn(Asked, &[u8]) -> Result<Vec<u8>, Error> = Asked::answer;
type InPieces = fn(Asked) -> Result<(Vec<u8>, PieceSealer), Error>;
const _: InPieces = Asked::piece_sealer;
const _: fn(Pending, &[u8]) -> Result<Plaintext, FailedAnswer> = Pending::open;
const _: fn(Pending) -> PieceOpener = Pending::piece_opener;
assert_not!(FailedAnswer: Clone);

// What awaits a signature or a secret takes it once. One hello has one sender, and no sender is without a
// signature that was verified.
type Hello = (Vec<u8>, SessionSender);
const _: fn(PreparedSender, Signature) -> Result<Hello, Error> = PreparedSender::finish;
const _: fn(PreparedRequest, Signature) -> Result<RequestSealer, Error> = PreparedRequest::finish;
assert_not!(PreparedSender: Into<SessionSender>, Into<Hello>, std::ops::Deref);
assert_not!(PreparedRequest: Into<RequestSealer>, Into<Pending>, std::ops::Deref);
type Received = Result<SessionReceiver, Error>;
const _: fn(VerifiedHello<'static>, &SharedSecret) -> Received = VerifiedHello::receiver_with;
assert_not!(VerifiedHello<'static>: Clone, Into<SessionReceiver>);
assert_not!(VerifiedHead<'static>: Clone, Into<UnlockedRequest>);

// Who asks is not who answers, and what was not admitted has nothing to read or to answer with.
assert_not!(Asked: Into<Pending>);
assert_not!(Pending: Into<Asked>);
assert_not!(Unadmitted<(Plaintext, Asked)>: std::ops::Deref, AsRef<[u8]>, Into<Plaintext>, Into<Asked>);
assert_not!(UnlockedRequest: Into<Asked>);

// Nothing is accepted without a word about replays.
type Accept =
    fn(&DecapsulationKey, &[u8], &[u8], &dyn ReplayGuard) -> Result<(Plaintext, Asked), Error>;
const _: Accept = DecapsulationKey::accept;
assert_not!((): ReplayGuard);

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
